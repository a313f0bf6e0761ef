"""The silent pull, the guest’s page open beside the lock’s: both change by themselves, and the guest never knows."""

from datetime import timedelta

import pytest
from django.core import mail
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from devices.models import Device, SimulatedLock
from portal.models import User
from tests import engine
from tests.browser.conftest import Watch, remember

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WITHIN = 12_000  # milliseconds: two polls and a slow machine


def test_lock_page_and_guests_page_change_by_themselves(
    portal: Page, browser: Browser, live_server: LiveServer, alice: User, device: Device, lock: SimulatedLock
) -> None:
    engine.fill_pool(device)
    engine.fault(device, SimulatedLock.Fault.REJECT_SET)
    code = engine.guest(device, "Ben Okafor", starts=timedelta(minutes=-5))
    guest = browser.new_context().new_page()
    guest_watch = Watch(guest, live_server.url)
    guest.goto(f"{live_server.url}/g/{code.guest_token}/")
    shell = guest.locator("h1").inner_text()
    expect(guest.locator(".guest-pin")).to_have_count(0)
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/devices/{device.pk}/")
    field = portal.get_by_label("Name, reference or backup")
    field.fill("oka")
    for page in (portal, guest):
        page.evaluate("window.stillTheSamePage = true")

    engine.settle(device)

    backup = engine.backup(code).backup_code
    digits = backup.pin.secret.reveal()
    expect(guest.locator(".guest-pin")).to_have_text(digits, timeout=WITHIN)
    expect(portal.locator(f"#code-{code.pk}")).to_contain_text(f"Covered by backup {backup.code_id}", timeout=WITHIN)
    expect(portal.locator(f"#code-{code.pk}")).to_contain_text(f"Guest uses Backup {backup.code_id}")
    expect(portal.locator("#activity")).to_contain_text(f"Backup {backup.code_id} given to Ben Okafor")
    expect(portal.locator(f"#backup-{backup.pk}")).to_contain_text("Covers Ben Okafor")
    expect(portal.locator(".pool")).to_contain_text("4 of 5 ready.")
    expect(field).to_have_value("oka")
    expect(field).to_be_focused()
    for page in (portal, guest):
        assert page.evaluate("window.stillTheSamePage")
    assert guest.locator("h1").inner_text() == shell
    assert "backup" not in guest.content().lower()
    assert digits in engine.truth(device).values()
    assert mail.outbox == []
    assert not guest_watch.problems
