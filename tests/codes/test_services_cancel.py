"""Cancelling a code: everything it was given leaves the lock, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from codes.models import AccessCode, CodePin
from codes.services import add_code, cancel_code, pull_backup
from devices.models import Device, Event, Pin
from devices.services import remove_lock
from tests import factories
from tests.engine import backup, fill_pool, guest, own, ready, settle, truth


def test_its_pins_leave_and_the_pool_fills_up(device: Device, alice) -> None:
    fill_pool(device)
    code = guest(device)
    pull_backup(code)
    settle(device)
    spare = backup(code)
    cancel_code(code, actor=alice)
    settle(device)
    assert {own(code).secret.reveal(), spare.secret.reveal()} & set(truth(device).values()) == set()
    assert len(ready(device)) == 5
    assert Event.objects.get(type=Event.Type.CODE_CANCELLED).actor == alice


def test_twice_does_nothing_more(device: Device) -> None:
    code = guest(device)
    cancel_code(code)
    first = AccessCode.objects.get(pk=code.pk).cancelled_at
    cancel_code(code)
    assert AccessCode.objects.get(pk=code.pk).cancelled_at == first
    assert Event.objects.filter(type=Event.Type.CODE_CANCELLED).count() == 1


def test_it_works_while_the_lock_is_being_removed(device: Device) -> None:
    code = guest(device)
    remove_lock(device)
    cancel_code(code)
    code.refresh_from_db()
    assert code.ended_at is not None


def test_an_ongoing_code_leaves_too(device: Device) -> None:
    code = add_code(device=device, name="Owner", kind="ongoing")
    settle(device)
    cancel_code(code)
    settle(device)
    assert own(code).status == Pin.Status.REMOVED


def test_a_cancelled_code_is_not_covered_any_more(device: Device) -> None:
    fill_pool(device)
    code = guest(device)
    cancel_code(code)
    with pytest.raises(ValidationError, match="over"):
        pull_backup(AccessCode.objects.get(pk=code.pk))
    assert len(ready(device)) == 5


def test_nothing_of_it_is_ever_deleted(device: Device) -> None:
    code = guest(device, starts=timedelta(days=9))
    cancel_code(code)
    settle(device)
    assert CodePin.objects.filter(code=code).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_pull_and_a_cancel_at_once_leave_no_backup_behind() -> None:
    device = factories.DeviceFactory()
    pool = factories.BackupPoolFactory(device=device)
    for position in range(1, 6):
        factories.BackupCodeFactory(pool=pool, position=position, pin__slot=position)
    code = guest(device)

    def work(number: int) -> None:
        mine = AccessCode.objects.get(pk=code.pk)
        try:
            cancel_code(mine) if number else pull_backup(mine)
        except ValidationError:
            pass
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))
    assert not CodePin.objects.filter(code=code, ended_at=None).exists()
    assert not Pin.objects.filter(code_pin__code=code).exclude(wanted=Pin.Wanted.ABSENT).exists()
