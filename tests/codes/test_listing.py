"""The order of a lock's list, its filters, and which PIN a row would show."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backups.status import pool_of
from codes.cover import door_pin
from codes.listing import CodeList, Row, code_list
from codes.lock_pins import lock_pins
from codes.models import AccessCode
from devices.models import Device, Pin
from tests import factories, scene


def listed(device: Device, **wanted: str) -> CodeList:
    fresh = Device.objects.select_related("property", "hub", "backup_pool").get(pk=device.pk)
    return code_list(fresh, lock_pins(fresh), **wanted)


def names(rows: list[Row]) -> list[str]:
    return ["Backup" if row.kind == "backup" else row.name for row in rows]


def test_attention_then_guests_by_check_in_with_their_backup_then_ongoing_then_backups(device: Device) -> None:
    scene.lively(device)
    assert names(listed(device).rows) == [
        "Dmitri Wolkow-Hohenstein",
        "Amelia Hart",
        "Ben Okafor",
        "Backup",
        "Ana Ruiz",
        "Backup",
        "Chloé Martin",
        "Eve Later",
        "Housekeeping",
        "Backup",
        "Backup",
        "Backup",
    ]


def test_a_guest_without_a_code_goes_before_an_overdue_removal(device: Device) -> None:
    scene.exhausted(device)
    assert names(listed(device).rows) == ["Chloé Martin", "Felix Past", "Ben Okafor", "Backup"]


def test_cover_is_named_both_ways(device: Device) -> None:
    pool = scene.lively(device)
    rows = {row.key: row for row in listed(device).rows}
    ben = next(row for row in rows.values() if row.name == "Ben Okafor")
    assert ben.cover == f"Guest uses {rows[ben.cover_key].name}"
    assert rows[ben.cover_key].cover == "Covers Ben Okafor"
    assert pool.codes.filter(code_id=ben.cover[-4:]).exists()


def test_a_row_shows_the_pin_that_works_never_the_failed_one(device: Device) -> None:
    scene.lively(device)
    for row in listed(device).rows:
        if row.code_id:
            pin = door_pin(AccessCode.objects.get(pk=row.code_id))
            assert row.pin_id == (pin.pk if pin else None)
    ben = next(row for row in listed(device).rows if row.name == "Ben Okafor")
    assert Pin.objects.get(pk=ben.pin_id).backup_code


def test_backups_carry_no_pin_to_show(device: Device) -> None:
    scene.lively(device)
    assert {row.pin_id for row in listed(device).rows if row.kind == "backup"} == {None}


def test_health_counts_codes_that_need_attention(device: Device) -> None:
    assert listed(device).health == "All codes OK"
    scene.exhausted(device)
    assert listed(device).health == "2 codes need attention"


def test_filters(device: Device) -> None:
    scene.lively(device)
    assert names(listed(device, show="ongoing").rows) == ["Housekeeping"]
    assert set(names(listed(device, show="backup").rows)) == {"Backup"}
    assert names(listed(device, show="attention").rows) == ["Dmitri Wolkow-Hohenstein"]
    assert names(listed(device, words="oka").rows) == ["Ben Okafor", "Backup"]
    assert names(listed(device, words="RES-20430").rows) == ["Chloé Martin"]
    assert len(listed(device, show="nonsense").rows) == 12


def test_a_filter_changes_neither_total_nor_health(device: Device) -> None:
    scene.lively(device)
    found = listed(device, words="nobody")
    assert (found.rows, found.total, found.troubled, found.filtered) == ([], 12, 1, True)


def test_a_code_that_is_over_stays_a_day_once_it_is_off_the_lock(device: Device) -> None:
    code = scene.guest(device, "Felix Past", status=Pin.Status.REMOVED)
    AccessCode.objects.filter(pk=code.pk).update(ended_at=timezone.now() - timedelta(hours=23))
    assert names(listed(device).rows) == ["Felix Past"]
    AccessCode.objects.filter(pk=code.pk).update(ended_at=timezone.now() - timedelta(hours=25))
    assert listed(device).rows == []


def test_spares_that_are_still_to_come_are_not_in_the_list(device: Device) -> None:
    factories.BackupCodeFactory(pool__device=device, pin__status=Pin.Status.PLANNED)
    assert listed(device).rows == []


def test_it_takes_one_query(device: Device) -> None:
    scene.lively(device)
    fresh = Device.objects.select_related("property", "hub", "backup_pool").get(pk=device.pk)
    with CaptureQueriesContext(connection) as queries:
        pins = lock_pins(fresh)
        pool_of(fresh, pins.backups)
        code_list(fresh, pins)
    assert len(queries) == 1


def test_of_guests_who_arrive_together_the_one_outside_is_the_next(device: Device) -> None:
    scene.guest(device, "Amelia Hart", hours=3, status=Pin.Status.SET)
    scene.guest(device, "Théo Lambert", hours=3)
    AccessCode.objects.update(starts_at=timezone.now() + timedelta(hours=3))
    told = str(code_list(device, lock_pins(device)).next_arrival)
    assert told.startswith("Théo Lambert, ") and told.endswith("not on lock yet")
