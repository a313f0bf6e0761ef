"""A pool's state in the article's words, from rows."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from backups.models import BackupPool
from backups.status import PoolStatus, State, pool_of, pools_of, warning_count
from devices.models import Device, Hub, Pin, Property
from portal.models import User, Workspace
from tests import factories, scene

NOW = datetime(2026, 11, 23, 14, 40, tzinfo=UTC)
AGO = NOW - timedelta(days=30)


@pytest.fixture(autouse=True)
def stopped_clock() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def with_spares(device: Device, ready: int, **pool: object) -> PoolStatus:
    factories.BackupCodeFactory.create_batch(ready, pool=factories.BackupPoolFactory(device=device, **pool))
    return of(device)


def of(device: Device) -> PoolStatus:
    """The same from one lock's page and from the list."""
    fresh = Device.objects.select_related("property", "hub", "backup_pool").get(pk=device.pk)
    one, many = pool_of(fresh), pools_of([fresh])[fresh.pk]
    assert (one.state, one.ready, one.sentence, one.tone) == (many.state, many.ready, many.sentence, many.tone)
    return one


def words(status: PoolStatus) -> str:
    return strip_tags(str(status.sentence))


def test_a_full_pool_is_ready(device: Device) -> None:
    status = with_spares(device, 5)
    assert (status.state, words(status), status.tone) == (State.READY, "5 of 5 ready.", "ok")
    assert not status.pending


def test_a_smaller_pool_is_full_at_its_size(device: Device) -> None:
    assert words(with_spares(device, 2, size=2)) == "2 of 2 ready."


def test_a_young_pool_is_setting_up_never_exhausted(device: Device) -> None:
    for ready in (0, 2):
        BackupPool.objects.filter(device=device).exists() or factories.BackupPoolFactory(
            device=device, activated_at=NOW - timedelta(minutes=9), filled_at=None
        )
        factories.BackupCodeFactory.create_batch(ready, pool=device.backup_pool)
        status = of(device)
        assert (status.state, words(status)) == (State.SETTING_UP, f"Setting up: {ready} of 5 ready.")
        assert status.pending and not status.warns


def test_ten_minutes_without_a_spare_is_exhausted(device: Device) -> None:
    status = with_spares(device, 0, activated_at=NOW - timedelta(minutes=11), filled_at=None)
    assert status.state == State.EXHAUSTED


def test_low_and_refilling_is_neutral(device: Device) -> None:
    status = with_spares(device, 3)
    assert (words(status), status.tone, status.pending) == ("3 of 5 ready. Setting 2 more.", "info", True)


def test_low_and_offline_waits_for_the_lock(device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(online=Device.Online.NO)
    status = with_spares(device, 3)
    assert (words(status), status.tone) == ("3 of 5 ready. Refills when the lock reconnects.", "warn")


def test_low_on_a_full_lock_says_how_full(device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(unmanaged=list(range(27)))
    assert words(with_spares(device, 3)) == "3 of 5 ready. Lock full: 30 of 30 spaces used."


def test_low_while_the_makers_system_fails_names_the_next_try(device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(
        trouble=Pin.Trouble.PROVIDER, trouble_count=4, next_sync_at=NOW + timedelta(minutes=5)
    )
    assert words(with_spares(device, 3)) == "3 of 5 ready. The lock maker’s system has errors; next try 14:45."


def test_none_ready_is_exhausted_since(device: Device) -> None:
    status = with_spares(device, 0, exhausted_since=NOW - timedelta(minutes=8))
    assert (words(status), status.tone) == ("0 of 5 ready. Exhausted since 14:32.", "bad")
    assert status.warns


def test_a_lock_without_support_says_so(place: Property, hub: Hub) -> None:
    device = factories.DeviceFactory(property=place, hub=hub, caps=factories.UNREADABLE)
    assert words(of(device)) == "This lock does not support backup codes. We warn you if a guest’s code fails."


def test_a_lock_that_was_not_asked_yet_is_being_checked(device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(capabilities=None)
    assert words(of(device)) == "Checking whether this lock supports backup codes."


def test_a_spare_in_use_is_not_among_the_ready(device: Device) -> None:
    pool = factories.BackupPoolFactory(device=device)
    scene.covered(device, pool, "Ben Okafor")
    factories.BackupCodeFactory.create_batch(4, pool=pool)
    assert of(device).ready == 4


def test_two_pulls_within_a_week_warn_and_older_ones_do_not(device: Device) -> None:
    pool = factories.BackupPoolFactory(device=device)
    factories.BackupCodeFactory.create_batch(5, pool=pool)
    drawn = factories.BackupCodeFactory.create_batch(2, pool=pool, drawn_at=NOW - timedelta(days=6))
    assert of(device).warns
    drawn[0].drawn_at = NOW - timedelta(days=8)
    drawn[0].save(update_fields=["drawn_at"])
    assert not of(device).warns


def test_one_locks_pool_takes_one_query(device: Device) -> None:
    scene.lively(device)
    fresh = Device.objects.select_related("property", "hub", "backup_pool").get(pk=device.pk)
    with CaptureQueriesContext(connection) as queries:
        pool_of(fresh)
    assert len(queries) == 1


def test_the_count_in_the_navigation_leaves_out_what_somebody_is_on(
    workspace: Workspace, alice: User, device: Device
) -> None:
    pool = scene.exhausted(device)
    factories.BackupPoolFactory()  # elsewhere
    assert warning_count(workspace) == 1
    BackupPool.objects.filter(pk=pool.pk).update(acknowledged_at=NOW, acknowledged_by=alice)
    assert warning_count(workspace) == 0


def test_a_hubs_outage_counts_once(workspace: Workspace, place: Property, hub: Hub) -> None:
    for device in factories.DeviceFactory.create_batch(4, property=place, hub=hub):
        factories.BackupPoolFactory(device=device)
    assert warning_count(workspace) == 4
    Hub.objects.filter(pk=hub.pk).update(down_since=NOW)
    assert warning_count(workspace) == 1
