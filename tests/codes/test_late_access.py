"""A PIN works until checkout and the workspace's late access are over: on the lock, for the guest, in warnings."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from backups.models import BackupPool
from codes.at_risk import attention
from codes.models import AccessCode, CodePin
from codes.notice_findings import findings
from codes.replan import replan_workspace
from codes.services import change_code, pull_backup
from codes.tick import tick
from devices.models import Device, Hub, Pin, Property, SimulatedLock
from devices.providers import simulator
from portal.models import Workspace
from tests import factories
from tests.engine import fault, fill_pool, guest, held_before, later, opens_with, own, settle

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def late(workspace: Workspace) -> Workspace:
    Workspace.objects.update(late_access=HALF_AN_HOUR)
    workspace.refresh_from_db()
    return workspace


def staying(device: Device) -> AccessCode:
    """A guest whose checkout is in two hours."""
    code = guest(device, starts=timedelta(hours=-1), ends_at=timezone.now() + timedelta(hours=2))
    settle(device)
    return code


def opens(code: AccessCode) -> bool:
    """The PIN that the guest is told opens the lock at this moment."""
    lock = SimulatedLock.objects.get(hub=code.device.hub_id, lock_ref=code.device.lock_ref)
    digits = opens_with(AccessCode.objects.get(pk=code.pk))
    return bool(digits) and simulator.opens(lock, digits, timezone.now())


@pytest.mark.parametrize("caps", [factories.MODERN, factories.PLAIN, factories.CLOUD], ids=["native", "plain", "cloud"])
@pytest.mark.parametrize("covered", [False, True], ids=["own", "backup"])
def test_the_pin_opens_until_then_and_not_after(
    late: Workspace, place: Property, hub: Hub, caps: object, covered: bool, client: Client
) -> None:
    device = factories.DeviceFactory(property=place, hub=hub, caps=caps)
    fill_pool(device)
    code = staying(device)
    if covered:
        pull_backup(code)
        settle(device, turns=20)
    with later(hours=2, minutes=29):
        settle(device, turns=20)
        assert opens(code)
        page = client.get(f"/g/{code.guest_token}/").content.decode()
        assert "guest-pin" in page
    with later(hours=2, minutes=31):
        settle(device, turns=20)
        assert not opens(code)
        assert {pin.status for pin in Pin.objects.filter(code_pin__code=code)} == {Pin.Status.REMOVED}
        assert "guest-pin" not in client.get(f"/g/{code.guest_token}/").content.decode()


def test_a_removal_is_overdue_from_then_on(late: Workspace, device: Device) -> None:
    code = staying(device)
    fault(device, "unreachable")
    with later(hours=2, minutes=29):
        tick()
        assert not [key for key in findings() if key.startswith("overdue")]
    with later(hours=2, minutes=31):
        tick()
        assert not [key for key in findings() if key.startswith("overdue")]
    with later(hours=2, minutes=33):
        tick()
        overdue = findings()[f"overdue:{device.pk}"]
    code.refresh_from_db()
    assert overdue.since == code.ended_at and code.ended_at is not None and code.ends_at is not None
    assert code.ended_at - code.ends_at > HALF_AN_HOUR


def test_a_guest_in_the_late_half_hour_is_still_warned_of(late: Workspace, device: Device) -> None:
    code = staying(device)
    AccessCode.objects.update(uncovered_since=timezone.now())
    with later(hours=2, minutes=10):
        assert f"uncovered:{code.pk}" in findings()
        assert attention(late).arrivals == 1
    with later(hours=2, minutes=31):
        assert f"uncovered:{code.pk}" not in findings()
        assert attention(late).arrivals == 0


def test_a_stay_can_be_extended_in_it_and_keeps_its_pin(late: Workspace, device: Device) -> None:
    code = staying(device)
    before = own(code)
    with later(hours=2, minutes=10):
        change_code(code, name=code.name, starts_at=code.starts_at, ends_at=timezone.now() + timedelta(hours=5))
        settle(device)
        assert own(code) == before and opens(code)


def test_a_checkout_longer_ago_is_refused(late: Workspace, device: Device) -> None:
    code = guest(device, starts=timedelta(hours=1))
    with pytest.raises(ValidationError, match="in the past"):
        change_code(
            code,
            name=code.name,
            starts_at=timezone.now() - timedelta(days=1),
            ends_at=timezone.now() - timedelta(minutes=31),
        )


def test_setting_it_lengthens_stays_that_run(workspace: Workspace, device: Device) -> None:
    fill_pool(device)
    code, other = staying(device), staying(device)
    pull_backup(other)
    settle(device)
    Workspace.objects.update(late_access=HALF_AN_HOUR)
    replan_workspace(str(workspace.pk))
    settle(device)
    assert BackupPool.objects.get().codes.filter(drawn_at__isnull=False).count() == 1
    with later(hours=2, minutes=29):
        settle(device)
        assert opens(code) and opens(other)


def test_a_lock_that_does_not_learn_of_it_is_covered_before_the_old_end(workspace: Workspace, device: Device) -> None:
    fill_pool(device)
    code = staying(device)
    fault(device, "unreachable")
    Workspace.objects.update(late_access=HALF_AN_HOUR)
    replan_workspace(str(workspace.pk))
    with later(hours=1, minutes=59):
        tick()
        assert opens(code)
    with later(hours=2, minutes=20):
        assert opens(code)


def test_taking_it_back_shortens_them(late: Workspace, device: Device) -> None:
    code = staying(device)
    Workspace.objects.update(late_access=timedelta(0))
    replan_workspace(str(late.pk))
    with later(hours=2, seconds=1):
        settle(device)
        assert not opens(code)


def test_the_codes_page_says_how_long_the_pin_works(late: Workspace, device: Device, signed_in: Client) -> None:
    code = staying(device)
    assert "Late access: the PIN works until" in signed_in.get(f"/codes/{code.pk}/").content.decode()
    Workspace.objects.update(late_access=timedelta(0))
    assert "Late access" not in signed_in.get(f"/codes/{code.pk}/").content.decode()


@pytest.mark.parametrize("chosen", [False, True], ids=["other digits", "backup"])
def test_what_a_refusal_calls_for_follows_a_late_access_that_was_set_during_the_turn(
    workspace: Workspace, place: Property, hub: Hub, chosen: bool
) -> None:
    device = factories.DeviceFactory(property=place, hub=hub, caps=factories.CLOUD)
    fill_pool(device)
    code = guest(device, starts=timedelta(minutes=-5), ends_at=timezone.now() + timedelta(hours=2))
    AccessCode.objects.update(pin_chosen=chosen)  # other digits are put in place of those that nobody chose
    fault(device, "reject_set")
    refused = held_before(device, "read")  # of the spare that may stand in
    Workspace.objects.update(late_access=HALF_AN_HOUR)
    replan_workspace(str(workspace.pk))
    refused.finish(error=TimeoutError())
    code = AccessCode.objects.get(pk=code.pk)
    given = code.code_pins.get(ended_at=None, role=CodePin.Role.BACKUP if chosen else CodePin.Role.OWN)
    assert given.pin.wanted == Pin.Wanted.PRESENT
    assert given.pin.wanted_until == code.leaves_at
