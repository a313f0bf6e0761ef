"""What a warning says: what happened, whom it affects, the cause as measured, what to do."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils.html import strip_tags

from backups.status import pool_of
from backups.warnings import Warning, warning_of
from devices.models import Device, Hub, Pin
from tests import factories, scene

NOW = datetime(2026, 11, 23, 14, 40, tzinfo=UTC)


@pytest.fixture(autouse=True)
def stopped_clock() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def warning(device: Device, **changes: object) -> Warning:
    Device.objects.filter(pk=device.pk).update(**changes)
    fresh = Device.objects.select_related("property", "hub", "backup_pool__acknowledged_by").get(pk=device.pk)
    found = warning_of(fresh, pool_of(fresh))
    assert found is not None
    return found


def cause(found: Warning) -> str:
    return strip_tags(str(found.cause))


def test_a_healthy_pool_warns_of_nothing(device: Device) -> None:
    factories.BackupCodeFactory.create_batch(5, pool=factories.BackupPoolFactory(device=device))
    fresh = Device.objects.select_related("property", "hub", "backup_pool").get(pk=device.pk)
    assert warning_of(fresh, pool_of(fresh)) is None


def test_offline_since(device: Device) -> None:
    scene.lively(device)
    since = NOW - timedelta(hours=5, minutes=28)
    assert cause(warning(device, online=Device.Online.NO, online_since=since)) == "offline since 09:12"


def test_all_spaces_used(device: Device) -> None:
    scene.lively(device)
    found = warning(device, unmanaged=list(range(30)))
    assert cause(found) == "30 of 30 spaces used"
    assert "Remove codes you no longer need" in found.remedy


def test_errors_of_the_lock_makers_system(device: Device) -> None:
    scene.lively(device)
    found = warning(device, trouble=Pin.Trouble.PROVIDER, trouble_count=4)
    assert cause(found) == "4 errors of the lock maker’s system in a row"


def test_a_hub_that_is_down(device: Device) -> None:
    scene.lively(device)
    Hub.objects.update(down_since=NOW - timedelta(hours=1))
    assert cause(warning(device)) == "the hub “Simulated locks” has not answered since 13:40"


def test_what_the_lock_said_to_the_codes_that_failed(device: Device) -> None:
    scene.lively(device)
    assert cause(warning(device)) == "the lock refused the PIN"


def test_only_guests_who_still_use_a_backup_are_named(device: Device) -> None:
    scene.lively(device)
    device.access_codes.filter(name="Ana Ruiz").update(ended_at=NOW)
    assert warning(device).affects == "Ben Okafor is covered."


def test_an_exhausted_pool_says_more_than_pulls_and_both_make_one_warning(device: Device) -> None:
    pool = scene.lively(device)
    pool.codes.spare().update(retired_at=NOW)
    found = warning(device)
    assert found.title == "Backup pool exhausted"
    assert found.what.endswith("until the pool refills. 2 backup codes pulled in the last 7 days.")
    assert found.tone == "bad"
