"""A guest's link can be made by who has the keys alone: not guessed, not taken from a copy of the database."""

import uuid

import pytest
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from codes import guest_link
from codes.booking import renew_link
from codes.models import AccessCode
from devices.models import Device
from tests.engine import guest


@pytest.fixture
def code(device: Device) -> AccessCode:
    return guest(device)


def opens(client: Client, token: str) -> bool:
    return client.get(f"/g/{token}/").status_code == 200


def test_it_opens_its_code_and_no_other(client: Client, code: AccessCode, device: Device) -> None:
    other = guest(device, "Ana Ruiz")
    assert opens(client, code.guest_token)
    swapped = code.guest_token[: guest_link.ID_LENGTH] + other.guest_token[guest_link.ID_LENGTH :]
    assert not opens(client, swapped)


@pytest.mark.parametrize("spot", [0, 21, 22, 43])
def test_a_letter_changed_and_it_is_none(client: Client, code: AccessCode, spot: int) -> None:
    token = code.guest_token
    letter = "A" if token[spot] not in "AB" else "w"
    assert not opens(client, token[:spot] + letter + token[spot + 1 :])


def test_one_taken_back_leads_nowhere(client: Client, code: AccessCode) -> None:
    old = code.guest_token
    renew_link(code)
    assert not opens(client, old) and opens(client, code.guest_token) and old != code.guest_token


def test_what_the_database_holds_makes_none(client: Client, code: AccessCode, settings: Settings) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM codes_accesscode")
        cells = [str(cell) for row in cursor.fetchall() for cell in row]
    assert code.guest_token[guest_link.ID_LENGTH :] not in "".join(cells)
    right = code.guest_token
    settings.PIN_DIGEST_KEY = "whoever took the copy makes one up"
    forged = AccessCode.objects.get().guest_token
    settings.PIN_DIGEST_KEY = "only for tests"
    assert forged != right and opens(client, right) and not opens(client, forged)


@given(token=st.one_of(st.text(max_size=60), st.text(alphabet="abcXYZ019-_", min_size=44, max_size=44)))
def test_whatever_else_is_typed_is_none(token: str) -> None:
    pk = guest_link.code_id_of(token)
    assert pk is None or not guest_link.fits(token, pk, "nonce")


def test_the_same_code_and_nonce_make_the_same_link() -> None:
    pk = uuid.uuid4()
    assert guest_link.token_of(pk, "n") == guest_link.token_of(pk, "n") != guest_link.token_of(pk, "m")
    assert guest_link.code_id_of(guest_link.token_of(pk, "n")) == pk
