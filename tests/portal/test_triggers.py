"""Facts that the database keeps by itself: the sweep and the warnings find by them what is rare."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from backups.models import BackupCode, BackupPool
from codes.models import AccessCode, CodePin
from devices.models import Device
from tests import factories

KEPT = {
    "backups_pool_complete_by_code",
    "backups_pool_complete_by_size",
    "backups_device_has_pool",
    "codes_accesscode_given_another",
}


@pytest.mark.django_db
def test_all_are_there() -> None:
    """On SQLite a migration that makes a table anew drops its triggers: then repeat `Trigger` in it."""
    statement = {
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
        "sqlite": "SELECT substr(name, 1, length(name) - 2) FROM sqlite_master WHERE type = 'trigger'",
    }
    with connection.cursor() as cursor:
        cursor.execute(statement[connection.vendor])
        assert {name for (name,) in cursor.fetchall()} >= KEPT


def complete(pool: BackupPool) -> Any:
    return BackupPool.objects.values_list("complete", flat=True).get(pk=pool.pk)


@pytest.mark.django_db
def test_a_pool_is_complete_while_no_spare_is_missing(device: Device) -> None:
    pool = factories.BackupPoolFactory(device=device, size=2)
    assert complete(pool) is None
    first, second = factories.BackupCodeFactory.create_batch(2, pool=pool)
    assert complete(pool) is True
    BackupCode.objects.filter(pk=first.pk).update(drawn_at=timezone.now())
    assert complete(pool) is None
    factories.BackupCodeFactory(pool=pool)
    assert complete(pool) is True
    BackupCode.objects.filter(pk=second.pk).update(retired_at=timezone.now())
    assert complete(pool) is None
    BackupPool.objects.filter(pk=pool.pk).update(size=1)
    assert complete(pool) is True


@pytest.mark.django_db
def test_another_pool_is_none_of_its_business(device: Device) -> None:
    other = factories.BackupPoolFactory(size=1)
    factories.BackupCodeFactory(pool__device=device, pool__size=1)
    assert complete(other) is None


@pytest.mark.django_db
def test_a_lock_has_a_pool_once_there_is_one(device: Device) -> None:
    beside = factories.DeviceFactory()
    factories.BackupPoolFactory(device=device)
    assert dict(Device.objects.values_list("pk", "has_pool")) == {device.pk: True, beside.pk: None}


@pytest.mark.django_db
def test_a_code_was_given_another_pin_with_its_second(device: Device) -> None:
    given = factories.CodePinFactory(code__device=device)
    beside = factories.CodePinFactory(code__device=device, code__starts_at=timezone.now() + timedelta(days=9))
    codes = AccessCode.objects.filter(another_pin=True)
    assert not codes.exists()
    factories.CodePinFactory(code=given.code, role=CodePin.Role.BACKUP)
    assert codes.get() == given.code != beside.code
