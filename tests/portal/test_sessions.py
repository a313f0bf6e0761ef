"""A copy of the database lets nobody in: sessions stand there under a digest of their key."""

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from portal.models import User
from portal.sessions import SessionStore, stored


def with_key(key: str) -> Client:
    return Client(headers={"cookie": f"{settings.SESSION_COOKIE_NAME}={key}"})


def test_what_the_table_holds_signs_nobody_in(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/").status_code == 200
    row = Session.objects.get()
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert row.session_key == stored(cookie) != cookie
    assert with_key(row.session_key).get("/").status_code == 302
    assert with_key(cookie).get("/").status_code == 200


def test_a_session_is_kept_changed_and_ended(db: None) -> None:
    session = SessionStore()
    session["a"] = 1
    session.save()
    again = SessionStore(session.session_key)
    assert again["a"] == 1
    again["a"] = 2
    again.save()
    assert SessionStore(session.session_key)["a"] == 2
    assert again.exists(str(session.session_key))
    again.delete()
    assert not Session.objects.exists() and not again.exists(str(session.session_key))


def test_signing_in_changes_the_key_and_ends_the_old_one(client: Client, alice: User) -> None:
    client.force_login(alice)
    before = client.session.session_key
    session = client.session
    session.cycle_key()
    assert session.session_key != before
    assert [row.session_key for row in Session.objects.all()] == [stored(str(session.session_key))]


@pytest.mark.parametrize("key", ["", "short", "x" * 500, "made up \x00"])
def test_a_key_made_up_is_nobodys(db: None, key: str) -> None:
    assert SessionStore(key).load() == {}
