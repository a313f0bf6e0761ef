"""Counters and histograms that many processes on many hosts add to, and that any web process can tell.

Counting adds to this process' memory; `flush()` adds what has gathered to the table in one statement. Why not the
client library's own counters: turns are counted in worker processes, which serve no HTTP, are forked, recycled and
killed, and may run on another host than the web process that is scraped. Its multiprocess mode keeps a directory of
mapped files per host, so each host would need an exporter of its own, with files of dead workers to clean up. A table
answers for all hosts at once, on both databases, and outlives restarts.

What it costs: one upsert per turn at most, in practice one a second per worker (`at_most_every`). Rows are touched in
one order, so no two flushes wait for each other in a circle. It never costs a turn: a flush that fails keeps its
batch for the next one, and none runs inside a transaction, whose rollback would take the counts with it and whose
length would hold up other counters. What a killed process had not flushed is lost: a second's counts.
"""

import json
import logging
import os
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock

from django.db import Error, connection
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from portal.database import name_of
from portal.models import Tally

logger = logging.getLogger(__name__)

SUM = "sum"  # the part of a histogram that is no bucket
COUNT = "count"  # the only part of a counter
ADD = (
    "INSERT INTO portal_tally (metric, labels, part, value) VALUES {} "
    "ON CONFLICT (metric, labels, part) DO UPDATE SET value = portal_tally.value + excluded.value"
)

type Key = tuple[str, str, str]  # metric, labels as JSON, part


class _Pending:
    """What was counted in this process and is not in the table yet. Threads may count at the same time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counted: dict[Key, float] = defaultdict(float)
        self._taken_at = time.monotonic()

    def add(self, counted: Mapping[Key, float]) -> None:
        with self._lock:
            for key, value in counted.items():
                self._counted[key] += value

    def take(self, at_most_every: float) -> dict[Key, float]:
        with self._lock:
            if not self._counted or time.monotonic() - self._taken_at < at_most_every:
                return {}
            self._taken_at = time.monotonic()
            counted, self._counted = self._counted, defaultdict(float)
            return counted


_pending = _Pending()
os.register_at_fork(after_in_child=_pending.__init__)  # type: ignore[misc]  # the parent counts its own
_declared: dict[str, "Counter | Histogram"] = {}


@dataclass(frozen=True, slots=True)
class Counter:
    """Something that happens. `name` without `_total`; series in `always` are told as 0 before they first happen."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    always: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        _declared[self.name] = self

    def count(self, *values: str) -> None:
        """It happened once, with these label values. No PIN, no name, nothing of which there may be many."""
        _pending.add({(self.name, _labels(self.labels, values), COUNT): 1.0})

    def family(self, series: Mapping[str, Mapping[str, float]]) -> Metric:
        family = CounterMetricFamily(self.name, self.help, labels=self.labels)
        for values in self.always:
            if _labels(self.labels, values) not in series:
                family.add_metric(values, 0.0)
        for labels, parts in series.items():
            family.add_metric(json.loads(labels), parts.get(COUNT, 0.0))
        return family


@dataclass(frozen=True, slots=True)
class Histogram:
    """How long something takes, in seconds. `buckets` are upper bounds, ascending; infinity is added."""

    name: str
    help: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...]

    def __post_init__(self) -> None:
        _declared[self.name] = self

    def observe(self, seconds: float, *values: str) -> None:
        labels = _labels(self.labels, values)
        bound = self._bounds[bisect_left(self.buckets, seconds)]
        _pending.add({(self.name, labels, bound): 1.0, (self.name, labels, SUM): seconds})

    def family(self, series: Mapping[str, Mapping[str, float]]) -> Metric:
        family = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        for labels, parts in series.items():
            below, buckets = 0.0, []
            for bound in self._bounds:
                below += parts.get(bound, 0.0)
                buckets.append((bound, below))
            family.add_metric(json.loads(labels), buckets, sum_value=parts.get(SUM, 0.0))
        return family

    @property
    def _bounds(self) -> list[str]:
        return _words_of(self.buckets)


def flush(*, at_most_every: float = 0.0) -> None:
    """Add what this process has counted to the table: one statement, none when there is nothing or it is too soon."""
    if connection.in_atomic_block:
        return
    batch = _pending.take(at_most_every)
    if not batch:
        return
    values: list[str | float] = [part for key, value in sorted(batch.items()) for part in (*key, value)]
    places = ", ".join(["(%s, %s, %s, %s)"] * len(batch))
    try:
        with connection.cursor() as cursor:
            cursor.execute(ADD.format(places), values)
    except Error as error:
        _pending.add(batch)
        logger.warning("metrics are kept for the next flush: %s", name_of(error))


def families() -> Iterable[Metric]:
    """All that was ever counted, by all processes: one query. What nobody declares any more is left out."""
    series: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for metric, labels, part, value in Tally.objects.order_by("metric", "labels").values_list(
        "metric", "labels", "part", "value"
    ):
        series[metric][labels][part] = value
    return [declared.family(series[name]) for name, declared in sorted(_declared.items())]


@cache
def _words_of(buckets: tuple[float, ...]) -> list[str]:
    return [*map(str, buckets), "+Inf"]


@lru_cache(maxsize=1024)
def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    if len(names) != len(values):
        raise TypeError(f"give a value for each of {names}")
    return json.dumps([str(value) for value in values])
