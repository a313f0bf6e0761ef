"""Once a minute the PINs themselves are looked at: no lost task and no lost moment stays lost."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from backups.models import BackupCode
from codes.models import AccessCode
from codes.services import add_code, cancel_code, pull_backup
from codes.tick import sweep, tick
from devices.models import Device, Hub, Pin, Property
from tests import factories
from tests.engine import backup, fault, fill_pool, guest, later, opens, own, ready, refills, settle, truth


def forget_everything() -> None:
    """All queued tasks and all due moments are lost."""
    OrmQ.objects.all().delete()
    Device.objects.update(next_sync_at=timezone.now() + timedelta(days=365), queued_until=None)


def test_losing_every_queued_task_loses_nothing(device: Device) -> None:
    code = guest(device)
    OrmQ.objects.all().delete()
    with later(seconds=31):  # the mark of the lost one is over
        settle(device)
    assert own(code).status == Pin.Status.SET


def test_losing_due_moments_as_well_loses_nothing(device: Device) -> None:
    fill_pool(device)
    code = guest(device)
    forget_everything()
    sweep()
    settle(device)
    assert own(code).status == Pin.Status.SET


@pytest.mark.parametrize("moment", [timezone.now() - timedelta(days=1), None])
def test_a_lock_that_was_never_due_is_due(device: Device, moment) -> None:
    Device.objects.update(next_sync_at=None)
    sweep()
    device.refresh_from_db()
    assert device.next_sync_at is not None


def test_a_forgotten_removal_is_found(device: Device) -> None:
    code = guest(device)
    settle(device)
    cancel_code(code)
    forget_everything()
    sweep()
    settle(device)
    assert own(code).status == Pin.Status.REMOVED


def test_a_forgotten_checkout_is_found(device: Device) -> None:
    code = guest(device, starts=timedelta(hours=-1), ends_at=timezone.now() + timedelta(hours=1))
    settle(device)
    with later(hours=2):
        forget_everything()
        sweep()
        settle(device)
        assert own(code).status == Pin.Status.REMOVED


def test_a_window_that_was_never_extended_is_found(device: Device) -> None:
    code = guest(device, starts=timedelta(hours=-1))
    settle(device)
    Pin.objects.filter(pk=own(code).pk).update(wanted_until=code.ends_at + timedelta(days=1))
    forget_everything()
    sweep()
    settle(device)
    assert own(code).seen_until == code.ends_at + timedelta(days=1)


def test_a_spare_never_asked_for_is_asked_for(device: Device) -> None:
    fill_pool(device)
    code = guest(device)
    pull_backup(code)
    forget_everything()
    sweep()
    refills()
    assert BackupCode.objects.spare().count() == 5


def test_a_pool_never_activated_is_activated(device: Device) -> None:
    sweep()
    refills()
    settle(device)
    assert len(ready(device)) == 5


def test_locks_without_support_get_none(place: Property, hub: Hub) -> None:
    factories.DeviceFactory(property=place, hub=hub, caps=factories.UNREADABLE)
    sweep()
    assert not OrmQ.objects.exists()


def test_an_uncovered_guest_gets_a_spare_that_became_ready_unnoticed(device: Device) -> None:
    fill_pool(device)
    code = guest(device)
    AccessCode.objects.filter(pk=code.pk).update(uncovered_since=timezone.now())
    sweep()
    assert backup(code) is not None


def test_what_rests_is_left_to_rest(device: Device) -> None:
    fill_pool(device)
    fault(device, "ignore_set")
    guest(device)
    settle(device)
    device.refresh_from_db()
    due = device.next_sync_at
    assert due > timezone.now()
    sweep()
    device.refresh_from_db()
    assert device.next_sync_at == due


def test_silent_locks_keep_their_back_off(device: Device) -> None:
    fault(device, "unreachable")
    add_code(device=device, name="Owner", kind="ongoing")
    for _ in range(6):
        settle(device)
        with later(hours=1):
            settle(device)
    device.refresh_from_db()
    due = device.next_sync_at
    sweep()
    device.refresh_from_db()
    assert device.next_sync_at == due


def test_it_keeps_the_queue_short(place: Property, hub: Hub) -> None:
    factories.DeviceFactory.create_batch(20, property=place, hub=hub)
    sweep()
    assert OrmQ.objects.count() <= 4


def test_it_covers_nobody_twice(device: Device) -> None:
    fill_pool(device)
    fault(device, "unreachable")
    code = guest(device)
    with later(minutes=3):
        for _ in range(3):
            tick()
            sweep()
    assert BackupCode.objects.filter(drawn_at__isnull=False).count() == 1
    assert opens(device, code)
    assert len(truth(device)) == 5
