"""axe finds nothing on pages in states that the walk over every address does not meet, in all looks."""

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from devices.models import Device, Hub, Pin, Property
from portal.models import User
from tests import factories, scene
from tests.browser.conftest import Watch, assert_accessible, look_at, look_at_all, remember

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(place: Property, hub: Hub, device: Device, alice: User) -> dict[str, str]:
    """Pages by name: a lively lock, one that is exhausted and offline, one without support."""
    scene.lively(device)
    side = factories.DeviceFactory(property=place, hub=hub, name="Side door", make="Yale", model="Assure 2")
    scene.exhausted(side)
    garage = factories.DeviceFactory(property=place, hub=hub, name="Garage", caps=factories.UNREADABLE, battery=None)
    scene.ongoing(garage, "Staff", status=Pin.Status.SENT)
    free = device.access_codes.get(name="Amelia Hart").pk
    return {
        "home": "/",
        "search": "/search/?q=a",
        "nothing found": "/search/?q=zebra",
        "no such activity": "/activity/?q=zebra",
        "devices": "/devices/",
        "no such lock": "/devices/?q=nothing",
        "exhausted lock": f"/devices/{side.pk}/",
        "lock without backups": f"/devices/{garage.pk}/",
        "filtered to none": f"/devices/{device.pk}/?q=nothing",
        "warnings": "/backups/warnings/",
        "add code": f"/codes/new/{device.pk}/",
        "use a backup": f"/codes/{free}/backup/",
        "not found": "/nothing/",
    }


def test_signed_in_pages(
    portal: Page, watch: Watch, live_server: LiveServer, alice: User, world: dict[str, str]
) -> None:
    watch.allowed = {404}
    remember(portal, live_server.url, alice)
    look_at_all(portal, live_server.url, world)
    assert watch.refused == [f"{live_server.url}/nothing/"]


def test_the_page_that_sets_up_two_factor(portal: Page, live_server: LiveServer, alice: User) -> None:
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/accounts/2fa/totp/activate/")
    if portal.get_by_label("Password").is_visible():
        assert_accessible(portal)
        portal.get_by_label("Password").fill("correct horse")
        portal.get_by_role("button").last.click()
        portal.get_by_role("heading", name="Set up your authenticator app").wait_for()
    look_at(portal, f"{live_server.url}/accounts/2fa/totp/activate/")


def test_a_form_with_errors(portal: Page, live_server: LiveServer, alice: User, device: Device) -> None:
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/codes/new/{device.pk}/")
    portal.get_by_label("Name").fill("Ben")
    portal.get_by_label("PIN").fill("12")
    portal.get_by_role("button", name="Add code").click()
    portal.locator("#id_pin_error").wait_for()
    assert_accessible(portal)
