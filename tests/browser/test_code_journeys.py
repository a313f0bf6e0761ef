"""What managers and guests do with codes, in as few clicks as promised."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from codes.booking import add_codes
from codes.services import pull_backup
from devices.models import Device, Property
from portal.models import User
from tests import engine, factories
from tests.browser.conftest import Watch, remember

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WITHIN = 12_000  # milliseconds: two polls and a slow machine


class Clicks:
    """Counts what a person presses."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, place: Locator) -> None:
        self.count += 1
        place.click()


@pytest.fixture
def click() -> Clicks:
    return Clicks()


def test_one_guest_gets_two_doors_at_once(
    portal: Page, live_server: LiveServer, alice: User, device: Device, click: Clicks
) -> None:
    gate = factories.DeviceFactory(property=device.property, hub=device.hub, name="Garden gate")
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/devices/{device.pk}/")
    click(portal.get_by_role("link", name="Add code", exact=True))
    portal.get_by_label("Name").fill("Ben Okafor")
    click(portal.get_by_label("Garden gate"))
    click(portal.get_by_role("button", name="Add code"))
    expect(portal.get_by_text("Codes added for Ben Okafor on 2 locks")).to_be_visible()
    assert click.count == 3
    assert gate.access_codes.get().booking_reference == device.access_codes.get().booking_reference != ""


@pytest.fixture
def at_the_door(device: Device) -> str:
    """The path of a guest's link, two doors, the stay has begun."""
    Property.objects.update(guest_phone="+351 21 000 0000")
    gate = factories.DeviceFactory(property=device.property, hub=device.hub, name="Garden gate")
    at = timezone.now() - timedelta(hours=1)
    stay = {"name": "Ben Okafor", "kind": "time_bound", "starts_at": at, "ends_at": at + timedelta(days=2)}
    engine.fill_pool(device)
    codes = add_codes(devices=[device, gate], **stay)
    for lock in (device, gate):
        engine.settle(lock)
    return f"/g/{codes[0].guest_token}/"


def pins(page: Page) -> list[str]:
    return page.locator(".guest-pin").all_inner_texts()


def test_a_guest_whose_code_does_not_work_gets_another(
    portal: Page, live_server: LiveServer, at_the_door: str, device: Device
) -> None:
    portal.goto(live_server.url + at_the_door)
    before = pins(portal)
    portal.get_by_role("button", name="My code is not working").first.click()
    expect(portal.get_by_text("You told us at")).to_be_visible()
    after = pins(portal)
    assert after[0] != before[0] and after[1] == before[1]
    assert after[0] in engine.truth(device).values()
    expect(portal.get_by_role("link", name="Call us: +351 21 000 0000")).to_be_visible()
    assert "ackup" not in portal.content()


def test_the_guests_page_changes_by_itself(
    portal: Page, live_server: LiveServer, at_the_door: str, device: Device
) -> None:
    portal.goto(live_server.url + at_the_door)
    before = pins(portal)
    pull_backup(device.access_codes.get())
    expect(portal.locator(".guest-pin").first).not_to_have_text(before[0], timeout=WITHIN)
    assert pins(portal)[0] in engine.truth(device).values()


@pytest.fixture
def without_script(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def test_without_script_a_guest_can_say_so_too(without_script: Page, live_server: LiveServer, at_the_door: str) -> None:
    without_script.goto(live_server.url + at_the_door)
    before = pins(without_script)
    without_script.get_by_role("button", name="My code is not working").first.click()
    expect(without_script.get_by_text("You told us at")).to_be_visible()
    assert pins(without_script)[0] != before[0]


def test_without_script_codes_are_found_and_a_pin_is_changed(
    without_script: Page, live_server: LiveServer, alice: User, device: Device
) -> None:
    code = engine.guest(device, "Ben Okafor")
    engine.guest(device, "Ana Ruiz")
    engine.settle(device)
    remember(without_script, live_server.url, alice)
    without_script.goto(f"{live_server.url}/codes/")
    without_script.get_by_label("Guest, reference, lock, property or backup").fill("oka")
    without_script.get_by_role("button", name="Show", exact=True).click()
    expect(without_script.get_by_role("link", name="Ana Ruiz")).to_have_count(0)
    without_script.get_by_role("link", name="Ben Okafor").click()
    expect(without_script.get_by_role("button", name="Copy")).to_have_count(0)
    without_script.get_by_role("link", name="Change PIN").click()
    without_script.get_by_label("New PIN").fill("12")
    without_script.get_by_role("button", name="Change PIN").click()
    offered = without_script.get_by_role("button", name="instead")
    digits = offered.get_attribute("value")
    offered.click()
    expect(without_script.get_by_text("Ben Okafor gets the new PIN.")).to_be_visible()
    engine.settle(device)
    pin = engine.shown(code)
    assert pin is not None and pin.secret.reveal() == digits


def test_the_link_is_copied(portal: Page, live_server: LiveServer, alice: User, device: Device, watch: Watch) -> None:
    code = engine.guest(device, "Ben Okafor")
    portal.context.grant_permissions(["clipboard-read", "clipboard-write"])
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/codes/{code.pk}/")
    portal.get_by_role("button", name="Copy").click()
    expect(portal.get_by_role("button", name="Copied")).to_be_visible()
    assert portal.evaluate("navigator.clipboard.readText()") == f"{live_server.url}/g/{code.guest_token}/"


def test_if_nothing_works_is_one_click_away(
    portal: Page, live_server: LiveServer, alice: User, device: Device, click: Callable[[Locator], None]
) -> None:
    Property.objects.update(if_nothing_works="Key safe by the bins")
    code = engine.guest(device, "Ben Okafor")
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/codes/{code.pk}/")
    expect(portal.get_by_text("Key safe by the bins")).to_be_hidden()
    click(portal.get_by_text("If nothing works"))
    expect(portal.get_by_text("Key safe by the bins")).to_be_visible()
