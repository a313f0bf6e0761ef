"""`manage.py tick`: the portal's pulse, one process beside the web server and the workers.

Twice a second it looks for what is due, in between for due locks alone, and once a minute it sweeps. Beside it, on a
thread of its own so that no slow mail server holds it up, warnings are written and mailed every few seconds. It
outlives the database's absence.
"""

import logging
import signal
from argparse import ArgumentParser
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connections
from django_q.models import Schedule

from codes import tick
from codes.clock_step import ClockWatch
from codes.notifications import notify
from devices.services import wake_due
from portal.context import bind
from portal.database import name_of
from portal.outbox import send_due
from portal.tally import flush

logger = logging.getLogger(__name__)

PAUSE = 0.5  # seconds between looks
GLANCES = 4  # at due locks alone, between two looks
LONGEST_PAUSE = 15.0  # while they fail
SWEEP_EVERY = 60.0
WARN_EVERY = 5.0
SCHEDULES = {"sweep": "codes.tasks.sweep", "heartbeat": "codes.tasks.heartbeat"}


class Command(BaseCommand):
    help = "Finds what is due, twice a second: covers failed codes, ends stays, wakes the workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Look and sweep once, then end.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            ensure_schedules()
            tick.tick()
            tick.sweep()
            warn()
            flush()
            return
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        warnings = Thread(target=run_warnings, args=[stop], name="warnings", daemon=True)
        warnings.start()
        run(stop)
        warnings.join(timeout=1)


def run(stop: Event) -> None:
    """Tick until `stop` is set. An error is logged, and the next look comes later each time it repeats."""
    bind(process="tick")
    swept, failures, scheduled, clock = -SWEEP_EVERY, 0, False, ClockWatch()
    while not stop.is_set():
        works = [clock.mind, tick.tick, tick.probe_workers]
        if not scheduled:
            works.append(ensure_schedules)
        if monotonic() - swept >= SWEEP_EVERY:
            works.append(tick.sweep)
        failed = [work for work in works if not _done(work)]
        scheduled = scheduled or ensure_schedules not in failed
        if tick.sweep in works and tick.sweep not in failed:
            swept = monotonic()
        _done(flush)
        failures = failures + 1 if failed else 0
        if failures:
            stop.wait(min(PAUSE * 2**failures, LONGEST_PAUSE))
        else:
            rest(stop)


def rest(stop: Event) -> None:
    """Until the next look. A lock that comes due meanwhile is queued, for that alone costs next to nothing."""
    part = PAUSE / (GLANCES + 1)
    for _ in range(GLANCES):
        if stop.wait(part) or not _done(wake_due):
            return
    stop.wait(part)


def run_warnings(stop: Event) -> None:
    """Write and send warnings until `stop` is set."""
    bind(process="warnings")
    while not stop.wait(WARN_EVERY):
        _done(warn)
    connections.close_all()


def warn() -> None:
    """Write what people are to be warned of, and send what is to be sent."""
    notify()
    send_due()


def ensure_schedules() -> None:
    """Have the queue's own scheduler call the sweep and the heartbeat each minute, should this process be away."""
    for name, func in SCHEDULES.items():
        if not Schedule.objects.filter(name=name).update(func=func):
            Schedule.objects.create(name=name, func=func, schedule_type=Schedule.MINUTES, minutes=1, repeats=-1)


def _done(work: Callable[[], object]) -> bool:
    close_old_connections()
    try:
        work()
    except DatabaseError as error:
        logger.error("%s failed: %s", work.__name__, name_of(error))
    except Exception:
        logger.exception("%s failed", work.__name__)
    else:
        return True
    close_old_connections()
    return False
