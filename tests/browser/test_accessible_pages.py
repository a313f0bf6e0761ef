"""axe finds nothing on any page, light and dark, wide and narrow; nothing needs scrolling sideways."""

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from devices.models import Device, Hub, Pin, Property
from portal.models import User
from tests import factories, scene
from tests.browser.conftest import Watch, assert_accessible, look_at, remember

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(place: Property, hub: Hub, device: Device, alice: User) -> dict[str, str]:
    """Pages by name: a lively lock, one that is exhausted and offline, one without support."""
    scene.lively(device)
    side = factories.DeviceFactory(property=place, hub=hub, name="Side door", make="Yale", model="Assure 2")
    scene.exhausted(side)
    garage = factories.DeviceFactory(property=place, hub=hub, name="Garage", caps=factories.UNREADABLE, battery=None)
    scene.ongoing(garage, "Staff", status=Pin.Status.SENT)
    guest = device.access_codes.get(name="Ben Okafor").pk
    free = device.access_codes.get(name="Amelia Hart").pk
    return {
        "home": "/",
        "search": "/search/?q=a",
        "nothing found": "/search/?q=zebra",
        "activity": "/activity/",
        "no such activity": "/activity/?q=zebra",
        "devices": "/devices/",
        "no such lock": "/devices/?q=nothing",
        "lively lock": f"/devices/{device.pk}/",
        "exhausted lock": f"/devices/{side.pk}/",
        "lock without backups": f"/devices/{garage.pk}/",
        "filtered to none": f"/devices/{device.pk}/?q=nothing",
        "warnings": "/backups/warnings/",
        "code": f"/codes/{guest}/",
        "add code": f"/codes/new/{device.pk}/",
        "cancel code": f"/codes/{guest}/cancel/",
        "use a backup": f"/codes/{free}/backup/",
        "add locks": "/devices/add/",
        "remove lock": f"/devices/{device.pk}/remove/",
        "two-factor": "/accounts/2fa/",
        "not found": "/nothing/",
    }


@pytest.mark.parametrize(
    "name",
    [
        "home",
        "search",
        "nothing found",
        "activity",
        "no such activity",
        "devices",
        "no such lock",
        "lively lock",
        "exhausted lock",
        "lock without backups",
        "filtered to none",
        "warnings",
        "code",
        "add code",
        "cancel code",
        "use a backup",
        "add locks",
        "remove lock",
        "two-factor",
        "not found",
    ],
)
def test_signed_in_pages(
    portal: Page, watch: Watch, live_server: LiveServer, alice: User, world: dict[str, str], name: str
) -> None:
    watch.allowed = {404} if name == "not found" else set()
    remember(portal, live_server.url, alice)
    look_at(portal, live_server.url + world[name])


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/"])
def test_signed_out_pages(portal: Page, live_server: LiveServer, path: str) -> None:
    look_at(portal, live_server.url + path)


def test_the_page_that_sets_up_two_factor(portal: Page, live_server: LiveServer, alice: User) -> None:
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/accounts/2fa/totp/activate/")
    if portal.get_by_label("Password").is_visible():
        assert_accessible(portal)
        portal.get_by_label("Password").fill("correct horse")
        portal.get_by_role("button").last.click()
    look_at(portal, f"{live_server.url}/accounts/2fa/totp/activate/")


def test_a_form_with_errors(portal: Page, live_server: LiveServer, alice: User, device: Device) -> None:
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/codes/new/{device.pk}/")
    portal.get_by_label("Name").fill("Ben")
    portal.get_by_label("PIN").fill("12")
    portal.get_by_role("button", name="Add code").click()
    assert_accessible(portal)
