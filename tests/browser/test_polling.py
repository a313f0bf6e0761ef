"""How a page refreshes itself: quietly, not in a hidden tab, and never with a sign-in page in its middle."""

import re

import pytest
from playwright.sync_api import Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from devices.models import Device
from portal.models import User
from tests import scene
from tests.browser.conftest import remember

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HIDDEN = "Object.defineProperty(document, 'hidden', {get: () => window.away === true})"


def polls(page: Page) -> list[Request]:
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request) if "/live/" in request.url else None)
    return seen


def test_a_hidden_tab_asks_nothing_and_catches_up(
    portal: Page, live_server: LiveServer, alice: User, device: Device
) -> None:
    scene.lively(device)
    portal.clock.install()
    portal.add_init_script(HIDDEN)
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/devices/{device.pk}/")
    asked = polls(portal)
    portal.evaluate("window.away = true")
    portal.clock.run_for(30_000)
    assert asked == []
    with portal.expect_response(re.compile("/live/")) as answer:
        portal.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    assert answer.value.status == 204


def test_an_expired_session_leads_the_whole_page_to_sign_in(
    portal: Page, live_server: LiveServer, alice: User, device: Device
) -> None:
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/devices/{device.pk}/")
    portal.context.clear_cookies()
    portal.evaluate("htmx.trigger('#poll', 'wake')")
    portal.wait_for_url(re.compile(rf"/accounts/login/\?next=/devices/{device.pk}/"))
    expect(portal.get_by_role("heading", name="Sign in")).to_be_visible()


def test_filtering_needs_no_reload_and_keeps_the_address(
    portal: Page, live_server: LiveServer, alice: User, device: Device
) -> None:
    scene.lively(device)
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/devices/{device.pk}/")
    portal.get_by_label("Show", exact=True).select_option("backup")
    expect(portal.get_by_role("link", name="Amelia Hart")).to_have_count(0)
    portal.wait_for_url(re.compile(r"\?show=backup$"))
    portal.get_by_label("Name, reference or backup").fill("nobody")
    expect(portal.get_by_text("No codes match.")).to_be_visible()
    portal.evaluate("htmx.trigger('#poll', 'wake')")
    expect(portal.get_by_text("No codes match.")).to_be_visible()


def test_a_cold_page_is_small_and_comes_in_few_requests(
    portal: Page, live_server: LiveServer, alice: User, device: Device
) -> None:
    scene.lively(device)
    remember(portal, live_server.url, alice)
    asked: list[str] = []
    portal.on("request", lambda request: asked.append(request.url))
    portal.goto(f"{live_server.url}/devices/{device.pk}/")
    assert len(asked) <= 4, asked


def test_the_keyboard_reaches_the_content_first(
    portal: Page, live_server: LiveServer, alice: User, device: Device
) -> None:
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/devices/{device.pk}/")
    portal.keyboard.press("Tab")
    expect(portal.get_by_role("link", name="Skip to main content")).to_be_focused()
    portal.keyboard.press("Enter")
    expect(portal.locator("main")).to_be_focused()
