"""23:00, a guest calls. A phone, three presses to the PIN, and five to another one if that fails."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from codes.models import AccessCode, CodePin
from devices.models import Device, Event, SimulatedLock
from portal.models import Membership, User
from tests import engine
from tests.browser.conftest import remember
from tests.browser.hand import Hand

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ben(device: Device, lock: SimulatedLock) -> AccessCode:
    """Ben's code is on the lock; one of the five spares is Ana's, and the lock goes offline before a new one came."""
    engine.fill_pool(device)
    ben = engine.guest(device, "Ben Okafor", booking_reference="RES-20431")
    engine.settle(device)
    engine.fault(device, SimulatedLock.Fault.REJECT_SET)
    engine.guest(device, "Ana Ruiz")
    engine.settle(device)
    assert len(engine.ready(device)) == 4
    return ben


@pytest.fixture
def phone(portal: Page, live_server: LiveServer, ben: AccessCode, alice: User) -> Page:
    """Whoever has the night shift, on the home page."""
    Membership.objects.filter(user=alice).update(role=Membership.Role.NIGHT)
    portal.set_viewport_size({"width": 360, "height": 740})
    remember(portal, live_server.url, alice)
    portal.goto(live_server.url)
    return portal


def find(phone: Page, hand: Hand, words: str) -> None:
    field = phone.get_by_label("Guest, booking, property or door")
    hand.click(field)
    field.fill(words)
    hand.enter(field)
    phone.wait_for_url("**/search/?q=*")


def test_three_presses_show_the_pin_that_opens_the_lock(
    phone: Page, ben: AccessCode, device: Device, alice: User
) -> None:
    hand = Hand()
    find(phone, hand, "oka")
    hand.click(phone.get_by_role("button", name="Show PIN of Ben Okafor"))
    digits = phone.locator(".digits").inner_text()
    assert hand.clicks <= 3
    assert digits in engine.truth(device).values()
    seen = Event.objects.get(type=Event.Type.CODE_REVEALED)
    assert (seen.subject, seen.actor) == (ben.pk, alice)


@pytest.mark.parametrize("words", ["20431", "BEN", "okafor front"])
def test_a_reference_or_the_door_finds_him_too(phone: Page, ben: AccessCode, words: str) -> None:
    find(phone, Hand(), words)
    expect(phone.get_by_role("button", name="Show PIN of Ben Okafor")).to_be_visible()


def test_five_presses_give_another_pin_though_the_lock_is_offline(phone: Page, ben: AccessCode, device: Device) -> None:
    hand = Hand()
    find(phone, hand, "oka")
    hand.click(phone.get_by_role("button", name="Show PIN of Ben Okafor"))
    dead = phone.locator(".digits").inner_text()

    engine.fault(device, SimulatedLock.Fault.UNREACHABLE)
    hand.click(phone.get_by_role("link", name="Use a backup code now for Ben Okafor"))
    hand.click(phone.get_by_role("button", name="Use one (4 left) and show its PIN"))
    digits = phone.locator(".digits").inner_text()
    assert hand.clicks <= 5

    assert digits != dead and digits in engine.truth(device).values()
    given = CodePin.objects.get(code=ben, role=CodePin.Role.BACKUP)
    assert given.pin.secret.reveal() == digits and given.revealed_at is not None


def test_without_javascript_it_takes_no_more(
    phone: Page, live_server: LiveServer, ben: AccessCode, device: Device, alice: User
) -> None:
    plain = phone.context.browser
    assert plain is not None
    page = plain.new_context(java_script_enabled=False).new_page()
    remember(page, live_server.url, alice)
    page.goto(live_server.url)
    hand = Hand()
    find(page, hand, "oka")
    hand.click(page.get_by_role("button", name="Show PIN of Ben Okafor"))
    assert page.locator(".digits").inner_text() in engine.truth(device).values()
    assert hand.clicks <= 3
