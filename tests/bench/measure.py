"""Measuring in turns: what is compared is compared under the same load."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

from django.db import connection

type Work = Callable[[], object]


def medians(*works: Work, rounds: int, warm: int = 2) -> tuple[float, ...]:
    """The median seconds of each work, all of them done in turns for so many rounds."""
    for _ in range(warm):
        for work in works:
            work()
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for times, work in zip(taken, works, strict=True):
            times.append(seconds(work))
    return tuple(median(times) for times in taken)


def seconds(work: Work) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def percentile(values: Sequence[float], part: float) -> float:
    """The value that so great a part of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


@dataclass(frozen=True, slots=True)
class Query:
    """A statement as it went to the driver."""

    sql: str
    params: Any


@contextmanager
def queries() -> Iterator[list[Query]]:
    """Collects the statements that are executed meanwhile, transaction control left out."""
    found: list[Query] = []

    def collect(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            found.append(Query(sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(collect):
        yield found
