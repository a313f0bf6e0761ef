"""A manager adds a code, watches it become set, and reads its PIN, which opens the lock."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from codes.models import AccessCode
from devices.models import Device, SimulatedLock
from portal.models import User
from tests import engine
from tests.browser.conftest import remember

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WITHIN = 12_000


def test_add_a_code_and_watch_it_become_set(
    portal: Page, live_server: LiveServer, alice: User, device: Device, lock: SimulatedLock
) -> None:
    engine.fill_pool(device)
    remember(portal, live_server.url, alice)
    portal.goto(live_server.url)
    portal.get_by_role("link", name="Devices").click()
    portal.get_by_role("link", name="Front door").click()
    portal.get_by_role("link", name="Add code").click()
    portal.get_by_label("Name").fill("Amelia Hart")
    portal.get_by_label("Booking reference").fill("RES-20418")
    portal.get_by_label("Check-in").fill(f"{timezone.now() + timedelta(hours=1):%Y-%m-%dT%H:%M}")
    portal.get_by_label("Checkout").fill(f"{timezone.now() + timedelta(days=2):%Y-%m-%dT%H:%M}")
    portal.get_by_role("button", name="Add code").click()
    row = portal.get_by_role("row").filter(has_text="Amelia Hart")
    expect(row).to_contain_text("Setting")

    engine.settle(device)

    expect(row).to_contain_text("Set on lock", timeout=WITHIN)
    row.get_by_role("button", name="Show PIN").click()
    digits = row.locator(".digits")
    expect(digits).to_be_visible()
    assert digits.inner_text() in engine.truth(device).values()
    assert engine.opens(device, AccessCode.objects.get())


def test_what_was_typed_survives_an_error_and_a_suggestion(
    portal: Page, live_server: LiveServer, alice: User, device: Device
) -> None:
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/codes/new/{device.pk}/")
    portal.get_by_label("Ongoing").check()
    expect(portal.get_by_text("Backup codes do not cover ongoing codes.")).to_be_visible()
    expect(portal.get_by_label("Check-in")).to_be_hidden()
    portal.get_by_label("Name").fill("Housekeeping")
    portal.get_by_role("button", name="Suggest a PIN").click()
    expect(portal.get_by_label("PIN", exact=False)).not_to_have_value("")
    portal.get_by_label("PIN", exact=False).fill("12")
    portal.get_by_role("button", name="Add code").click()
    expect(portal.get_by_label("Name")).to_have_value("Housekeeping")
    expect(portal.locator("#id_pin_error")).to_be_visible()
    expect(portal.get_by_label("Ongoing")).to_be_checked()
