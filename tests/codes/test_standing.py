"""The database's word on how a code stands is the same as the page's."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from codes.models import AccessCode, CodePin
from codes.standing import WHERE, Standing, judged
from codes.status import backup_in_use, code_status
from devices.models import Device, Hub, Pin, Property
from portal.models import Workspace
from tests import factories, scene

S = Pin.Status


def holding(which: Standing) -> set[str]:
    return {code.name for code in standing_so(which)}


def standing_so(which: Standing) -> list[AccessCode]:
    """In all workspaces, each asked for its own."""
    return [code for workspace in Workspace.objects.all() for code in judged(workspace).filter(WHERE[which])]


def spoken(code: AccessCode) -> str:
    given = list(code.code_pins.select_related("pin__backup_code").order_by("pk"))
    return strip_tags(str(code_status(code, given, code.device).words))


def asks_for_attention(code: AccessCode) -> bool:
    given = list(code.code_pins.select_related("pin__backup_code").order_by("pk"))
    backups = [one for one in given if one.role == CodePin.Role.BACKUP and not one.ended_at]
    return code_status(code, given, code.device).attention or any(backup_in_use(one).attention for one in backups)


@pytest.fixture
def world(device: Device, place: Property, hub: Hub) -> None:
    """Codes in every state there is, on a lock that answers and on one that does not."""
    at = timezone.now()
    pool = scene.lively(device)
    scene.guest(device, "In doubt", status=S.UNKNOWN, trouble=Pin.Trouble.NO_ANSWER, give_up_at=at)
    scene.guest(device, "Sent away", status=S.SENT, seen_from=None, seen_until=None)
    extended = scene.guest(device, "Extended", hours=-9, status=S.SET)
    Pin.objects.filter(code_pin__code=extended).update(wanted_until=at + timedelta(days=9))
    scene.guest(device, "Refused", status=S.REFUSED, trouble=Pin.Trouble.REJECTED, give_up_at=at + timedelta(days=1))
    staff = scene.ongoing(device, "Staff refused", status=S.REFUSED, trouble=Pin.Trouble.REJECTED)
    AccessCode.objects.filter(pk=staff.pk).update(failed_at=at)
    scene.ongoing(device, "Staff tried hard", trouble=Pin.Trouble.NOT_STORED, attempts=4)
    scene.ongoing(device, "Staff tried once", trouble=Pin.Trouble.NOT_STORED, attempts=1)
    lost = scene.covered(device, pool, "Lost backup", hours=-2)
    Pin.objects.filter(code_pin__code=lost, code_pin__role=CodePin.Role.BACKUP).update(status=S.GONE)
    refused = scene.covered(device, pool, "Refused and covered", hours=3)
    Pin.objects.filter(code_pin__code=refused, code_pin__role=CodePin.Role.OWN).update(status=S.REFUSED)
    AccessCode.objects.filter(pk=refused.pk).update(failed_at=at)
    for name, status, ago in (("Gone", S.REMOVED, 5), ("Leaving", S.REMOVING, 1), ("Stuck", S.REMOVING, 9)):
        code = scene.guest(device, name, hours=-60, status=status, wanted=Pin.Wanted.ABSENT)
        AccessCode.objects.filter(pk=code.pk).update(ended_at=at - timedelta(minutes=ago))
    away = factories.DeviceFactory(property=place, hub=hub, name="Side door")
    scene.exhausted(away)
    scene.guest(away, "Far off", hours=300, program_at=at + timedelta(days=9), give_up_at=at + timedelta(minutes=5))
    scene.ongoing(away, "Staff away")


WORDS = {
    Standing.SET: ("Set on lock", "Sent (this lock cannot confirm)"),
    Standing.COVERED: ("Covered by backup",),
    Standing.UNCOVERED: ("No backup available",),
    Standing.REMOVING: ("Removing", "Removal overdue"),
    Standing.OVER: ("Removed",),
}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("which", WORDS)
def test_it_finds_those_whose_page_says_so(which: Standing) -> None:
    expected = {code.name for code in AccessCode.objects.all() if spoken(code).startswith(WORDS[which])}
    assert expected
    assert holding(which) == expected


@pytest.mark.usefixtures("world")
def test_attention_is_asked_for_by_the_same_codes() -> None:
    expected = {code.name for code in AccessCode.objects.all() if asks_for_attention(code)}
    assert len(expected) > 5
    assert holding(Standing.ATTENTION) == expected


@pytest.mark.usefixtures("world")
def test_each_code_stands_in_one_place() -> None:
    places = [which for which in Standing if which not in (Standing.CURRENT, Standing.ATTENTION, Standing.ALL)]
    found = [code.pk for which in places for code in standing_so(which)]
    assert sorted(found) == sorted(AccessCode.objects.values_list("pk", flat=True))


@pytest.mark.usefixtures("world")
def test_current_leaves_out_only_what_is_over_and_off_the_lock() -> None:
    everybody = set(AccessCode.objects.values_list("name", flat=True))
    assert everybody - holding(Standing.CURRENT) == {"Gone"}
    assert holding(Standing.ALL) == everybody
    assert holding(Standing.FAILED) == {"Refused", "Staff refused"}
