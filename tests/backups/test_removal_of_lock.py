"""Removing a lock: its codes leave it first, or it is said which ones could not."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from backups.models import BackupCode
from codes.services import add_code, change_code, pull_backup
from devices.lease import take
from devices.models import Device, Event, Pin
from devices.providers.base import LockInfo
from devices.services import add_lock, mark_removed, remove_lock
from tests import engine
from tests.engine import fault, fill_pool, guest, held_before, later, own, ready, settle, truth


def lived_in(device: Device):
    fill_pool(device)
    code = guest(device, starts=timedelta(hours=-1))
    pull_backup(code)
    settle(device)
    return code


def revive(device: Device) -> Device:
    info = LockInfo(device.lock_ref, device.name, device.make, device.model, device.caps)
    return add_lock(hub=device.hub, property=device.property, info=info)


def test_everything_of_ours_leaves_and_then_it_is_removed(device: Device, alice) -> None:
    code = lived_in(device)
    engine.put_behind_our_back(device, "30", "4837")
    remove_lock(device, actor=alice)
    settle(device)
    device.refresh_from_db()
    assert device.removal == Device.Removal.REMOVED and device.removed_at is not None
    assert truth(device) == {"30": "4837"}
    code.refresh_from_db()
    assert code.ended_at is not None
    kinds = [Event.Type.DEVICE_REMOVING, Event.Type.DEVICE_REMOVED]
    assert [event.type for event in Event.objects.filter(type__in=kinds).order_by("at")] == kinds
    assert take(device.pk) is None


def test_it_takes_no_new_codes_and_no_changes(device: Device) -> None:
    code = lived_in(device)
    remove_lock(device)
    with pytest.raises(ValidationError):
        add_code(device=device, name="Owner", kind="ongoing")
    with pytest.raises(ValidationError):
        change_code(code, name="x", starts_at=code.starts_at, ends_at=code.ends_at)


def test_twice_is_once(device: Device) -> None:
    remove_lock(device)
    remove_lock(device)
    assert Event.objects.filter(type=Event.Type.DEVICE_REMOVING).count() == 1


def test_a_lock_that_does_not_answer_stays_removing_and_is_retried(device: Device) -> None:
    lived_in(device)
    fault(device, "unreachable")
    remove_lock(device)
    settle(device)
    device.refresh_from_db()
    assert device.removal == Device.Removal.REMOVING
    fault(device)
    with later(hours=1):
        settle(device)
        device.refresh_from_db()
        assert device.removal == Device.Removal.REMOVED and truth(device) == {}


def test_a_forced_end_says_what_may_still_open_the_door(device: Device, alice) -> None:
    lived_in(device)
    fault(device, "unreachable")
    remove_lock(device)
    settle(device)
    left = mark_removed(device, actor=alice)
    assert {pin.secret.reveal() for pin in left} == set(truth(device).values())
    event = Event.objects.get(type=Event.Type.DEVICE_REMOVED)
    assert set(event.data["left"]) == {pin.label for pin in left}
    with pytest.raises(ValidationError):
        mark_removed(device)


def test_it_is_not_forced_before_it_was_asked(device: Device) -> None:
    with pytest.raises(ValidationError, match="first"):
        mark_removed(device)


def test_the_same_lock_added_again_comes_back_with_a_pool_of_new_spares(device: Device) -> None:
    lived_in(device)
    former = {pin.secret.reveal() for pin in Pin.objects.all()}
    remove_lock(device)
    settle(device)
    again = revive(device)
    assert again.pk == device.pk
    settle(device)
    assert len(ready(device)) == 5
    assert not former & set(truth(device).values())


def test_added_again_after_a_forced_end_it_is_rid_of_what_was_left(device: Device) -> None:
    lived_in(device)
    former = set(truth(device).values())
    fault(device, "unreachable")
    remove_lock(device)
    settle(device)
    mark_removed(device)
    fault(device)
    revive(device)
    with later(minutes=5):
        settle(device, turns=20)
        assert not former & set(truth(device).values())
        assert len(ready(device)) == 5


def test_added_again_while_its_last_turn_runs_it_stays(device: Device) -> None:
    """The turn knows it as being removed; by the time it ends, somebody wants it again."""
    code = lived_in(device)
    remove_lock(device)
    Pin.objects.exclude(pk=own(code).pk).update(status=Pin.Status.REMOVED)
    Pin.objects.filter(pk=own(code).pk).update(status=Pin.Status.REMOVING, slot=20, next_attempt_at=None)
    held = held_before(device, "read")
    revive(device)
    held.finish()
    device.refresh_from_db()
    assert device.removal == Device.Removal.KEPT


def test_spares_of_a_removed_lock_are_drawn_by_nobody(device: Device) -> None:
    fill_pool(device)
    remove_lock(device)
    assert list(BackupCode.objects.ready()) == []
