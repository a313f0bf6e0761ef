"""Every page of the portal, found by walking its addresses: axe finds nothing, and it comes in few requests and still.

Whoever adds a page need not add it here; a page that the walk cannot reach fails until somebody says which test looks
at it.
"""

from importlib import import_module

import pytest
from django.conf import settings
from playwright.sync_api import Page, Request
from pytest_django.live_server_helper import LiveServer

from codes.models import AccessCode
from devices.models import Device
from portal import people
from portal.models import User
from tests import scene, walk
from tests.browser.conftest import Watch, look_around, remember, show
from tests.test_isolation import arguments  # noqa: F401  a fixture

MOST_REQUESTS = 4
AT_ONCE = {"offline": False, "latency": 0, "uploadThroughput": -1}  # how Chromium's line is, but for what comes in
# What moved by the next frame; when nothing is to be drawn anew, there may be none.
SHIFTS = """() => new Promise(done => {
  let moved = 0
  new PerformanceObserver(list => { for (const one of list.getEntries()) moved += one.value })
    .observe({type: 'layout-shift', buffered: true})
  requestAnimationFrame(() => setTimeout(() => done(moved), 0))
  setTimeout(() => done(moved), 1000)
})"""


@pytest.mark.django_db
def test_every_address_is_known(alice: User, arguments: dict[str, list[object]]) -> None:  # noqa: F811
    people.vouch_for(alice)
    assert not walk.unknown(alice, arguments), "say in tests/walk.py which test looks at these pages"


def test_light_and_dark_differ_in_colours_alone() -> None:
    """So that in the second of them only colours need another look."""
    style = (settings.BASE_DIR / "static" / "portal.css").read_text()
    assert "prefers-color-scheme" not in style
    assert "light-dark(" in style


@pytest.mark.parametrize("name", sorted(walk.ELSEWHERE))
def test_pages_the_walk_cannot_reach_have_a_test(name: str) -> None:
    module, _dot, function = walk.ELSEWHERE[name].rpartition(".")
    assert callable(getattr(import_module(module), function, None))


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page_is_accessible_light_and_still(
    portal: Page,
    watch: Watch,
    live_server: LiveServer,
    alice: User,
    arguments: dict[str, list[object]],  # noqa: F811
) -> None:
    people.vouch_for(alice)
    found = walk.pages(alice, arguments)
    assert len(found) > 40
    asked: list[Request] = []
    portal.on("request", lambda request: asked.append(request))
    wrong = []
    for page in sorted(found, key=lambda page: (not page.signed_in, page.name == "account_logout")):
        portal.goto("about:blank")  # what polls would be led to sign in meanwhile, and that be counted
        portal.context.clear_cookies()
        if page.signed_in:
            remember(portal, live_server.url, alice)
        asked.clear()
        try:
            _look(portal, live_server.url + page.url, asked)
        except AssertionError as problem:
            wrong.append(f"{page.name}: {problem}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_moves_while_a_page_comes_in_slowly(
    portal: Page, live_server: LiveServer, alice: User, device: Device, width: int
) -> None:
    scene.lively(device)
    remember(portal, live_server.url, alice)
    show(portal, "light", width)
    line = portal.context.new_cdp_session(portal)
    line.send("Network.enable")
    code = AccessCode.objects.get(name="Ben Okafor")
    for path in ("/codes/", f"/devices/{device.pk}/", f"/g/{code.guest_token}/"):
        line.send("Network.emulateNetworkConditions", {**AT_ONCE, "downloadThroughput": -1})
        portal.goto(live_server.url + path)  # style and script are kept from now on
        size = len(portal.content())
        line.send("Network.emulateNetworkConditions", {**AT_ONCE, "downloadThroughput": size / 2})
        portal.goto(live_server.url + path)
        assert portal.evaluate(SHIFTS) == 0, f"something moved while {path} came in"


def _look(page: Page, url: str, asked: list[Request]) -> None:
    show(page, "light", 1280)
    page.goto(url)
    cold = [request.url for request in asked if "/live/" not in request.url]
    assert len(cold) <= MOST_REQUESTS, cold
    assert page.evaluate(SHIFTS) == 0, "something moved while it was loaded"
    look_around(page)
