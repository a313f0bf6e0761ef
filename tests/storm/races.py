"""Races: many processes after the same spares, two clusters and two ticks on the same locks, a process that sleeps."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from threading import Barrier

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from codes.models import AccessCode, CodePin
from codes.services import add_code, cancel_code, pull_backup
from devices.lease import MAX_LEASE
from devices.models import Device, Pin, SimulatedLock
from tests import factories
from tests.engine import lease_runs_out, own, truth
from tests.running import ROOT, children, environment
from tests.storm import fleet
from tests.storm.report import Report
from tests.storm.stack import Stack, eventually
from tests.storm.wanted import broken_for_good, guests_outside, not_as_wanted

PATIENCE = 120.0  # seconds for what has nothing to wait for but slow machines


def pulls(report: Report, folder: Path, *, hands: int = 8, presses: int = 1000, pools: int = 200) -> None:
    """Processes that pull backups for random guests of all pools at once, while the portal refills them."""
    devices = fleet.hang(pools, owner=fleet.manager(), kinds=[fleet.CLOUD], latency_ms=0)
    book_ahead(devices, each=max(1, hands * presses // pools // 2))
    began = time.monotonic()
    with Stack(folder / "pulls", web=False) if presses > 100 else nullcontext():
        got = pressed(report.seed, hands, presses)
        took = time.monotonic() - began
        broken = broken_for_good(devices)
    pulled = CodePin.objects.filter(role=CodePin.Role.BACKUP, pin__device__in=devices)
    report.row(f"pulls by {hands} processes on {pools} pools", f"{hands * presses} in {took:.0f} s", "", holds=True)
    report.row("backups handed out", pulled.count(), "", holds=True)
    errors = {name: count for name, count in got.items() if name not in ("backups", "none ready")}
    report.none_of("presses that failed", [f"{name} ({count} times)" for name, count in errors.items()])
    report.none_of("spares given twice, pools past their size", broken)


def book_ahead(devices: Sequence[Device], *, each: int) -> None:
    """Guests of next week on every lock, in bulk: their own PINs are not due yet."""
    starts = timezone.now() + timedelta(days=7)
    stay = {"starts_at": starts, "ends_at": starts + timedelta(days=2)}
    codes = AccessCode.objects.bulk_create(
        factories.AccessCodeFactory.build(device=device, **stay) for device in devices for _ in range(each)
    )
    pins = Pin.objects.bulk_create(
        factories.PinFactory.build(
            device=code.device,
            digits=f"9{number:07d}",
            program_at=starts - timedelta(hours=1),
            wanted_from=code.starts_at,
            wanted_until=code.ends_at,
        )
        for number, code in enumerate(codes)
    )
    CodePin.objects.bulk_create(
        CodePin(code=code, pin=pin, role=CodePin.Role.OWN, given_at=starts)
        for code, pin in zip(codes, pins, strict=True)
    )


def pressed(seed: int, hands: int, presses: int) -> Counter[str]:
    """What the processes got in all."""
    argv = [sys.executable, "-m", "tests.storm.hand"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [
        subprocess.Popen([*argv, f"{seed} {n}", str(presses)], cwd=ROOT, env=environment(), **pipes)
        for n in range(hands)
    ]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    return sum((Counter(json.loads(process.communicate(timeout=1800)[0])) for process in processes), Counter())


def twenty_at_once(report: Report) -> None:
    """The same pull pressed twenty times in the same moment gives one backup."""
    (device,) = fleet.hang(1, owner=fleet.manager())
    book_ahead([device], each=1)
    code = AccessCode.objects.get(device=device)
    together = Barrier(20)

    def press(_: int) -> object:
        together.wait(30)
        try:
            backup = pull_backup(code)
            return backup and backup.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        got = set(pool.map(press, range(20)))
    given = CodePin.objects.filter(code=code, role=CodePin.Role.BACKUP).count()
    report.row(
        "the same pull pressed 20 times", f"{given} backup, {len(got)} answer", "1, 1", (given, len(got)) == (1, 1)
    )


def two_of_each(report: Report, folder: Path, *, locks: int = 24, bookings: int = 120, latency_ms: int = 150) -> None:
    """Two clusters and two ticks: no lock sees two writers."""
    dice = random.Random(report.seed)
    devices = fleet.hang(locks, owner=fleet.manager(), latency_ms=latency_ms)
    with Stack(folder / "two", web=False, clusters=2, ticks=2):
        for number in range(bookings):
            starts = timezone.now() + timedelta(minutes=dice.choice([-30, 10, 25]))
            device = dice.choice(devices)
            code = add_code(
                device=device,
                name=f"Guest {number}",
                kind="time_bound",
                starts_at=starts,
                ends_at=starts + timedelta(2),
            )
            if dice.random() < 0.3:
                pull_backup(code)
            elif dice.random() < 0.3:
                cancel_code(code)
            time.sleep(dice.uniform(0, 0.1))
        took = eventually(lambda: not not_as_wanted(devices), PATIENCE, "not all became as wanted")
        broken = broken_for_good(devices) + guests_outside(devices)
    writers = sum(
        SimulatedLock.objects.filter(hub__devices__in=devices).distinct().values_list("two_writers", flat=True)
    )
    report.row("two clusters, two ticks: all as wanted", f"{took:.0f} s after the last click", "", holds=True)
    report.row("locks that saw two writers", writers, 0, writers == 0)
    report.none_of("promises broken", broken)


def sleeper(report: Report, folder: Path, *, real_lease: bool = True) -> None:
    """A worker is stopped in the middle of a write, sleeps past its lease, and wakes."""
    (device,) = fleet.hang(1, owner=fleet.manager(), kinds=[fleet.RADIO], latency_ms=2_000)
    locks = SimulatedLock.objects.filter(hub=device.hub)
    with Stack(folder / "sleeper", web=False, QUEUE_WORKERS="1") as portal:
        starts = timezone.now() - timedelta(hours=1)
        code = add_code(device=device, name="Ben", kind="time_bound", starts_at=starts, ends_at=starts + timedelta(2))
        (sentinel,) = portal.pids("sentinel")
        worker = children(sentinel)[0]
        eventually(lambda: own(code).status == Pin.Status.WRITING, PATIENCE, "nobody wrote")
        eventually(lambda: locks.exclude(writer="").exists(), PATIENCE, "nobody's call came to the lock")
        _stop(worker, device)
        try:
            with Stack(folder / "awake", web=False, QUEUE_WORKERS="1"):
                locks.update(latency_ms=0)
                if real_lease:
                    time.sleep(MAX_LEASE.total_seconds() + 1)
                else:
                    locks.update(writer="")
                    lease_runs_out(device)
                eventually(lambda: own(code).status == Pin.Status.SET, PATIENCE, "nobody took over")
                digits = own(code).secret.reveal()
                cancel_code(code)
                eventually(lambda: own(code).status == Pin.Status.REMOVED, PATIENCE, "it was not removed")
                before = _calls(locks.get())
                os.kill(worker, signal.SIGCONT)
                time.sleep(5)
                woken = locks.get()
        finally:
            os.kill(worker, signal.SIGCONT)
    report.row("calls of a process that woke past its lease", _calls(woken) - before, 0, _calls(woken) == before)
    report.row("two writers", woken.two_writers, 0, woken.two_writers == 0)
    report.row(
        "the cancelled guest's PIN is off the lock",
        digits not in truth(device).values(),
        True,
        digits not in truth(device).values(),
    )
    report.none_of("promises broken by the sleeper", broken_for_good([device]))


def _stop(worker: int, device: Device) -> None:
    """Stop the process between two transactions: one that slept inside of one would keep its locks from all others."""
    while True:
        os.kill(worker, signal.SIGSTOP)
        if _holds_nothing(device):
            return
        os.kill(worker, signal.SIGCONT)
        time.sleep(0.02)


def _holds_nothing(device: Device) -> bool:
    """Whether nobody else is in a transaction that writes, or holds the lock's rows, for longer than a moment."""
    sqlite = connection.vendor == "sqlite"
    patience = "PRAGMA busy_timeout = {}" if sqlite else "SET lock_timeout = {}"  # ms; 0: none on PostgreSQL
    usual = settings.DATABASES["default"]["OPTIONS"]["timeout"] * 1000 if sqlite else 0
    with connection.cursor() as cursor:
        cursor.execute(patience.format(200))
        try:
            with transaction.atomic():
                list(Device.objects.select_for_update().filter(pk=device.pk))
                list(SimulatedLock.objects.select_for_update().filter(hub=device.hub_id))
            return True
        except OperationalError:
            return False
        finally:
            cursor.execute(patience.format(usual))


def _calls(lock: SimulatedLock) -> int:
    return lock.reads + lock.writes


def races(report: Report, folder: Path) -> None:
    """All of them at full size."""
    twenty_at_once(report)
    pulls(report, folder)
    two_of_each(report, folder)
    sleeper(report, folder)
