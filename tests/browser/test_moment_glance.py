"""08:00, a glance: home says without a press who is at risk, or that all is well; and never what was not checked."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from devices.models import Device, Property, SimulatedLock
from portal.live import LATER
from portal.models import Heartbeat, User
from tests import engine, factories
from tests.browser.conftest import remember

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WITHIN = 12_000  # milliseconds: two polls and a slow machine


@pytest.fixture
def home(portal: Page, live_server: LiveServer, alice: User, device: Device, lock: SimulatedLock) -> Page:
    """Three arrivals whose codes the lock has confirmed."""
    engine.fill_pool(device)
    for hours, name in ((5, "Amelia Hart"), (29, "Ben Okafor"), (60, "Chloé Martin")):
        engine.guest(device, name, starts=timedelta(hours=hours))
    engine.settle(device)
    remember(portal, live_server.url, alice)
    portal.goto(live_server.url)
    return portal


def test_all_is_well_in_one_line(home: Page) -> None:
    expect(home.get_by_text("All 3 arrivals have a working code")).to_be_visible()
    expect(home.get_by_text("Oldest confirmation")).to_contain_text("Lisbon time")
    expect(home.get_by_role("table")).to_have_count(0)
    expect(home.get_by_text("Every pool is full, every lock can be reached")).to_be_visible()


def test_the_worst_comes_first_by_itself(home: Page, device: Device, place: Property) -> None:
    home.clock.install()
    home.reload()
    side = factories.DeviceFactory(property=place, hub=device.hub, name="Side door")
    engine.fault(side, SimulatedLock.Fault.UNREACHABLE)
    engine.guest(side, "Dana Whitfield", starts=timedelta(hours=2))
    engine.turn(side)
    home.clock.fast_forward(LATER * 1000)  # the page looks again by itself after so long; nobody waits for it here
    first = home.get_by_role("row").nth(1)
    expect(first).to_contain_text("Dana Whitfield", timeout=WITHIN)
    expect(first).to_contain_text("Side door, Lakeview Cottage")
    expect(first).to_contain_text("Not on lock yet")
    expect(first).to_contain_text("try")
    expect(first).to_contain_text("Next try")
    expect(home.get_by_text("3 of 4 arrivals have a working code.")).to_be_visible()
    expect(home.locator("#nav-home .count")).to_contain_text("1")
    expect(home.get_by_text("All 3 arrivals")).to_have_count(0)
    home.get_by_role("link", name="Dana Whitfield").click()
    expect(home.get_by_role("heading", level=1)).to_have_text("Dana Whitfield")


def test_a_portal_that_stands_still_promises_nothing(home: Page) -> None:
    Heartbeat.objects.filter(name="tick").update(beat_at=timezone.now() - timedelta(seconds=61))
    home.reload()
    expect(home.get_by_role("heading", name="The portal itself stands still")).to_be_visible()
    expect(home.get_by_text("have a working code")).to_have_count(0)
    engine.tick()
    expect(home.locator("main").get_by_text("All 3 arrivals have a working code")).to_be_visible(timeout=WITHIN)
    expect(home.locator("main").get_by_text("stands still")).to_have_count(0)
