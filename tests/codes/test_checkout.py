"""At checkout every PIN a code was ever given leaves the lock."""

from datetime import timedelta

import pytest
from django.utils import timezone

from codes import tick as pulse
from codes.models import AccessCode, CodePin
from codes.services import change_code, pull_backup, reveal
from codes.tick import end_stays, tick
from devices.models import Device, Event, Hub, Pin, Property
from tests import engine, factories
from tests.engine import fault, fill_pool, guest, later, opens, own, ready, settle, truth


@pytest.mark.parametrize("caps", [factories.MODERN, factories.PLAIN, factories.CLOUD], ids=["native", "plain", "cloud"])
def test_a_backup_stops_working_at_checkout_by_itself(place: Property, hub: Hub, caps, alice) -> None:
    device = factories.DeviceFactory(property=place, hub=hub, caps=caps)
    fill_pool(device)
    code = guest(device, starts=timedelta(hours=-1), ends_at=timezone.now() + timedelta(hours=2))
    settle(device)
    reveal(code, actor=alice)
    pull_backup(code)
    settle(device, turns=20)
    given = {pin.secret.reveal() for pin in Pin.objects.filter(code_pin__code=code)}
    assert len(given) == 2
    with later(hours=2, seconds=1):
        settle(device, turns=20)
        assert not given & set(truth(device).values())
        assert {pin.status for pin in Pin.objects.filter(code_pin__code=code)} == {Pin.Status.REMOVED}
        assert len(ready(device)) == 5
    code.refresh_from_db()
    assert code.ended_at is not None


def test_an_offline_lock_may_still_open_and_says_so_until_it_answers(device: Device) -> None:
    code = guest(device, starts=timedelta(hours=-1), ends_at=timezone.now() + timedelta(hours=2))
    settle(device)
    fault(device, "unreachable")
    with later(hours=5):
        settle(device)
        assert own(code).maybe_on_lock and own(code).wanted_until < timezone.now()
    fault(device)
    with later(hours=6):
        settle(device)
        assert own(code).status == Pin.Status.REMOVED


def test_a_pin_never_set_is_withdrawn(device: Device) -> None:
    fault(device, "unreachable")
    code = guest(device, starts=timedelta(hours=-1), ends_at=timezone.now() + timedelta(hours=2))
    settle(device)
    with later(hours=3):
        settle(device)
    fault(device)
    with later(hours=4):
        settle(device)
    assert own(code).status == Pin.Status.WITHDRAWN


def test_a_stay_extended_at_the_last_moment_is_not_ended(device: Device, monkeypatch) -> None:
    """The tick looked, the manager extended, the tick goes on."""
    real = pulse._by_itself

    def after_the_manager(code: AccessCode, work) -> None:
        AccessCode.objects.filter(pk=code.pk).update(ends_at=timezone.now() + timedelta(days=1))
        real(code, work)

    monkeypatch.setattr(pulse, "_by_itself", after_the_manager)
    code = guest(device, starts=timedelta(hours=-1), ends_at=timezone.now() + timedelta(hours=2))
    settle(device)
    with later(hours=2, seconds=1):
        end_stays(timezone.now())
    code.refresh_from_db()
    assert code.ended_at is None


def test_every_page_sees_the_end_at_once_though_the_lock_is_slow(device: Device) -> None:
    code = guest(device, starts=timedelta(hours=-1), ends_at=timezone.now() + timedelta(hours=2))
    settle(device)
    fault(device, "mute")
    with later(hours=2, seconds=1):
        tick()
        assert engine.shown(code) is None


def test_the_end_is_written_down_once_for_the_pin_that_worked(device: Device) -> None:
    code = guest(device, starts=timedelta(hours=-1), ends_at=timezone.now() + timedelta(hours=2))
    settle(device)
    with later(hours=3):
        settle(device)
        settle(device)
    assert Event.objects.filter(type=Event.Type.CODE_REMOVED, subject=code.pk).count() == 1
    assert CodePin.objects.get(code=code).ended_at is not None


def test_extended_after_it_ended_it_opens_again(device: Device) -> None:
    code = guest(device, starts=timedelta(hours=-1), ends_at=timezone.now() + timedelta(hours=2))
    settle(device)
    with later(hours=3):
        settle(device)
        change_code(code, name=code.name, starts_at=code.starts_at, ends_at=code.ends_at + timedelta(days=1))
        settle(device)
        assert opens(device, code)
