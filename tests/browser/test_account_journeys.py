"""What a person does about their own account: sign-in, a forgotten password, another address, a second factor."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.cache import cache
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from portal import people
from portal.models import User
from tests.browser.conftest import Watch, assert_accessible, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LINK = re.compile(r"https?://[^/\s]+(/\S+)")


def mailed_link() -> str:
    found = LINK.search(str(mail.outbox[-1].body))
    assert found
    return found[1]


@pytest.mark.parametrize("width", [1280, 360], ids=["desktop", "phone"])
def test_signing_in_wrongly_then_rightly_and_out(
    portal: Page, live_server: LiveServer, alice: User, width: int
) -> None:
    portal.set_viewport_size({"width": width, "height": 800})
    portal.goto(f"{live_server.url}/codes/")
    portal.get_by_label("Email").fill(alice.email)
    portal.get_by_label("Password").fill("wrong horse")
    portal.get_by_role("button", name="Sign in").click()
    expect(portal.get_by_text("password you specified are not correct")).to_be_visible()
    assert_accessible(portal)
    expect(portal.get_by_label("Email")).to_have_value(alice.email)
    portal.get_by_label("Password").fill("correct horse")
    portal.get_by_role("button", name="Sign in").click()
    expect(portal.get_by_role("heading", level=1)).to_have_text("Codes")  # where the person wanted to go
    portal.get_by_role("button", name="Sign out").click()
    expect(portal.get_by_label("Email")).to_be_visible()
    portal.goto(f"{live_server.url}/codes/")
    expect(portal.get_by_label("Email")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 360], ids=["desktop", "phone"])
def test_a_forgotten_password(portal: Page, live_server: LiveServer, alice: User, width: int) -> None:
    people.vouch_for(alice)
    portal.set_viewport_size({"width": width, "height": 800})
    portal.goto(f"{live_server.url}/accounts/login/")
    portal.get_by_role("link", name=re.compile("Forgot")).click()
    expect(portal.get_by_role("heading", level=1)).to_have_text("Forgot your password?")
    portal.get_by_label("Email").fill(alice.email)
    portal.get_by_role("button").last.click()
    portal.wait_for_url(re.compile("/reset/done/"))
    portal.goto(f"{live_server.url}{mailed_link()}")
    assert_accessible(portal)
    for field in portal.locator("input[type=password]").all():
        field.fill("a long and windy road")
    portal.get_by_role("button", name="Save the new password").click()
    portal.wait_for_url(re.compile("/key/done/"))
    assert_accessible(portal)
    portal.goto(f"{live_server.url}/accounts/login/")
    portal.get_by_label("Email").fill(alice.email)
    portal.get_by_label("Password").fill("a long and windy road")
    portal.get_by_role("button", name="Sign in").click()
    expect(portal.get_by_role("heading", level=1)).to_have_text("Arrivals")


def test_another_address(portal: Page, live_server: LiveServer, alice: User) -> None:
    people.vouch_for(alice)
    sign_in(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/settings/account/")
    portal.get_by_role("link", name=re.compile("e-mail", re.I)).first.click()
    expect(portal.get_by_role("heading", level=1)).to_have_text("Change e-mail")
    portal.get_by_label(re.compile("e-?mail", re.I)).last.fill("alice@new.example")
    portal.get_by_role("button", name=re.compile("Change|Save|Add", re.I)).first.click()
    expect(portal.get_by_text("alice@new.example").first).to_be_visible()
    assert_accessible(portal)
    alice.refresh_from_db()
    assert alice.email != "alice@new.example"  # not before the mail was answered
    portal.goto(f"{live_server.url}{mailed_link()}")
    assert_accessible(portal)
    portal.get_by_role("button", name=re.compile("Confirm", re.I)).click()
    expect(portal.get_by_text("You have confirmed alice@new.example.")).to_be_visible()
    alice.refresh_from_db()
    assert alice.email == "alice@new.example"


def totp(secret: str) -> str:
    """The six digits that an authenticator app would show now."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def confirm(page: Page) -> None:
    """The password again, before what guards the account is changed."""
    expect(page.get_by_role("heading", level=1)).to_contain_text("Confirm")
    assert_accessible(page)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Confirm").first.click()


def test_a_second_factor_from_set_up_to_removal(
    portal: Page, watch: Watch, live_server: LiveServer, alice: User
) -> None:
    people.vouch_for(alice)
    sign_in(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/accounts/2fa/totp/activate/")
    confirm(portal)
    expect(portal.get_by_role("heading", level=1)).to_have_text("Set up your authenticator app")
    assert_accessible(portal)
    secret = portal.locator("code.digits").inner_text()
    portal.get_by_label(re.compile("code", re.I)).last.fill(totp(secret))
    portal.get_by_role("button", name="Turn it on").click()
    expect(portal.get_by_text(re.compile("recovery codes", re.I)).first).to_be_visible()
    portal.goto(f"{live_server.url}/accounts/2fa/recovery-codes/")
    assert_accessible(portal)
    portal.goto(f"{live_server.url}/accounts/2fa/recovery-codes/generate/")
    assert_accessible(portal)
    portal.goto(f"{live_server.url}/")
    portal.get_by_role("button", name="Sign out").click()
    cache.clear()  # the same six digits are taken once within their half minute
    portal.get_by_label("Email").fill(alice.email)
    portal.get_by_label("Password").fill("correct horse")
    portal.get_by_role("button", name="Sign in").click()
    portal.wait_for_url(re.compile("/2fa/authenticate/"))
    assert_accessible(portal)
    portal.get_by_label(re.compile("code", re.I)).first.fill(totp(secret))
    portal.get_by_role("button", name=re.compile("Sign in", re.I)).first.click()
    expect(portal.get_by_role("heading", level=1)).to_have_text("Arrivals")
    portal.goto(f"{live_server.url}/accounts/2fa/reauthenticate/")
    assert_accessible(portal)
    portal.get_by_label(re.compile("code", re.I)).first.fill(totp(secret))
    portal.goto(f"{live_server.url}/accounts/2fa/totp/deactivate/")
    confirm(portal)
    assert_accessible(portal)
    portal.get_by_role("button", name=re.compile("Deactivate|Turn off", re.I)).click()
    portal.wait_for_url(re.compile("/2fa/$"))
    assert not Authenticator.objects.filter(user=alice, type=Authenticator.Type.TOTP).exists()
