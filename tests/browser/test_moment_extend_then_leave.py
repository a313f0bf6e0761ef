"""Extend, then leave: four presses move both ends; nothing says "Removed" before the lock has said so."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from codes.services import pull_backup
from devices.models import Device, SimulatedLock
from portal.clock import wall_clock
from portal.models import User
from tests import engine
from tests.browser.conftest import remember
from tests.browser.hand import Hand

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WITHIN = 12_000  # milliseconds: two polls and a slow machine


@pytest.mark.parametrize("width", [1280, 360], ids=["desktop", "phone"])
def test_a_covered_stay_is_extended_in_four_clicks_and_ends_everywhere(
    portal: Page, live_server: LiveServer, alice: User, device: Device, lock: SimulatedLock, width: int
) -> None:
    engine.fill_pool(device)
    code = engine.guest(device, "Ben Okafor", starts=timedelta(hours=-1))
    engine.settle(device)
    spare = pull_backup(code)
    engine.settle(device)
    hand = Hand()
    portal.set_viewport_size({"width": width, "height": 800})
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/devices/{device.pk}/")
    hand.click(portal.get_by_role("link", name="Ben Okafor", exact=True))
    hand.click(portal.get_by_role("link", name="Edit dates, name and reference"))
    expect(portal.get_by_text(f"Ben Okafor uses {spare}. It follows")).to_be_visible()
    assert code.ends_at is not None
    later = wall_clock(code.ends_at + timedelta(days=1), "Europe/Lisbon")
    portal.get_by_label("Checkout").fill(later.strftime("%Y-%m-%dT%H:%M"))
    hand.click(portal.get_by_role("button", name="Save"))
    expect(portal.get_by_text("Ben Okafor’s code is changed.")).to_be_visible()
    assert hand.clicks <= 4

    held = engine.backup(code)
    code.refresh_from_db()
    assert held is not None and held.wanted_until == code.ends_at == later.replace(second=0, microsecond=0)

    engine.fault(device, SimulatedLock.Fault.UNREACHABLE)
    with engine.later(days=3):
        engine.settle(device)
    with engine.later(days=3, minutes=10):
        engine.settle(device)
        portal.goto(f"{live_server.url}/codes/{code.pk}/")
        expect(portal.get_by_text("Removal overdue (may still open the door)")).to_be_visible()
        expect(portal.locator(".badge", has_text="Removed")).to_have_count(0)
        engine.fault(device)
    with engine.later(days=3, minutes=11):
        engine.settle(device)
        expect(portal.locator(".badge", has_text="Removed")).to_be_visible(timeout=WITHIN)
        assert held.secret.reveal() not in engine.truth(device).values()
