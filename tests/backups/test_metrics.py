"""How many pools are in which state."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backups.metrics import measure
from backups.models import BackupPool
from backups.status import pool_of
from devices.models import Device
from tests import engine, factories

pytestmark = pytest.mark.django_db


def states() -> dict[str, float]:
    (family,) = measure()
    return {one.labels["state"]: one.value for one in family.samples}


def test_each_pool_is_in_one_state_and_it_is_the_pages(place, hub, device: Device) -> None:
    devices = [device, *(factories.DeviceFactory(property=place, hub=hub) for _ in range(3))]
    full, low, exhausted, young = devices
    for one in (full, low, exhausted):
        engine.fill_pool(one)
    low.backup_pool.codes.first().pin.__class__.objects.filter(backup_code__in=low.backup_pool.codes.all()[:2]).update(
        status="gone"
    )
    exhausted.pins.update(status="gone")
    BackupPool.objects.filter(device=exhausted).update(exhausted_since=timezone.now())
    BackupPool.objects.create(device=young, activated_at=timezone.now())
    assert states() == {"ready": 1, "low": 1, "exhausted": 1, "setting_up": 1}
    shown = [pool_of(Device.objects.select_related("backup_pool").get(pk=one.pk)).state for one in devices]
    assert shown == ["ready", "low", "exhausted", "setting_up"]


def test_a_pool_that_takes_too_long_is_low(device: Device) -> None:
    BackupPool.objects.create(device=device, activated_at=timezone.now() - timedelta(minutes=11))
    assert states()["low"] == 1


def test_a_removed_locks_pool_does_not_count(device: Device) -> None:
    engine.fill_pool(device)
    Device.objects.update(removal=Device.Removal.REMOVED)
    assert set(states().values()) == {0}


def test_the_queries_do_not_grow_with_the_pools(device: Device, place, hub) -> None:
    asked = []
    for one in (device, factories.DeviceFactory(property=place, hub=hub)):
        engine.fill_pool(one)
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            states()
        asked.append(len(queries))
    assert asked[0] == asked[1]
