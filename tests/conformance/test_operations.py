"""Every operation under every fault: "set" and "removed" are never wrong, and "unknown" resolves once it heals."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backups.services import refill
from codes.models import AccessCode
from codes.services import add_code, cancel_code, change_code, pull_backup
from devices.models import Device, Pin
from tests.conformance.belief import come_to_rest, lies, passing, unsettled
from tests.conformance.doors import FAULTS, Door
from tests.engine import guest, opens_with, own, ready, settle


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def go_wrong(door: Door, fault: str) -> None:
    """The fault, and an honest look at what it did: a wiped lock is not known to be empty before it is read."""
    door.fault(fault)
    if fault == "wiped":
        Device.objects.filter(pk=door.device.pk).update(read_wanted=True)


def struggle(door: Door) -> None:
    """Some minutes with the fault, long enough for lost writes to land and for retries."""
    for minutes in (0, 3):
        with passing(minutes=minutes):
            Device.objects.filter(pk=door.device.pk).update(next_sync_at=timezone.now())
            settle(door.device, turns=4)
            assert lies(door) == []


def staying(door: Door) -> AccessCode:
    return guest(door.device, starts=timedelta(hours=-1))


def test_set(door: Door, fault: str) -> None:
    go_wrong(door, fault)
    code = staying(door)
    struggle(door)
    come_to_rest(door)
    assert lies(door) == [] and unsettled(door) == []
    assert opens_with(code) in door.digits()


def test_change_window(door: Door, fault: str) -> None:
    code = staying(door)
    settle(door.device)
    go_wrong(door, fault)
    change_code(code, name=code.name, starts_at=code.starts_at, ends_at=code.ends_at + timedelta(days=1))
    struggle(door)
    come_to_rest(door)
    assert lies(door) == [] and unsettled(door) == []
    assert opens_with(code) in door.digits()


def test_remove(door: Door, fault: str) -> None:
    code = staying(door)
    settle(door.device)
    digits = own(code).secret.reveal()
    go_wrong(door, fault)
    cancel_code(code)
    struggle(door)
    come_to_rest(door)
    assert lies(door) == [] and unsettled(door) == []
    assert digits not in door.digits()
    assert own(code).status == Pin.Status.REMOVED


def test_refill(door: Door, fault: str) -> None:
    refill(door.device)
    settle(door.device)
    code = staying(door)
    settle(door.device)
    go_wrong(door, fault)
    pull_backup(code)
    struggle(door)
    come_to_rest(door)
    assert lies(door) == [] and unsettled(door) == []
    assert opens_with(code) in door.digits()
    assert len(ready(door.device)) >= 3
    assert {spare.pin.secret.reveal() for spare in ready(door.device)} <= door.digits()


def test_read_in_full(door: Door, fault: str) -> None:
    owner = add_code(device=door.device, name="Owner", kind="ongoing")
    settle(door.device)
    go_wrong(door, fault)
    Device.objects.filter(pk=door.device.pk).update(read_wanted=True)
    struggle(door)
    come_to_rest(door)
    assert lies(door) == [] and unsettled(door) == []
    assert own(owner).secret.reveal() in door.digits() or owner_was_told(owner)


def owner_was_told(owner: AccessCode) -> bool:
    """Nothing stands in for an ongoing code: a refusal for good is said to the manager."""
    owner.refresh_from_db()
    return owner.failed_at is not None
