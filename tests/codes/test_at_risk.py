"""The count in the navigation and the list on home agree, and warnings are counted by cause, in one query."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from backups.status import warning_count
from codes.arrivals import Risk, watch
from codes.at_risk import at_risk, attention
from codes.models import AccessCode
from devices.models import Device, Hub, Pin, Property
from portal.models import Workspace
from tests import factories, scene

TROUBLE = {"trouble": Pin.Trouble.NO_ANSWER, "attempts": 2}


def agree(workspace: Workspace) -> int:
    listed = {a.code.pk for a in watch(workspace).arrivals if a.risk <= Risk.MISSING}
    assert listed == set(at_risk(workspace).values_list("pk", flat=True))
    assert attention(workspace).arrivals == len(listed)
    return len(listed)


@pytest.mark.parametrize(
    ("pin", "risky"),
    [
        ({}, 0),
        (TROUBLE, 1),
        ({"give_up_at": timezone.now() - timedelta(seconds=1)}, 1),
        ({**TROUBLE, "program_at": timezone.now() + timedelta(hours=1)}, 0),
        ({"status": Pin.Status.SET}, 0),
        ({**TROUBLE, "status": Pin.Status.SET, "seen_until": timezone.now()}, 1),
        ({**TROUBLE, "status": Pin.Status.REFUSED}, 1),
    ],
)
def test_an_own_pin(workspace: Workspace, device: Device, pin: dict[str, object], risky: int) -> None:
    scene.guest(device, "Ben Okafor", **pin)
    assert agree(workspace) == risky


@pytest.mark.parametrize("ill", [{"online": Device.Online.NO}, {"failures": 1}])
def test_a_lock_in_trouble_puts_at_risk_what_is_not_on_it(
    workspace: Workspace, device: Device, ill: dict[str, object]
) -> None:
    scene.guest(device, "Ben Okafor")
    scene.guest(device, "Ana Ruiz", status=Pin.Status.SET)
    assert agree(workspace) == 0
    Device.objects.update(**ill)
    assert agree(workspace) == 1


def test_a_lively_and_an_exhausted_lock(workspace: Workspace, device: Device, place: Property, hub: Hub) -> None:
    scene.lively(device)
    assert agree(workspace) == 2
    scene.exhausted(factories.DeviceFactory(property=place, hub=hub))
    assert agree(workspace) == 3


def test_a_backup_that_is_gone_is_a_risk_again(workspace: Workspace, device: Device) -> None:
    code = scene.covered(device, factories.BackupPoolFactory(device=device), "Ben Okafor")
    assert agree(workspace) == 0
    Pin.objects.filter(code_pin__code=code, code_pin__role="backup").update(status=Pin.Status.GONE)
    assert agree(workspace) == 1


def test_other_workspaces_do_not_count(workspace: Workspace, device: Device) -> None:
    scene.exhausted(factories.DeviceFactory())
    counts = attention(workspace)
    assert (counts.arrivals, counts.warnings) == (0, 0)


def test_both_counts_take_one_query(
    workspace: Workspace, place: Property, hub: Hub, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for device in factories.DeviceFactory.create_batch(3, property=place, hub=hub):
        scene.exhausted(device)
    with django_assert_num_queries(1):
        counts = attention(workspace)
    assert (counts.arrivals, counts.warnings) == (3, 3) == (3, warning_count(workspace))
    Hub.objects.update(down_since=timezone.now())
    assert attention(workspace).warnings == 1 == warning_count(workspace)


def test_every_page_tells_both(signed_in: Client, device: Device) -> None:
    scene.exhausted(device)
    AccessCode.objects.filter(name="Ben Okafor").update(uncovered_since=None)
    page = " ".join(signed_in.get("/devices/").content.decode().split())
    assert '<span class="count hot">1<span class="vh"> arrival at risk</span>' in page
    assert 'Warnings <span class="count hot">1</span>' in page
