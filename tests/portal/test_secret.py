"""A PIN shows as dots wherever it is not asked for on purpose."""

import json
import pickle

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.secret import Secret, digest, reseal


def test_it_shows_as_dots_in_text_and_traces() -> None:
    secret = Secret("4711")
    assert "4711" not in f"{secret} {secret!r} {secret:>10} %s" % secret


def test_it_refuses_pickle_and_json() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("4711"))
    with pytest.raises(TypeError):
        json.dumps({"pin": Secret("4711")})


def test_it_comes_back_from_its_token() -> None:
    assert Secret.sealed(Secret("4711").seal()).reveal() == "4711"


def test_a_lost_key_is_named_and_no_token_is_shown(settings) -> None:
    token = Secret("4711").seal()
    settings.PIN_KEYS = ["QW5vdGhlcktleUZvclRlc3RzT25seS0xMjM0NTY3OCE="]
    with pytest.raises(ImproperlyConfigured, match="PIN_KEYS") as caught:
        Secret.sealed(token).reveal()
    assert token not in str(caught.value)


def test_a_key_is_rotated_without_losing_the_value(settings) -> None:
    old = Secret("4711")
    old.seal()
    settings.PIN_KEYS = ["QW5vdGhlcktleUZvclRlc3RzT25seS0xMjM0NTY3OCE=", *settings.PIN_KEYS]
    renewed = reseal(old)
    settings.PIN_KEYS = settings.PIN_KEYS[:1]
    assert Secret.sealed(renewed.seal()).reveal() == "4711"


def test_a_digest_is_keyed_and_bound_to_its_lock(settings) -> None:
    here = digest("lock-1", "4711")
    assert here != digest("lock-2", "4711")
    settings.PIN_DIGEST_KEY = "another"
    assert here != digest("lock-1", "4711")
