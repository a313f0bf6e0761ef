"""Crashes: processes killed at random moments under load, queue rows deleted, the database restarted, the disk full."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median

from django.db import close_old_connections, connections
from django_q.models import OrmQ

from codes.models import AccessCode
from codes.services import cancel_code
from devices.models import Device, SimulatedLock
from devices.providers.simulator import switch
from tests.storm import fleet
from tests.storm.people import Crowd
from tests.storm.report import Report
from tests.storm.stack import Stack
from tests.storm.wanted import broken_for_good, guests_outside, not_as_wanted, why

ROLES = ("worker", "leader", "sentinel", "tick", "web")
GUESTS_WITHIN = 60.0  # seconds from the last fault
BACK_OFF = 40 * 60.0  # seconds: the longest stated rest, and a little
STAYS_KEPT = 3  # a lock: so that none fills up for good
FAULTS: Sequence[dict[str, object]] = (
    {"fault": "unreachable"},
    {"fault": "mute"},
    {"fault": "apply_then_silent"},
    {"fault": "late", "late_ms": 5_000},
    {"fault": "reject_set"},
    {"fault": "ignore_set"},
    {"fault": "full"},
    {"latency_ms": 3_000},
)
CALM: dict[str, object] = {"fault": "", "late_ms": 0, "latency_ms": 30}

RESTARTED, EMPTIED = "database restarted", "queue emptied"
ENOUGH = 20  # rounds, in which every kind of blow is struck

type Restart = Callable[[], None]


@dataclass
class Rounds:
    """A fleet that is stormed again and again."""

    report: Report
    dice: random.Random
    portal: Stack
    devices: list[Device]
    crowd: Crowd
    restart: Restart | None = None
    within: float = GUESTS_WITHIN
    waits: list[float] = field(default_factory=list)
    away: int = 0  # pages that failed while the database was away
    blows: dict[str, int] = field(default_factory=dict)
    turns: Iterator[str] = field(default_factory=lambda: cycle(ROLES))
    findings: list[str] = field(default_factory=list)

    def one(self, number: int) -> None:
        """Weather and people for some seconds, blows meanwhile; then calm, until every guest who stays gets in."""
        self._weather()
        self.crowd.gather()
        struck = [self._strike(number) for _ in range(self.dice.choice([1, 1, 2, 3]))]
        time.sleep(self.dice.uniform(0, 1))
        self.crowd.quiet()
        if RESTARTED in struck:
            self.away += len(self.crowd.errors)
            self.crowd.errors.clear()
        self._calm()
        waited = self._until_guests_are_in()
        self.waits.append(waited)
        self.findings += [f"round {number}: {what}" for what in [*self._outside(), *broken_for_good(self.devices)]]
        self.findings += [f"round {number}: {what}" for what in self.crowd.lost()]
        self._thin_out()
        self.report.tell(f"round {number}: {', '.join(struck)}; guests in after {waited:.1f} s")

    def _weather(self) -> None:
        for lock in SimulatedLock.objects.filter(hub__devices__in=self.devices).distinct():
            if self.dice.random() < 0.35:
                switch(lock, **{**CALM, **self.dice.choice(FAULTS)})

    def _calm(self) -> None:
        SimulatedLock.objects.filter(hub__devices__in=self.devices).update(**CALM)

    def _strike(self, number: int) -> str:
        time.sleep(self.dice.uniform(0.2, 2.0))
        if number % 5 == 4:
            OrmQ.objects.all().delete()
            return self._counted(EMPTIED)
        if self.restart and number % 7 == 5:
            self.restart()
            connections.close_all()
            return self._counted(RESTARTED)
        role = next(self.turns) if self.dice.random() < 0.6 else self.dice.choice(ROLES)
        return self._counted(_killed(role) if self.portal.kill(role, self.dice) else f"no {role} to kill")

    def _counted(self, what: str) -> str:
        self.blows[what] = self.blows.get(what, 0) + 1
        return what

    def _until_guests_are_in(self) -> float:
        began = time.monotonic()
        while self._outside() and time.monotonic() - began < self.within:
            time.sleep(0.25)
        return time.monotonic() - began

    def _outside(self) -> list[str]:
        close_old_connections()
        return guests_outside(self.devices)

    def _thin_out(self) -> None:
        for device in self.devices:
            for code in AccessCode.objects.live().filter(device=device).order_by("-created_at")[STAYS_KEPT:]:
                cancel_code(code)
                self.crowd.acknowledged[code.pk] = (True, code.ends_at)

    def until_as_wanted(self, within: float) -> float:
        """Seconds until nothing is left to do on any lock."""
        began = time.monotonic()
        while not_as_wanted(self.devices) and time.monotonic() - began < within:
            time.sleep(1)
        self.findings += [f"after {within:.0f} s: {what}" for what in not_as_wanted(self.devices)]
        return time.monotonic() - began

    def tell(self) -> None:
        report = self.report
        for what, count in sorted(self.blows.items()):
            report.row(what, f"{count} times", "", holds=True)
        if len(self.waits) >= ENOUGH:
            report.none_of("kinds of blow that were never struck", self._spared())
        slowest = max(self.waits)
        kept = f"p50 {median(self.waits):.1f} s, slowest {slowest:.1f} s"
        report.row("last fault → every guest who stays gets in", kept, f"≤ {self.within:.0f} s", slowest < self.within)
        report.row("done by people", self.crowd.actions, "", holds=True)
        report.row("pages that failed while the database was away", self.away, "", holds=True)
        report.none_of("pages that failed otherwise", self.crowd.errors)
        report.none_of("promises broken, things lost", self.findings)

    def _spared(self) -> list[str]:
        meant = {*map(_killed, ROLES), EMPTIED, *([RESTARTED] if self.restart else [])}
        return sorted(meant - self.blows.keys())


def _killed(role: str) -> str:
    return f"{role} killed"


def crashes(
    report: Report,
    folder: Path,
    *,
    rounds: int,
    locks: int = 24,
    restart: Restart | None = None,
    settle: float = BACK_OFF,
    within: float = GUESTS_WITHIN,
) -> None:
    """So many rounds, the last tenth of them with no room left for the log."""
    owner = fleet.manager()
    devices = fleet.hang(locks, owner=owner, latency_ms=30)
    dice = random.Random(report.seed)
    full = -(-rounds // 10) if rounds >= 5 else 0
    last: Rounds | None = None
    for part, (first, end) in enumerate([(0, rounds - full), (rounds - full, rounds)]):
        if first == end:
            continue
        logs = folder / f"logs-{part}"
        if part == 1:
            no_room(logs)
        with Stack(logs) as portal:
            crowd = last.crowd if last else Crowd(portal, devices, owner, str(report.seed))
            crowd.portal = portal
            last = last or Rounds(report, dice, portal, devices, crowd, restart, within)
            last.portal = portal
            for number in range(first, end):
                last.one(number)
            if end == rounds and settle:
                took = last.until_as_wanted(settle)
                report.row("last fault → every lock as wanted", f"{took:.0f} s", f"≤ {settle:.0f} s", took < settle)
                last.findings += broken_for_good(devices)
    assert last is not None
    last.tell()


def no_room(logs: Path) -> None:
    """Each program's log is a disk without room."""
    logs.mkdir(parents=True)
    for name in ("web", "workers-0", "tick-0"):
        (logs / f"{name}.log").symlink_to("/dev/full")


def explain(devices: Sequence[Device]) -> list[str]:
    """For a person who looks into a round that failed."""
    return [f"{code}: {why(code)}" for code in AccessCode.objects.live().filter(device__in=devices)]
