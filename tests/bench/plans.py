"""How the database would answer: which of a fleet's tables it would read from end to end."""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from django.db import connection

from tests.bench.measure import Query

LARGE = 5_000  # rows from which on reading all of a table is a full scan
STATEMENTS = ("SELECT", "(SELECT", "UPDATE", "DELETE", "INSERT")


def full_scans(asked: Iterable[Query]) -> list[str]:
    """Each large table that a statement would read in full, with the statement's beginning."""
    found = []
    for query in asked:
        if query.sql.startswith(STATEMENTS):
            found += [f"{table}: {query.sql[:60]}" for table in sorted(set(_scanned(query))) if _rows(table) > LARGE]
    return found


def _scanned(query: Query) -> Iterator[str]:
    return _postgres(query) if connection.vendor == "postgresql" else _sqlite(query)


def _postgres(query: Query) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query.sql}", query.params)
        (plan,) = cursor.fetchone()[0]
    yield from _nodes(plan["Plan"])


def _nodes(node: dict) -> Iterator[str]:
    whole_index = node["Node Type"].startswith("Index") and not node.get("Index Cond") and "Limit" not in node
    if node["Node Type"] == "Seq Scan" or (whole_index and not _partial(node.get("Index Name", ""))):
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from _nodes(child)


@cache
def _partial(index: str) -> bool:
    """An index of some rows only holds just those that are asked for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [index])
        (definition,) = cursor.fetchone() or ("",)
    return " WHERE " in definition


SCAN = re.compile(r"^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")


def _sqlite(query: Query) -> Iterator[str]:
    tables = dict(re.findall(r'"(\w+)"(?: AS)? "?(U\d+|T\d+)"?', query.sql))
    aliases = {alias: table for table, alias in tables.items()}
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {query.sql}", query.params)
        for *_, detail in cursor.fetchall():
            if (scan := SCAN.match(detail)) and not _partial_in_sqlite(scan[2]):
                yield aliases.get(scan[1], scan[1])


@cache
def _partial_in_sqlite(index: str | None) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = %s", [index or ""])
        (definition,) = cursor.fetchone() or ("",)
    return " WHERE " in (definition or "")


@cache
def _known() -> frozenset[str]:
    return frozenset(connection.introspection.table_names())


def _rows(table: str) -> int:
    if table not in _known():
        return 0  # a subquery's own name
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM (SELECT 1 FROM "{table}" LIMIT {LARGE + 1}) few')  # noqa: S608
        return int(cursor.fetchone()[0])
