"""Load: 200 managers with a lock's page open, and 500 check-ins that fail at once, on the real thing.

The lock's own refusal is timed by a trigger of the database, and the guest's link by asking it as a guest's phone does.
"""

import json
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlencode

from django.db import connection
from django.utils import timezone

from codes.models import AccessCode, CodePin
from devices.models import Device, SimulatedLock
from portal.live import MARK, SOON
from tests.running import ROOT, environment
from tests.storm import fleet
from tests.storm.people import signed_in
from tests.storm.report import Report
from tests.storm.stack import Stack
from tests.storm.wanted import broken_for_good

P50, P99 = 0.3, 1.0  # seconds, from the lock's refusal to the guest's link
BOUND = 600.0  # seconds after which a load that does not end is ended
DESKS = 4  # processes that check guests in at the same time
CONNECTIONS = 16  # of guests who ask at the same time
AGAIN = 30  # polls after which a manager opens the page anew
SEEN = re.compile(r'name="(seen-[\w-]+)" value="(\w+)"')

NOTE_REFUSALS = """
CREATE TABLE IF NOT EXISTS storm_refusal (lock_id bigint, at timestamptz);
CREATE OR REPLACE FUNCTION storm_note() RETURNS trigger AS $$
BEGIN INSERT INTO storm_refusal VALUES (NEW.id, clock_timestamp()); RETURN NULL; END $$ LANGUAGE plpgsql;
CREATE OR REPLACE TRIGGER storm_refuses AFTER UPDATE ON devices_simulatedlock FOR EACH ROW
WHEN (NEW.fault = 'reject_set' AND NEW.writer = '' AND (OLD.writer <> '' OR NEW.writes > OLD.writes))
EXECUTE FUNCTION storm_note();
"""


@dataclass(frozen=True)
class Wait:
    """One guest's: when the lock refused last, when a backup was drawn, when the link showed it."""

    refused: datetime
    covered: datetime
    shown: datetime

    @property
    def seconds(self) -> float:
        return (self.shown - self.refused).total_seconds()


@dataclass
class Managers:
    """People with a lock's page open in a browser: it polls by itself, and is opened anew now and then.

    They ask every four seconds, as if something were pending on each lock all the time.
    """

    portal: Stack
    devices: Sequence[Device]
    cookie: str
    count: int
    took: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._sit, args=[n], daemon=True) for n in range(self.count)]

    def __enter__(self) -> "Managers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _sit(self, number: int) -> None:
        dice = random.Random(number)
        page = f"/devices/{dice.choice(self.devices).pk}/"
        self._stop.wait(dice.uniform(0, SOON))
        polls, seen = 0, dict[str, str]()
        while not self._stop.is_set():
            if polls % AGAIN == 0:
                seen = self._ask(page, {})
            else:
                seen |= self._ask(f"{page}live/?{urlencode(seen)}", {"HX-Request": "true"})
            polls += 1
            self._stop.wait(SOON)

    def _ask(self, path: str, headers: dict[str, str]) -> dict[str, str]:
        """What the page then has, as a browser sends it along with the next poll."""
        began = time.monotonic()
        status, text, told = self.portal.ask(path, {"Cookie": self.cookie, **headers})
        self.took.append(time.monotonic() - began)
        if status not in (200, 204):
            self.errors.append(f"{path.partition('?')[0]} answered {status}")
        mark = json.loads(told.get("HX-Trigger", "{}")).get("refreshed", {}).get("mark")
        return dict(SEEN.findall(text)) | ({MARK: mark} if mark else {})


def load(report: Report, folder: Path, *, managers: int = 200, guests: int = 500) -> None:
    """One lock and one pool a guest: all of them refuse, all guests check in within the same seconds."""
    if connection.vendor != "postgresql":
        report.tell("load is measured on PostgreSQL: give --postgres URL")
        return
    owner = fleet.manager()
    devices = fleet.hang(guests, owner=owner, latency_ms=0)
    SimulatedLock.objects.filter(hub__devices__in=devices).update(fault="reject_set")
    with connection.cursor() as cursor:
        cursor.execute(NOTE_REFUSALS)
    with Stack(folder / "load") as portal, Managers(portal, devices, signed_in(owner), managers) as crowd:
        desks = [desk(devices[n::DESKS]) for n in range(DESKS)]
        time.sleep(2 * SOON)
        for one in desks:
            print(file=one.stdin, flush=True)
        waits, errors = watch(portal, guests)
        errors += [f"a desk ended with {one.returncode}" for one in desks if one.wait(60)]
        broken = broken_for_good(devices)
    p50, p99 = _percentiles([wait.seconds for wait in waits])
    drawn = _percentiles([(wait.covered - wait.refused).total_seconds() for wait in waits])
    asked_for = _percentiles([(wait.shown - wait.covered).total_seconds() for wait in waits])
    report.row("check-ins refused, guests covered", f"{len(waits)} of {guests}", guests, len(waits) == guests)
    report.row("refusal → link shows the backup, p50", f"{p50:.2f} s", f"≤ {P50} s", p50 <= P50)
    report.row("refusal → link shows the backup, p99", f"{p99:.2f} s", f"≤ {P99} s", p99 <= P99)
    for what, (half, most) in {"refusal → backup drawn": drawn, "drawn → link shows it": asked_for}.items():
        report.row(f"of it {what}", f"p50 {half:.2f} s, p99 {most:.2f} s", "", holds=True)
    half, most = _percentiles(crowd.took)
    asked = f"{len(crowd.took)} requests, p50 {half:.2f} s, p99 {most:.2f} s"
    report.row(f"{managers} managers on a lock's page", asked, "", holds=True)
    report.none_of("pages and links that failed", crowd.errors + errors)
    report.none_of("promises broken", broken)


def desk(devices: Sequence[Device]) -> "subprocess.Popen[str]":
    """A process that checks in a guest at each of these locks once it is told to."""
    argv = [sys.executable, "-m", "tests.storm.desk", *(str(device.pk) for device in devices)]
    return subprocess.Popen(argv, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, text=True)


def watch(portal: Stack, guests: int) -> tuple[list[Wait], list[str]]:
    """How long each guest waited whose link showed a PIN, and which links failed. They ask while others check in."""
    began = time.monotonic()
    shown: dict[AccessCode, datetime] = {}
    asking: set[object] = set()
    errors: list[str] = []

    def ask(code: AccessCode) -> None:
        status, page = portal.get(f"/g/{code.guest_token}/")
        if status != 200:
            errors.append(f"a guest's link answered {status}")
        if "guest-pin" in page:
            shown[code] = timezone.now()
        else:
            asking.discard(code.pk)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        while len(shown) < guests and time.monotonic() - began < BOUND:
            covered = AccessCode.objects.filter(code_pins__role=CodePin.Role.BACKUP).exclude(pk__in=list(asking))
            for code in covered.select_related("device"):
                asking.add(code.pk)
                pool.submit(ask, code)
            time.sleep(0.02)
    return [_waited(code, at) for code, at in shown.items()], errors


def _waited(code: AccessCode, shown: datetime) -> Wait:
    """From the last refusal before the cover: the lock goes on to refuse spares. A tick may have been faster."""
    lock = SimulatedLock.objects.get(hub=code.device.hub_id, lock_ref=code.device.lock_ref)
    covered_at = CodePin.objects.get(code=code, role=CodePin.Role.BACKUP).given_at
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(at) FROM storm_refusal WHERE lock_id = %s AND at <= %s", [lock.pk, covered_at])
        (refused,) = cursor.fetchone()
    return Wait(refused or covered_at, covered_at, shown)


def _percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """p50 and p99."""
    cuts = quantiles(seconds, n=100) if len(seconds) > 1 else [0.0] * 99
    return cuts[49], cuts[98]
