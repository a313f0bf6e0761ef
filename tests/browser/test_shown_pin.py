"""A shown PIN survives a refresh, hides itself again, and is not there without JavaScript's help either."""

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from codes.models import AccessCode
from devices.models import Device, Pin
from portal.models import User
from tests import scene
from tests.browser.conftest import remember

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def show(page: Page, live_server: LiveServer, alice: User, code: AccessCode) -> None:
    remember(page, live_server.url, alice)
    page.goto(f"{live_server.url}/devices/{code.device_id}/")
    page.get_by_role("button", name="Show PIN of Ben").click()
    expect(page.locator(".digits")).to_have_text("5839")


@pytest.fixture
def code(device: Device) -> AccessCode:
    return scene.guest(device, "Ben", status=Pin.Status.SET, digits="5839")


def test_it_survives_a_refresh_with_its_focus(
    portal: Page, live_server: LiveServer, alice: User, code: AccessCode
) -> None:
    show(portal, live_server, alice, code)
    expect(portal.get_by_role("button", name="Hide")).to_be_focused()
    AccessCode.objects.update(name="Benjamin")
    portal.evaluate("htmx.trigger('#poll', 'wake')")
    expect(portal.get_by_role("link", name="Benjamin")).to_be_visible()
    expect(portal.locator(".digits")).to_have_text("5839")
    expect(portal.get_by_role("button", name="Hide")).to_be_focused()


def test_it_hides_when_asked(portal: Page, live_server: LiveServer, alice: User, code: AccessCode) -> None:
    show(portal, live_server, alice, code)
    portal.get_by_role("button", name="Hide").click()
    expect(portal.locator(".digits")).to_have_count(0)
    portal.get_by_role("button", name="Show PIN of Ben").click()
    expect(portal.locator(".digits")).to_have_text("5839")


def test_it_hides_itself_after_half_a_minute(
    portal: Page, live_server: LiveServer, alice: User, code: AccessCode
) -> None:
    portal.clock.install()
    show(portal, live_server, alice, code)
    portal.clock.run_for(20_000)
    expect(portal.locator(".digits")).to_have_text("5839")
    portal.clock.run_for(12_000)
    expect(portal.locator(".digits")).to_have_count(0)


def test_a_pin_that_no_longer_works_is_not_kept_on_the_page(
    portal: Page, live_server: LiveServer, alice: User, code: AccessCode
) -> None:
    show(portal, live_server, alice, code)
    Pin.objects.update(status=Pin.Status.GONE)
    portal.evaluate("htmx.trigger('#poll', 'wake')")
    expect(portal.get_by_text("None works yet")).to_be_visible()
    expect(portal.locator(".digits")).to_have_count(0)


def test_without_javascript_everything_works(
    browser: Browser, live_server: LiveServer, alice: User, code: AccessCode
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    remember(page, live_server.url, alice)
    page.goto(f"{live_server.url}/devices/{code.device_id}/")
    page.get_by_label("Name, reference or backup").fill("nobody")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No codes match.")).to_be_visible()
    page.get_by_role("link", name="Clear filter").first.click()
    page.get_by_role("button", name="Show PIN of Ben").click()
    assert page.locator(".digits").inner_text() == "5839"
    page.get_by_role("link", name="Hide it and go back").click()
    page.get_by_role("link", name="Ben", exact=True).click()
    page.get_by_role("link", name="Cancel this code").click()
    page.get_by_role("button", name="Cancel the code").click()
    expect(page.get_by_text("Removing").first).to_be_visible()
    context.close()
