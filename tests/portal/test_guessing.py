"""Whoever tries out secret links is slowed down, and nobody else is."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from codes.models import AccessCode
from devices.models import Device
from portal import guessing, people
from portal.models import User, Workspace
from tests.engine import guest


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guessing, "MOST", 3)


def guess(client: Client, count: int, *, address: str = "192.0.2.7") -> list[int]:
    urls = [reverse("guest_page", args=[f"made-up-{n}"]) for n in range(count)]
    return [client.get(url, REMOTE_ADDR=address).status_code for url in urls]


@pytest.fixture
def link(device: Device) -> str:
    return reverse("guest_page", args=[guest(device).guest_token])


def test_after_many_wrong_links_none_is_looked_up(client: Client, link: str) -> None:
    assert guess(client, 4) == [404, 404, 404, 429]
    assert client.get(link, REMOTE_ADDR="192.0.2.7").status_code == 429
    assert client.post(f"{link}not-working/", REMOTE_ADDR="192.0.2.7").status_code == 429


def test_the_page_says_what_to_do(client: Client, db: None) -> None:
    guess(client, 4)
    page = client.get(reverse("guest_page", args=["x"]), REMOTE_ADDR="192.0.2.7").content.decode()
    assert "Wait ten minutes" in page and "Call your host" in page


def test_others_are_not_slowed_down(client: Client, link: str) -> None:
    guess(client, 5)
    assert client.get(link, REMOTE_ADDR="192.0.2.8").status_code == 200


def test_a_page_that_refreshes_itself_on_one_dead_link_is_one_guess(client: Client, link: str) -> None:
    dead = reverse("guest_page", args=["taken-back"])
    assert [client.get(dead, REMOTE_ADDR="192.0.2.7").status_code for _ in range(20)] == [404] * 20
    assert client.get(link, REMOTE_ADDR="192.0.2.7").status_code == 200


def test_right_links_are_no_guesses(client: Client, link: str) -> None:
    assert {client.get(link, REMOTE_ADDR="192.0.2.7").status_code for _ in range(10)} == {200}
    assert guess(client, 1) == [404]


def test_it_ends_by_itself(client: Client, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guessing, "WITHIN", 0)
    assert guess(client, 6) == [404] * 6


def test_behind_a_proxy_the_visitors_own_address_counts(client: Client, link: str, settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for n in range(4):
        client.get(reverse("guest_page", args=[f"made-up-{n}"]), headers={"x-forwarded-for": "198.51.100.1, 192.0.2.7"})
    assert client.get(link, headers={"x-forwarded-for": "192.0.2.7"}).status_code == 429
    assert client.get(link, headers={"x-forwarded-for": "192.0.2.7, 192.0.2.9"}).status_code == 200


def test_a_guest_whose_address_is_not_known_is_let_in(client: Client, link: str, settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    assert client.get(link, headers={"x-forwarded-for": "192.0.2.7"}).status_code == 200
    assert client.get(link, REMOTE_ADDR="").status_code == 200


def test_invitations_too(client: Client, workspace: Workspace, alice: User) -> None:
    _invitation, token = people.invite(workspace=workspace, email="new@example.org", role="viewer", actor=alice)
    answers = [client.get(reverse("join", args=[f"made-up-{n}"])).status_code for n in range(4)]
    assert answers == [410, 410, 410, 429]
    assert client.get(reverse("join", args=[token])).status_code == 429


def test_nothing_is_kept_that_tells_a_link(client: Client, link: str) -> None:
    guess(client, 4)
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM portal_cache")
        kept = str(cursor.fetchall())
    assert "made-up" not in kept and "192.0.2.7" not in kept and AccessCode.objects.get().guest_token not in kept
