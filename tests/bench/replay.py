"""A floor for work on rows: the changes that the portal made for one lock, made for others by a bare psycopg loop."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter
from typing import Any

import psycopg
from django.db import connection, models

CHANGE = re.compile(r"\s*(WITH\b.*?\)\s*)?(INSERT|UPDATE|DELETE)\b", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Script:
    """Statements with their values, and which of the values are one lock's own: another's are put in their place."""

    statements: Sequence[tuple[str, tuple[Any, ...]]]
    own: Sequence[Any]
    commits: int

    def of(self, others: Sequence[Any]) -> "list[tuple[str, tuple[Any, ...]]]":
        """The same for another lock."""
        other: dict[Any, Any] = dict(zip(self.own, others, strict=True))
        found = []
        for statement, values in self.statements:
            found.append((statement, tuple(_other(value, other) for value in values)))
        return found


def keys_apart(*tables: type[models.Model]) -> None:
    """From now on no row has the key of another table's row, or one like a count: a `Script` knows keys by value."""
    with connection.cursor() as cursor:
        for number, table in enumerate(tables, 1):
            name = table._meta.db_table
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [name, number * 10_000_000])


def changes(asked: Sequence[Any], own: Sequence[Any], commits: int) -> Script:
    """What of the queries changed rows."""
    kept = [(query.sql, tuple(query.params or ())) for query in asked if CHANGE.match(query.sql)]
    return Script(kept, own, commits)


def rate(script: Script, locks: Sequence[Sequence[Any]], *, connections: int = 2) -> float:
    """Commits a second of this many connections, each in a process of its own, sharing the locks."""
    shares = [[script.of(lock) for lock in locks[n::connections]] for n in range(connections)]
    context = get_context("fork")
    began = perf_counter()
    running = [context.Process(target=_loop, args=(share, script.commits)) for share in shares]
    for process in running:
        process.start()
    for process in running:
        process.join()
        assert process.exitcode == 0, "the bare loop broke"
    return len(locks) * script.commits / (perf_counter() - began)


def _loop(share: "list[list[tuple[str, tuple[Any, ...]]]]", commits: int) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], cursor_factory=psycopg.ClientCursor) as bare:
        cursor = bare.cursor()
        for statements in share:
            a_commit = -(-len(statements) // commits)
            for number, (statement, values) in enumerate(statements, 1):
                cursor.execute(statement, values)
                assert cursor.rowcount, f"changed no row: {statement}"
                if number % a_commit == 0:
                    bare.commit()
            bare.commit()


def _other(value: Any, other: dict[Any, Any]) -> Any:
    try:
        return other.get(value, value)
    except TypeError:  # a JSON value has no hash
        return value
