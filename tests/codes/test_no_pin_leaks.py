"""A PIN is in no event, task, log, message or clear-text column, whatever happens to it."""

import logging

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django_q.models import OrmQ

from codes.services import add_code, cancel_code, pull_backup, reveal
from codes.tick import sweep
from devices.models import Device, Event, Pin
from devices.services import check_lock, mark_removed, remove_lock
from portal.secret import Secret
from tests import engine
from tests.engine import fault, fill_pool, guest, later, settle


@pytest.fixture
def lived(device: Device, alice, caplog) -> tuple[set[str], str, list[str]]:
    """A lock that has seen everything. Gives its digits, what was logged and what was queued."""
    caplog.set_level(logging.DEBUG)
    tasks: list[str] = []

    def note() -> None:
        tasks.extend(repr(row.task) + row.payload for row in OrmQ.objects.all())

    fill_pool(device)
    chosen = add_code(device=device, name="Owner", kind="ongoing", pin=Secret("4837"), actor=alice)
    codes = [guest(device, f"Guest {n}") for n in range(3)]
    note()
    for name in ("ignore_set", "apply_then_silent", "reject_set", "mute", "unreachable", ""):
        fault(device, name)
        check_lock(device, actor=alice)
        for code in codes:
            pull_backup(code, actor=alice)
            reveal(code, actor=alice)
        note()
        settle(device)
    engine.wipe(device)
    with later(hours=8):
        sweep()
        note()
        settle(device)
        cancel_code(chosen)
        remove_lock(device, actor=alice)
        settle(device, turns=2)
        note()
        if Device.objects.get().removal == Device.Removal.REMOVING:
            mark_removed(device, actor=alice)
    digits = {pin.secret.reveal() for pin in Pin.objects.all()}
    return digits, caplog.text, tasks


def test_not_in_events_tasks_or_logs(lived) -> None:
    digits, logs, tasks = lived
    assert len(digits) > 8
    data = [event.data for event in Event.objects.all()]
    words = {str(value) for entry in data for value in entry.values()} | {str(event) for event in Event.objects.all()}
    labels = {pin.label for pin in Pin.objects.all()}
    assert not digits & words
    assert not [word for word in words - labels for pin in digits if len(word) < 40 and pin == word]
    assert not [pin for pin in digits if f"'{pin}'" in logs or f" {pin}" in logs]
    assert not [pin for pin in digits for task in tasks if f"'{pin}'" in task or f'"{pin}"' in task]


def test_not_in_a_clear_text_column(lived) -> None:
    digits, _, _ = lived
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM devices_pin")
        cells = {str(cell) for row in cursor.fetchall() for cell in row}
    assert not digits & cells


def test_not_in_what_rows_say_of_themselves(lived) -> None:
    digits, _, _ = lived
    for pin in Pin.objects.all():
        assert not digits & set(f"{pin!s} {pin!r} {pin.secret!s} {pin.secret!r} {pin.__dict__}".split())


def test_not_in_a_refusal(device: Device) -> None:
    add_code(device=device, name="Owner", kind="ongoing", pin=Secret("4837"))
    for digits in ("4837", "12", "1234", "48a7"):
        with pytest.raises(ValidationError) as refused:
            add_code(device=device, name="Other", kind="ongoing", pin=Secret(digits))
        assert digits not in str(refused.value)
