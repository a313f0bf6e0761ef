"""Exhausted, offline, arrival in two hours: a mail, three presses to all that can be done, and one "Resolved"."""

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.core import mail
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from codes.models import AccessCode
from codes.notifications import notify
from devices.models import Device, Property, SimulatedLock
from devices.services import check_lock
from portal.models import User
from portal.outbox import send_due
from tests import engine
from tests.browser.conftest import assert_accessible, remember
from tests.browser.hand import Hand

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WITHIN = 15_000  # milliseconds


@pytest.fixture
def chloe(device: Device, lock: SimulatedLock, alice: User) -> AccessCode:
    """Five guests' codes were refused and took all the backups; then the lock went offline, and Chloé comes at five."""
    Property.objects.update(if_nothing_works="Key safe by the bins")
    engine.fill_pool(device)
    engine.fault(device, SimulatedLock.Fault.REJECT_SET)
    for number in range(5):
        engine.guest(device, f"Guest {number}", starts=timedelta(hours=number + 1))
    engine.settle(device, turns=30)
    engine.fault(device, SimulatedLock.Fault.UNREACHABLE)
    code = engine.guest(device, "Chloé Martin", starts=timedelta(hours=2))
    engine.settle(device)
    return code


def post() -> list[str]:
    """What is mailed within a minute from now."""
    before = len(mail.outbox)
    for seconds in (0, 20, 40, 59):
        with engine.later(seconds=seconds):
            engine.tick()
            notify()
            send_due()
    return [told.subject for told in mail.outbox[before:]]


@pytest.mark.parametrize("width", [1280, 360], ids=["desktop", "phone"])
def test_mail_page_check_and_support_then_healed(
    portal: Page, live_server: LiveServer, alice: User, device: Device, chloe: AccessCode, width: int
) -> None:
    with engine.later(minutes=2, seconds=5):  # so long a last-minute booking may take
        subjects = post()
        assert subjects[0].startswith("Act now: no working code for Chloé Martin, Lakeview Cottage Front door")
        assert len(subjects) == 1, subjects  # the empty pool is in the same mail
        body = str(mail.outbox[-1].body)
        assert "No backup codes are ready" in body
        link = re.search(rf"https?://[^/]+(/codes/{chloe.pk}/)", body)
        assert link is not None

        portal.set_viewport_size({"width": width, "height": 800})
        remember(portal, live_server.url, alice)
        hand = Hand()
        portal.goto(live_server.url + link[1])
        hand.clicks += 1  # the link in the mail
        expect(portal.get_by_role("heading", name="No working code for Chloé Martin")).to_be_visible()
        expect(portal.get_by_text("Key safe by the bins")).to_be_visible()
        assert_accessible(portal)

        hand.click(portal.get_by_role("button", name="Check lock now"))
        expect(portal.get_by_text("Checking the lock now.")).to_be_visible()
        engine.turn(device)
        expect(portal.get_by_text("Offline since").first).to_be_visible(timeout=WITHIN)
        support = portal.get_by_role("link", name="Contact support")
        prefilled = unquote(support.get_attribute("href") or "")
        hand.clicks += 1  # it opens the mail program
        assert hand.clicks == 3
        for told in ("mailto:", "Front door, Lakeview Cottage", "Backup pool exhausted", "offline since", "Since: "):
            assert told in prefilled, prefilled

    engine.fault(device)
    with engine.later(minutes=3, seconds=30):
        Device.objects.filter(pk=device.pk).update(next_sync_at=None, read_wanted=True)
        check_lock(device)
        engine.settle(device, turns=30)
        assert engine.opens(device, chloe)
        expect(portal.get_by_text("Online", exact=True).first).to_be_visible(timeout=WITHIN)
    with engine.later(minutes=4):
        resolved = post()
        notify()
    with engine.later(minutes=7):
        resolved += post()
    assert len(resolved) == 1 and resolved[0].startswith("Resolved: "), resolved
