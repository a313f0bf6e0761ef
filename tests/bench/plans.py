"""How the database would answer: which of a fleet's tables it would read from end to end."""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from django.db import connection

from tests.bench.measure import Query

LARGE = 5_000  # rows from which on reading all of a table is a full scan
type Scan = tuple[str, str]  # the table, and the index by which all of it is read, or ""
STATEMENTS = ("SELECT", "(SELECT", "UPDATE", "DELETE", "INSERT")


def full_scans(asked: Iterable[Query], large: int = LARGE) -> list[str]:
    """Each large table that a statement would read in full, with the statement's beginning.

    Or an index of so many of its rows: one that is of a few rows only is read in full where just those are asked for.
    """
    found = []
    for query in asked:
        if query.sql.startswith(STATEMENTS):
            tables = {table for table, index in _scanned(query) if _rows(table, _condition(index), large) > large}
            found += [f"{table}: {query.sql[:60]}" for table in sorted(tables)]
    return found


def _scanned(query: Query) -> Iterator[Scan]:
    return _postgres(query) if connection.vendor == "postgresql" else _sqlite(query)


def _postgres(query: Query) -> Iterator[Scan]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query.sql}", query.params)
        (plan,) = cursor.fetchone()[0]
    yield from _nodes(plan["Plan"])


def _nodes(node: dict) -> Iterator[Scan]:
    whole_index = node["Node Type"].startswith("Index") and not node.get("Index Cond") and "Limit" not in node
    if node["Node Type"] == "Seq Scan" or whole_index:
        yield node["Relation Name"], node.get("Index Name", "")
    for child in node.get("Plans", ()):
        yield from _nodes(child)


SCAN = re.compile(r"^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")


def _sqlite(query: Query) -> Iterator[Scan]:
    tables = dict(re.findall(r'"(\w+)"(?: AS)? "?(U\d+|T\d+)"?', query.sql))
    aliases = {alias: table for table, alias in tables.items()}
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {query.sql}", query.params)
        for *_, detail in cursor.fetchall():
            if scan := SCAN.match(detail):
                yield aliases.get(scan[1], scan[1]), scan[2] or ""


DEFINITION = {
    "postgresql": "SELECT indexdef FROM pg_indexes WHERE indexname = %s",
    "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = %s",
}


@cache
def _condition(index: str) -> str:
    """Which rows the index holds, as SQL."""
    with connection.cursor() as cursor:
        cursor.execute(DEFINITION[connection.vendor], [index])
        (definition,) = cursor.fetchone() or ("",)
    return (definition or "").partition(" WHERE ")[2] or "true"


@cache
def _known() -> frozenset[str]:
    return frozenset(connection.introspection.table_names())


def _rows(table: str, condition: str, most: int) -> int:
    if table not in _known():
        return 0  # a subquery's own name
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM (SELECT 1 FROM "{table}" WHERE {condition} LIMIT {most + 1}) few')  # noqa: S608
        return int(cursor.fetchone()[0])
