"""What every page carries, and the pages for when something is wrong."""

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from portal.models import User
from tests import factories


def test_signed_out_people_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/devices/")["Location"] == "/accounts/login/?next=/devices/"


def test_sign_in_offers_no_sign_up(client: Client, db: None) -> None:
    page = client.get(reverse("account_login"))
    assert b"Accounts are made by invitation" in page.content
    assert b"/accounts/signup/" not in page.content


def test_signing_out_is_a_post(signed_in: Client) -> None:
    page = signed_in.get(reverse("device_list"))
    assert b'action="/accounts/logout/" method="post"' in page.content


def test_a_page_has_a_skip_link_and_strict_htmx(signed_in: Client) -> None:
    page = signed_in.get(reverse("device_list")).content
    assert b'<a class="skip" href="#main">' in page
    assert b'"allowEval":false' in page and b'"includeIndicatorStyles":false' in page


def test_no_page_part_is_inline_script_or_style(signed_in: Client) -> None:
    page = signed_in.get(reverse("device_list"))
    assert b"<style" not in page.content and b"style=" not in page.content and b"onclick" not in page.content
    assert "default-src 'self'" in page["Content-Security-Policy"]


def test_somebody_without_a_workspace_is_told_so(client: Client, db: None) -> None:
    client.force_login(factories.UserFactory())
    page = client.get(reverse("device_list"))
    assert page.status_code == 403
    assert b"Ask its owner to invite you" in page.content


def test_nothing_there_is_a_page_of_ours(signed_in: Client) -> None:
    page = signed_in.get("/nothing/")
    assert page.status_code == 404
    assert b"There is nothing here" in page.content


@pytest.mark.parametrize(("template", "words"), [("500.html", "has been recorded"), ("429.html", "Wait ten minutes")])
def test_error_pages_need_no_request(template: str, words: str) -> None:
    assert words in render_to_string(template)


def test_too_old_a_form_is_explained(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    page = strict.post(reverse("account_logout"))
    assert page.status_code == 403
    assert b"This page was open too long" in page.content


def test_two_factor_shows_its_picture_inline(signed_in: Client, alice: User) -> None:
    signed_in.post(reverse("account_reauthenticate"), {"password": "correct horse"})
    page = signed_in.get(reverse("mfa_activate_totp"))
    assert b"<svg" in page.content
    assert b"Set up your authenticator app" in page.content
