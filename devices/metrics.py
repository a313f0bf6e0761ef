"""What is counted and measured of locks, their turns and the calls to their makers' systems. No names, no ids."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Count, Min, Q
from prometheus_client.core import GaugeMetricFamily, Metric

from devices.lease import LeaseLost, free, speakable
from devices.listing import LOW_BATTERY
from devices.models import Device, Hub
from devices.providers.base import NoAnswer, Observation, Outcome, Unreachable
from portal.clock import now
from portal.tally import Histogram

TURNS = Histogram(
    "portal_turn_duration_seconds",
    "A lock's turn, by what it ended in.",
    ("provider", "outcome"),
    buckets=(0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 90.0),
)
CALLS = Histogram(
    "portal_provider_call_duration_seconds",
    "A call to a lock through its provider, by what came of it.",
    ("provider", "operation", "outcome"),
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0),
)


class Ending(StrEnum):
    """What a turn ended in."""

    ANSWERED = "answered"  # everything was asked that was to be asked; refusals are answers
    TIME_UP = "time_up"  # cut short: its 60 s were over, or a write got no answer
    SILENT = "silent"  # the lock or its hub did not answer
    LEASE_LOST = "lease_lost"  # somebody else had the lock
    BROKEN = "broken"  # an error of ours or of the database


@dataclass(slots=True)
class TimedTurn:
    ending: Ending = Ending.ANSWERED


@contextmanager
def timed_turn(provider: str) -> Iterator[TimedTurn]:
    """Count the turn inside by its ending. One that is dropped before its end is not counted."""
    timed, began = TimedTurn(), time.monotonic()
    try:
        yield timed
    except GeneratorExit:
        raise
    except BaseException as error:
        ending = Ending.LEASE_LOST if isinstance(error, LeaseLost) else Ending.BROKEN
        TURNS.observe(time.monotonic() - began, provider, ending)
        raise
    TURNS.observe(time.monotonic() - began, provider, timed.ending)


def count_call(provider: str, operation: str, seconds: float, answer: Any, error: Exception | None) -> None:
    """Count a provider call by what came of it: an outcome's result, what was seen, `ok`, or how it failed."""
    CALLS.observe(seconds, provider, operation, _came_to(answer, error))


def _came_to(answer: Any, error: Exception | None) -> str:
    match error or answer:
        case Unreachable():
            return "unreachable"
        case NoAnswer():
            return "no_answer"
        case TimeoutError():
            return "timeout"
        case Exception():
            return "error"
        case Outcome(result=result):
            return result
        case Observation(seen=seen):
            return seen
    return "ok"


def measure() -> Iterator[Metric]:
    """Locks and hubs by state: one pass over all locks, so it is kept for a while; the oldest due one by index."""
    locks = GaugeMetricFamily(
        "portal_locks", "Locks by state; a lock behind a hub that is down is offline.", labels=["state"]
    )
    counts = _by_state()
    low = counts.pop("battery_low")
    for state, count in counts.items():
        locks.add_metric([state.removeprefix("are_")], count)
    yield locks
    yield GaugeMetricFamily(
        "portal_locks_battery_low", f"Locks in use with a battery of {LOW_BATTERY} % or less.", value=low
    )
    yield GaugeMetricFamily(
        "portal_hubs_down", "Hubs that do not answer.", value=Hub.objects.filter(down_since__isnull=False).count()
    )
    yield GaugeMetricFamily(
        "portal_locks_oldest_due_age_seconds",
        "For how long the lock that waits longest has been due for its turn; 0 when none is due.",
        value=_longest_due(),
    )


def _by_state() -> dict[str, int]:
    kept = Q(removal=Device.Removal.KEPT)
    away = Q(online=Device.Online.NO) | Q(hub__down_since__isnull=False)
    return Device.objects.exclude(removal=Device.Removal.REMOVED).aggregate(
        are_online=Count("pk", filter=kept & ~away & Q(online=Device.Online.YES)),
        are_offline=Count("pk", filter=kept & away),
        are_unknown=Count("pk", filter=kept & ~away & Q(online=Device.Online.UNKNOWN)),
        are_removing=Count("pk", filter=Q(removal=Device.Removal.REMOVING)),
        battery_low=Count("pk", filter=kept & Q(battery__lte=LOW_BATTERY)),
    )


def _longest_due() -> float:
    at = now()
    due = Device.objects.filter(free(), speakable(), next_sync_at__lte=at).exclude(removal=Device.Removal.REMOVED)
    since = due.aggregate(since=Min("next_sync_at"))["since"]
    return (at - since).total_seconds() if since else 0.0
