"""`manage.py tick`: the loop around the pulse. What the pulse does is tested in test_tick.py."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from unittest.mock import Mock

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, OperationalError
from django.utils import timezone
from django_q.models import Schedule

from codes import tick as pulse
from codes.management.commands import tick
from codes.models import AccessCode, Notice
from devices.models import Device
from portal.database import name_of
from portal.models import Heartbeat, User
from tests import scene

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """Runs the loop with what each look is to raise (None: nothing); gives the looks made, sweeps included."""
    made: list[str] = []
    monkeypatch.setattr(tick, "PAUSE", 0)
    monkeypatch.setattr(tick, "ensure_schedules", lambda: None)
    monkeypatch.setattr(tick.ClockWatch, "mind", lambda self: None)
    monkeypatch.setattr(tick, "close_old_connections", lambda: None)
    monkeypatch.setattr(tick, "wake_due", lambda: 0)

    def run(*outcomes: Exception | None) -> list[str]:
        stop, left = Event(), list(outcomes)

        def look() -> None:
            made.append("tick")
            outcome = left.pop(0)
            if not left:
                stop.set()
            if outcome:
                raise outcome

        monkeypatch.setattr(pulse, "tick", look)
        monkeypatch.setattr(pulse, "probe_workers", lambda: None)
        monkeypatch.setattr(pulse, "sweep", lambda: made.append("sweep"))
        tick.run(stop)
        return made

    return run


def test_it_sweeps_at_once_and_then_once_a_minute(
    looks: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([0.0, 0.0, 30.0, 61.0, 61.0, 62.0])
    monkeypatch.setattr(tick, "monotonic", lambda: next(seconds))
    assert looks(None, None, None, None) == ["tick", "sweep", "tick", "tick", "sweep", "tick"]


def test_it_outlives_a_database_error(looks: Callable[..., list[str]], caplog: pytest.LogCaptureFixture) -> None:
    error = OperationalError('Failing row contains (1, "4711").')
    assert looks(error, RuntimeError("bug"), None).count("tick") == 3
    assert "failed: OperationalError" in caplog.text
    assert "4711" not in caplog.text


def test_between_looks_it_glances_at_due_locks_until_one_fails(
    looks: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    glances = iter([None, None, None, None, OperationalError("gone"), None])
    seen: list[object] = []

    def glance() -> None:
        seen.append(outcome := next(glances))
        if outcome:
            raise outcome

    monkeypatch.setattr(tick, "wake_due", glance)
    assert looks(None, RuntimeError("bug"), None, None).count("tick") == 4
    assert len(seen) == 5  # four after the first look, none after one that failed, one after the third: it failed


def test_an_error_is_named_by_its_constraint() -> None:
    class Diagnosis:
        constraint_name = "devices_pin_digits_once"

    cause = Exception("DETAIL: Failing row contains (4711).")
    cause.diag = Diagnosis()  # type: ignore[attr-defined]
    error = IntegrityError("DETAIL: Failing row contains (4711).")
    error.__cause__ = cause
    assert name_of(error) == "IntegrityError of devices_pin_digits_once"


@pytest.mark.django_db
def test_a_look_covers_and_wakes_and_leaves_a_sign_of_life(device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(next_sync_at=timezone.now() - timedelta(seconds=1))
    call_command("tick", "--once")
    device.refresh_from_db()
    assert device.queued_until is not None
    assert Heartbeat.objects.get(name="tick")


@pytest.mark.django_db
def test_the_schedules_are_there_once(device: Device) -> None:
    call_command("tick", "--once")
    call_command("tick", "--once")
    assert sorted(Schedule.objects.values_list("name", "func", "minutes")) == [
        ("heartbeat", "codes.tasks.heartbeat", 1),
        ("sweep", "codes.tasks.sweep", 1),
    ]


def test_warnings_outlive_an_error_too(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    stop, outcomes = Event(), [OperationalError("4711"), RuntimeError("bug"), None]

    def look() -> None:
        outcome = outcomes.pop(0)
        if not outcomes:
            stop.set()
        if outcome:
            raise outcome

    monkeypatch.setattr(tick, "WARN_EVERY", 0)
    monkeypatch.setattr(tick, "close_old_connections", lambda: None)
    monkeypatch.setattr(tick, "connections", Mock())
    monkeypatch.setattr(tick, "warn", look)
    tick.run_warnings(stop)
    assert not outcomes
    assert "look failed: OperationalError" in caplog.text and "4711" not in caplog.text


@pytest.mark.django_db
def test_one_look_writes_and_sends_warnings(device: Device, alice: User) -> None:
    code = scene.guest(device, "Ben Okafor", hours=6)
    AccessCode.objects.filter(pk=code.pk).update(uncovered_since=timezone.now())
    call_command("tick", "--once")
    Notice.objects.update(opened_at=timezone.now() - timedelta(minutes=1))
    call_command("tick", "--once")
    assert [told.subject.partition(",")[0] for told in mail.outbox] == ["Act now: no working code for Ben Okafor"]


PATIENT = """
import django
django.setup()
from django.core.management import call_command
from codes.management.commands import tick
tick.PAUSE = tick.LONGEST_PAUSE = tick.WARN_EVERY = 600
call_command("tick")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_ends_its_longest_wait_even_without_a_database(number: signal.Signals, tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    process = subprocess.Popen(
        [sys.executable, "-c", PATIENT], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "failed: OperationalError" in process.stderr.readline()
    process.send_signal(number)
    try:
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
