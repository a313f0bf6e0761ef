"""axe finds nothing on the pages about codes, properties and the guest's own, light and dark, wide and narrow."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from codes.models import AccessCode, CodePin
from devices.models import Device, Event, Hub, Pin, Property
from portal.models import User
from tests import factories, scene
from tests.browser.conftest import assert_accessible, look_at, look_at_all, remember

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = {
    "codes that need attention": "/codes/?status=attention&sort=lock",
    "backups": "/codes/?kind=backup",
    "no code found": "/codes/?q=nothing",
    "several locks": "/codes/new/{device}/",
    "failed code": "/codes/{failed}/",
    "code with everything said": "/codes/{told}/",
    "edit staff": "/codes/{failed}/edit/",
    "edit cancelled": "/codes/{cancelled}/edit/",
    "change pin of one that is over": "/codes/{cancelled}/pin/",
    "what a time zone moves": "/properties/{place}/zone/?time_zone=Asia/Tokyo",
    "an unknown time zone": "/properties/{place}/zone/?time_zone=Atlantis",
}


@pytest.fixture
def world(place: Property, hub: Hub, device: Device) -> dict[str, object]:
    """A lively lock and a second one at the same place; codes in every state that has words of its own."""
    Property.objects.update(guest_phone="+351 21 000 0000", if_nothing_works="Key safe by the bins.\n2 turns left.")
    scene.lively(device)
    factories.DeviceFactory(property=place, hub=hub, name="Garden gate")
    failed = scene.ongoing(device, "Cleaners", status=Pin.Status.REFUSED, trouble=Pin.Trouble.REJECTED)
    cancelled = scene.guest(device, "Gone Girl", hours=5, status=Pin.Status.REMOVING, wanted=Pin.Wanted.ABSENT)
    gone = {"ended_at": timezone.now(), "cancelled_at": timezone.now()}
    AccessCode.objects.filter(pk=cancelled.pk).update(**gone)
    told = AccessCode.objects.get(name="Ana Ruiz")
    CodePin.objects.filter(code=told, role=CodePin.Role.OWN).update(revealed_at=timezone.now())
    AccessCode.objects.filter(pk=told.pk).update(reported_at=timezone.now())
    scene.event(device, Event.Type.CODE_NOT_WORKING, subject=told.pk, name=told.name)
    scene.event(device, Event.Type.CODE_OPENED_BY_GUEST, subject=told.pk, name=told.name)
    covered = AccessCode.objects.get(name="Ben Okafor")
    return {
        "device": device.pk,
        "place": place.pk,
        "covered": covered.pk,
        "failed": failed.pk,
        "cancelled": cancelled.pk,
        "told": told.pk,
    }


def test_pages_about_codes_and_properties(
    portal: Page, live_server: LiveServer, alice: User, world: dict[str, object]
) -> None:
    remember(portal, live_server.url, alice)
    look_at_all(portal, live_server.url, {name: path.format(**world) for name, path in PAGES.items()})


def test_a_pin_that_breaks_a_rule(portal: Page, live_server: LiveServer, alice: User, world: dict[str, object]) -> None:
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/codes/{world['covered']}/pin/")
    portal.get_by_label("New PIN").fill("12")
    portal.get_by_role("button", name="Change PIN").click()
    portal.get_by_role("button", name="instead").wait_for()
    assert_accessible(portal)


@pytest.mark.parametrize("moment", ["pin", "early", "call", "over", "told"])
def test_the_guests_page(portal: Page, live_server: LiveServer, device: Device, hub: Hub, moment: str) -> None:
    Property.objects.update(guest_phone="+351 21 000 0000")
    hours = {"early": 300, "over": -90}.get(moment, -1)
    status = Pin.Status.REFUSED if moment == "call" else Pin.Status.SET
    code = scene.guest(device, "Ben Okafor", hours=hours, status=status)
    gate = factories.DeviceFactory(property=device.property, hub=hub, name="Garden gate")
    second = scene.guest(gate, "Ben Okafor", hours=hours, status=status)
    AccessCode.objects.update(booking_reference="RES-1")
    if moment == "over":
        AccessCode.objects.update(ended_at=timezone.now() - timedelta(hours=1))
    if moment == "told":
        scene.event(device, Event.Type.CODE_NOT_WORKING, subject=second.pk, name=code.name)
    look_at(portal, f"{live_server.url}/g/{code.guest_token}/")
