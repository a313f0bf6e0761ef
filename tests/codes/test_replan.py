"""Changed leads move what is planned, and nothing else."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from codes.models import AccessCode, CodePin
from codes.replan import replan_workspace
from codes.tick import tick
from devices.models import Device, Pin
from portal.models import Workspace
from tests import factories
from tests.engine import fill_pool, guest, settle

HOURS = timedelta(hours=1)


def own(code: AccessCode) -> Pin:
    return CodePin.objects.select_related("pin").get(code=code, role=CodePin.Role.OWN, ended_at=None).pin


def set_leads(workspace: Workspace, **leads: timedelta) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(**leads)
    replan_workspace(str(workspace.pk))


def test_a_coming_stay_goes_by_the_new_leads(workspace: Workspace, device: Device) -> None:
    code = guest(device, starts=timedelta(days=10))
    set_leads(workspace, programming_lead_native=100 * HOURS, cover_lead_native=12 * HOURS)
    assert code.starts_at is not None
    assert own(code).program_at == code.starts_at - 100 * HOURS
    assert own(code).give_up_at == code.starts_at - 12 * HOURS


def test_the_lock_is_due_at_once(workspace: Workspace, device: Device) -> None:
    guest(device, starts=timedelta(days=10))
    Device.objects.update(next_sync_at=None)
    set_leads(workspace, programming_lead_native=11 * 24 * HOURS)
    due: datetime | None = Device.objects.get(pk=device.pk).next_sync_at
    assert due is not None and due <= timezone.now()


def test_a_longer_cover_lead_leaves_time_for_a_try(workspace: Workspace, device: Device) -> None:
    code = guest(device, starts=timedelta(days=5))
    set_leads(workspace, programming_lead_native=14 * 24 * HOURS, cover_lead_native=7 * 24 * HOURS)
    give_up = own(code).give_up_at
    assert give_up is not None and timedelta(minutes=1) < give_up - timezone.now() <= timedelta(minutes=2)


def test_a_wait_that_nearly_ended_is_not_made_longer(workspace: Workspace, device: Device) -> None:
    code = guest(device, starts=timedelta(days=5))
    soon = timezone.now() + timedelta(seconds=30)
    Pin.objects.filter(pk=own(code).pk).update(give_up_at=soon)
    set_leads(workspace, cover_lead_native=7 * 24 * HOURS)
    assert own(code).give_up_at == soon


def test_a_confirmed_pin_waits_for_nothing_again(workspace: Workspace, device: Device) -> None:
    code = guest(device, starts=timedelta(hours=40))
    settle(device)
    set_leads(workspace, cover_lead_native=48 * HOURS)
    tick()
    assert own(code).status == Pin.Status.SET
    assert own(code).give_up_at is None
    assert code.code_pins.count() == 1


@pytest.mark.parametrize("hours", [-3, 20], ids=["staying", "covered"])
def test_running_and_covered_stays_stay_as_they_are(workspace: Workspace, device: Device, hours: int) -> None:
    fill_pool(device)
    code = factories.AccessCodeFactory(device=device, starts_at=timezone.now() + hours * HOURS)
    given = factories.CodePinFactory(code=code, pin__give_up_at=timezone.now() + HOURS)
    if hours > 0:
        factories.CodePinFactory(code=code, role=CodePin.Role.BACKUP)
    before = Pin.objects.filter(pk=given.pin_id).values().get()
    set_leads(workspace, programming_lead_native=100 * HOURS, cover_lead_native=10 * HOURS)
    assert Pin.objects.filter(pk=given.pin_id).values().get() == before


def test_other_workspaces_keep_theirs(workspace: Workspace) -> None:
    theirs = factories.DeviceFactory()
    code = guest(theirs, starts=timedelta(days=10))
    before = own(code).give_up_at
    set_leads(workspace, cover_lead_native=HOURS)
    assert own(code).give_up_at == before
