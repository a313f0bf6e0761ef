"""By keyboard alone, without JavaScript, and at 200 % zoom: nothing needs a mouse, a script or wide eyes."""

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from codes.models import AccessCode
from devices.models import Device
from portal.models import User
from tests import engine, scene
from tests.browser.conftest import remember

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OUTLINE = """one => {
  const style = getComputedStyle(one)
  return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0
}"""


def tab_to(page: Page, place: Locator) -> None:
    """Press Tab until the place has the focus, and see that it shows."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if place.evaluate("one => one === document.activeElement"):
            assert place.evaluate(OUTLINE), "the focus cannot be seen"
            return
    raise AssertionError(f"Tab never comes to {place}")


def test_a_code_is_added_shown_and_cancelled(
    portal: Page, live_server: LiveServer, alice: User, device: Device
) -> None:
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/devices/{device.pk}/")
    portal.keyboard.press("Tab")
    expect(portal.get_by_role("link", name="Skip to main content")).to_be_focused()
    expect(portal.get_by_role("link", name="Skip to main content")).to_be_in_viewport()
    portal.keyboard.press("Enter")
    expect(portal.locator("main")).to_be_focused()

    tab_to(portal, portal.get_by_role("link", name="Add code", exact=True))
    portal.keyboard.press("Enter")
    tab_to(portal, portal.get_by_label("Name"))
    portal.keyboard.type("Ben Okafor")
    tab_to(portal, portal.get_by_role("button", name="Add code"))
    portal.keyboard.press("Enter")
    expect(portal.get_by_text("Ben Okafor").first).to_be_visible()
    code = AccessCode.objects.get()
    AccessCode.objects.update(starts_at=code.created_at)
    engine.settle(device)

    portal.goto(f"{live_server.url}/codes/{code.pk}/")
    tab_to(portal, portal.get_by_role("button", name="Show PIN").first)
    portal.keyboard.press("Enter")
    expect(portal.locator(".digits").first).to_be_visible()
    tab_to(portal, portal.get_by_role("link", name="Cancel this code"))
    portal.keyboard.press("Enter")
    expect(portal.get_by_role("heading", level=1)).to_contain_text("Cancel Ben Okafor’s code")
    tab_to(portal, portal.locator("main form button").first)
    portal.keyboard.press("Enter")
    expect(portal.get_by_text("Ben Okafor’s code is cancelled.")).to_be_visible()


def test_without_script_a_warning_is_taken_on_and_a_code_added(
    portal: Page, live_server: LiveServer, alice: User, device: Device
) -> None:
    scene.exhausted(device)
    browser = portal.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    remember(page, live_server.url, alice)
    page.goto(live_server.url)
    page.get_by_role("button", name="I’m on it (Chloé Martin)").click()
    expect(page.get_by_text("Alice is on it since").first).to_be_visible()
    page.goto(f"{live_server.url}/devices/{device.pk}/")
    page.get_by_role("link", name="Add code", exact=True).click()
    page.get_by_label("Name").fill("Dana Whitfield")
    page.get_by_role("button", name="Add code").click()
    expect(page.get_by_text("Dana Whitfield").first).to_be_visible()
    context.close()


def test_at_two_hundred_percent_nothing_is_cut_off(
    portal: Page, live_server: LiveServer, alice: User, device: Device
) -> None:
    """A window of 1280 by 900 px at 200 % is one of 640 by 450 CSS pixels, drawn twice as big."""
    scene.lively(device)
    remember(portal, live_server.url, alice)
    portal.set_viewport_size({"width": 640, "height": 450})
    for path in paths(device):
        portal.goto(live_server.url + path)
        assert_fits(portal, path)


@pytest.mark.parametrize("width", [1280, 360])
def test_with_letters_twice_as_large_nothing_needs_scrolling_sideways(
    portal: Page, live_server: LiveServer, alice: User, device: Device, width: int
) -> None:
    """Text alone is larger, as a browser's own setting makes it: the window stays as wide as it is."""
    scene.lively(device)
    remember(portal, live_server.url, alice)
    portal.set_viewport_size({"width": width, "height": 900})
    for path in paths(device):
        portal.goto(live_server.url + path)
        portal.evaluate("document.documentElement.style.fontSize = '200%'")
        assert portal.evaluate("getComputedStyle(document.body).fontSize") == "32px"
        assert_fits(portal, path)


def paths(device: Device) -> list[str]:
    code = AccessCode.objects.get(name="Ben Okafor")
    one = [f"/devices/{device.pk}/", f"/codes/{code.pk}/", f"/codes/{code.pk}/edit/", f"/g/{code.guest_token}/"]
    return [*one, "/", "/devices/", "/codes/", "/activity/", "/backups/warnings/", "/settings/", "/settings/account/"]


def assert_fits(page: Page, path: str) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{path} is {wide} px too wide"
