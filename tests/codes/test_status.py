"""A code's status in the agreed words, from rows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils.html import strip_tags

from codes.lock_pins import lock_pins
from codes.models import AccessCode
from codes.status import Status, code_status, spare_status
from devices.models import Device, Hub, Pin, Property
from tests import factories, scene

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def status_of(code: AccessCode) -> Status:
    device = Device.objects.select_related("property", "hub").get(pk=code.device_id)
    found = next(one for one in lock_pins(device).codes if one.pk == code.pk)
    return code_status(found, list(found.code_pins.all()), device)


def words(status: Status) -> str:
    return strip_tags(str(status.words))


def test_scheduled_until_it_is_programmed(device: Device) -> None:
    code = scene.guest(device, "Eve", hours=100, program_at=NOW + timedelta(hours=28))
    assert words(status_of(code)) == "Scheduled"


def test_setting_at_first(device: Device) -> None:
    status = status_of(scene.guest(device, "Eve", status=Pin.Status.WRITING))
    assert (words(status), status.tone, status.pending) == ("Setting", "wait", True)


def test_setting_again_names_try_and_time(device: Device) -> None:
    code = scene.guest(
        device,
        "Eve",
        trouble=Pin.Trouble.NO_ANSWER,
        attempts=1,
        next_attempt_at=NOW + timedelta(minutes=40),
        give_up_at=NOW + timedelta(hours=9),
    )
    status = status_of(code)
    assert (words(status), status.attention) == ("Setting (try 2, next 14:40)", False)


def test_an_offline_lock_is_retried_as_a_whole(device: Device) -> None:
    code = scene.guest(device, "Eve", hours=40, give_up_at=NOW + timedelta(hours=4))
    Device.objects.filter(pk=device.pk).update(
        online=Device.Online.NO, failures=3, next_sync_at=NOW + timedelta(minutes=5)
    )
    assert words(status_of(code)) == "Setting (try 4, next 14:05)"


def test_near_the_give_up_moment_it_says_when_a_backup_is_pulled(device: Device) -> None:
    code = scene.guest(device, "Eve", trouble=Pin.Trouble.NO_ANSWER, attempts=2, give_up_at=NOW + timedelta(minutes=30))
    status = status_of(code)
    assert words(status) == "Not on lock yet (backup pulled at 14:30 if this continues)"
    assert (status.tone, status.attention) == ("warn", True)


def test_without_a_pool_no_backup_is_promised(place: Property, hub: Hub) -> None:
    device = factories.DeviceFactory(property=place, hub=hub, caps=factories.UNREADABLE)
    code = scene.guest(device, "Eve", trouble=Pin.Trouble.NO_ANSWER, attempts=2, give_up_at=NOW)
    status = status_of(code)
    assert words(status) == "Not on lock yet"
    assert "no backup codes" in status.note


def test_set_is_said_only_when_the_window_on_the_lock_covers_the_stay(device: Device) -> None:
    code = scene.guest(device, "Eve", status=Pin.Status.SET)
    assert words(status_of(code)) == "Set on lock"
    Pin.objects.update(seen_until=code.starts_at)
    assert words(status_of(code)) == "Setting"


def test_sent_on_a_lock_that_cannot_confirm(device: Device) -> None:
    assert words(status_of(scene.guest(device, "Eve", status=Pin.Status.SENT))) == "Sent (this lock cannot confirm)"


def test_unknown_is_being_checked(device: Device) -> None:
    assert words(status_of(scene.guest(device, "Eve", status=Pin.Status.UNKNOWN))) == "Checking"


def test_covered_is_blue_and_needs_nobody(device: Device) -> None:
    pool = factories.BackupPoolFactory(device=device)
    status = status_of(scene.covered(device, pool, "Ben Okafor"))
    backup = pool.codes.get()
    assert words(status) == f"Covered by backup {backup.code_id}"
    assert (status.tone, status.attention) == ("info", False)


def test_uncovered_is_red(device: Device) -> None:
    code = scene.guest(device, "Eve", trouble=Pin.Trouble.OFFLINE)
    AccessCode.objects.update(uncovered_since=NOW)
    status = status_of(code)
    assert (words(status), status.tone, status.attention) == ("No backup available", "bad", True)


def test_a_failed_ongoing_code_says_that_backups_do_not_cover_it(device: Device) -> None:
    code = scene.ongoing(device, "Housekeeping", status=Pin.Status.REFUSED)
    AccessCode.objects.update(failed_at=NOW)
    status = status_of(code)
    assert (words(status), status.tone) == ("Failed", "bad")
    assert status.note == "Backup codes do not cover ongoing codes. Try again or change the PIN."


def test_leaving_is_removing_then_overdue_then_removed(device: Device) -> None:
    code = scene.guest(device, "Eve", status=Pin.Status.REMOVING, wanted=Pin.Wanted.ABSENT)
    AccessCode.objects.update(ended_at=NOW - timedelta(minutes=1))
    assert words(status_of(code)) == "Removing"
    AccessCode.objects.update(ended_at=NOW - timedelta(minutes=3))
    status = status_of(code)
    assert (words(status), status.attention) == ("Removal overdue (may still open the door)", True)
    Pin.objects.update(status=Pin.Status.REMOVED)
    assert words(status_of(code)) == "Removed"


def test_a_spare_is_ready_with_its_last_confirmation(device: Device) -> None:
    spare = factories.BackupCodeFactory(
        pool__device=device, pin__confirmed_at=datetime(2026, 11, 23, 12, 4, tzinfo=UTC)
    )
    status = spare_status(spare, device)
    assert (words(status), status.tone) == ("Ready (confirmed 12:04)", "ok")


@pytest.mark.parametrize(
    ("status", "expected"),
    [(Pin.Status.WRITING, "Setting"), (Pin.Status.UNKNOWN, "Checking"), (Pin.Status.REMOVING, "Removing")],
)
def test_a_spare_on_its_way(device: Device, status: str, expected: str) -> None:
    leaving = {"retired_at": NOW, "pin__wanted": Pin.Wanted.ABSENT} if status == Pin.Status.REMOVING else {}
    spare = factories.BackupCodeFactory(pool__device=device, pin__status=status, **leaving)
    assert words(spare_status(spare, device)) == expected
