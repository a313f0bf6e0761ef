"""A manager watches a lock refuse a guest's code, and a backup take its place, without touching the page."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from devices.models import Device, SimulatedLock
from portal.models import User
from tests import engine
from tests.browser.conftest import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WITHIN = 12_000  # milliseconds: two polls and a slow machine


def test_sign_in_and_see_a_pull_happen_live(
    portal: Page, live_server: LiveServer, alice: User, device: Device, lock: SimulatedLock
) -> None:
    engine.fill_pool(device)
    engine.fault(device, SimulatedLock.Fault.REJECT_SET)
    code = engine.guest(device, "Ben Okafor")
    sign_in(portal, live_server.url, alice)
    portal.get_by_role("link", name="Devices").click()
    portal.get_by_role("link", name="Front door").click()
    row = portal.locator(f"#code-{code.pk}")
    expect(row).to_contain_text("Setting")
    expect(portal.locator(".pool")).to_contain_text("5 of 5 ready.")
    portal.get_by_label("Name, reference or backup").fill("oka")
    portal.evaluate("window.stillTheSamePage = true")

    engine.settle(device)

    backup = engine.backup(code).backup_code
    expect(row).to_contain_text(f"Covered by backup {backup.code_id}", timeout=WITHIN)
    expect(row).to_contain_text(f"Guest uses Backup {backup.code_id}")
    expect(portal.locator(f"#backup-{backup.pk}")).to_contain_text("Covers Ben Okafor")
    expect(portal.locator(".pool")).to_contain_text("4 of 5 ready.")
    expect(portal.locator("#activity")).to_contain_text(f"Backup {backup.code_id} given to Ben Okafor")
    expect(portal.get_by_label("Name, reference or backup")).to_have_value("oka")
    expect(portal.get_by_label("Name, reference or backup")).to_be_focused()
    assert portal.evaluate("window.stillTheSamePage")

    engine.fault(device)
    with engine.later(hours=1):
        engine.settle(device)
    expect(portal.locator(".pool")).to_contain_text("5 of 5 ready.", timeout=25_000)
