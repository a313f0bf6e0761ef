"""Every page of the portal, found by walking its addresses: a page that is added is tested, or said to be missing.

The admin's own pages are not among these: `tests/staff` and `tests/browser/test_accessible_admin.py` walk them.
"""

from dataclasses import dataclass

from django.http import HttpResponse
from django.test import Client

from portal.models import User
from tests.test_isolation import ALL, address

# Pages that nobody reaches without doing something first: the test that does it, and has axe look.
ELSEWHERE = {
    "device_mark_removed": "tests.browser.test_accessible_lock_pages.test_pages",
    "device_removed": "tests.browser.test_accessible_lock_pages.test_pages",
    "look_begin": "tests.browser.test_accessible_admin.test_the_pages_around_them",
    "mfa_activate_totp": "tests.browser.test_account_journeys.test_a_second_factor_from_set_up_to_removal",
    "mfa_authenticate": "tests.browser.test_account_journeys.test_a_second_factor_from_set_up_to_removal",
    "mfa_view_recovery_codes": "tests.browser.test_account_journeys.test_a_second_factor_from_set_up_to_removal",
    "mfa_generate_recovery_codes": "tests.browser.test_account_journeys.test_a_second_factor_from_set_up_to_removal",
    "mfa_deactivate_totp": "tests.browser.test_account_journeys.test_a_second_factor_from_set_up_to_removal",
    "mfa_reauthenticate": "tests.browser.test_account_journeys.test_a_second_factor_from_set_up_to_removal",
}
# Addresses that show nobody a page.
NEVER = {
    "account_confirm_login_code": "signing in by a mailed code is switched off",
    "account_set_password": "everybody has a password: it leads to changing it",
    "favicon": "leads to the picture",
    "mfa_download_recovery_codes": "a file",
    "metrics": "numbers, for whom the settings name",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page, and whether one must be signed in to see it."""

    name: str
    url: str
    signed_in: bool


def pages(alice: User, arguments: dict[str, list[object]]) -> list[Page]:
    """All pages that an owner sees without doing anything first, and those that are for people signed out."""
    return [page for name in ALL if (page := _page(name, alice, arguments))]


def unknown(alice: User, arguments: dict[str, list[object]]) -> list[str]:
    """Addresses of which nobody knows whether there is a page behind them."""
    known = {page.name for page in pages(alice, arguments)} | {*ELSEWHERE, *NEVER}
    return [name for name in ALL if name not in known and not _shows_no_page(name, alice, arguments)]


def _page(name: str, alice: User, arguments: dict[str, list[object]]) -> Page | None:
    url = address(name, arguments)
    for signed_in in (True, False):
        if _whole(_client(alice, signed_in).get(url)):
            return Page(name, url, signed_in)
    return None


def _shows_no_page(name: str, alice: User, arguments: dict[str, list[object]]) -> bool:
    """A deed, a file, or a part of a page."""
    answer = _client(alice, True).get(address(name, arguments))
    return answer.status_code in (204, 405) or (answer.status_code == 200 and not _whole(answer))


def _client(alice: User, signed_in: bool) -> Client:
    client = Client()
    if signed_in:
        client.force_login(alice)
    return client


def _whole(answer: HttpResponse) -> bool:
    return answer.status_code == 200 and not answer.streaming and b"<html" in answer.content
