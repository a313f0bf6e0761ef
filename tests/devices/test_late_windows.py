"""A write that went unanswered lands after a later one for the same PIN: the lock then opens for the older window."""

from datetime import timedelta

from django.utils import timezone

from codes.models import AccessCode
from codes.services import change_code
from devices.models import Device, Pin, SimulatedLock
from devices.providers.simulator import contents
from tests.engine import fault, guest, later, own, settle


def window_of(device: Device, pin: Pin) -> object:
    lock = SimulatedLock.objects.get(hub=device.hub_id, lock_ref=device.lock_ref)
    return next(one.window for one in contents(lock) if one.pin == pin.secret)


def test_the_lock_is_looked_at_again_once_it_can_have_landed(device: Device) -> None:
    fault(device, "late", late_ms=15_000)
    code = guest(device, starts=timedelta(minutes=5), ends_at=timezone.now() + timedelta(hours=5))
    settle(device)
    assert own(code).status == Pin.Status.UNKNOWN
    fault(device)
    change_code(code, name=code.name, starts_at=code.starts_at, ends_at=timezone.now() + timedelta(hours=30))
    settle(device)
    assert own(code).status == Pin.Status.SET
    wanted = AccessCode.objects.get().ends_at
    assert window_of(device, own(code)).ends_at == wanted  # type: ignore[attr-defined]
    with later(seconds=16):
        assert window_of(device, own(code)).ends_at < wanted  # type: ignore[attr-defined]
        settle(device)
    with later(seconds=60):
        settle(device)
        assert window_of(device, own(code)).ends_at == wanted  # type: ignore[attr-defined]
        assert own(code).unknown_at is None
