"""A PIN that a person chose is held against the lock's rules, against good sense, and against what is on the lock."""

import pytest
from django.core.exceptions import ValidationError

from devices import pins
from devices.models import Device, Pin
from portal.secret import Secret
from tests import factories


@pytest.mark.parametrize(
    ("digits", "why"),
    [
        ("12", "digits"),
        ("12a4", "digits"),
        ("1234", "easy to guess"),
        ("1111", "easy to guess"),
        ("1984", "easy to guess"),
    ],
)
def test_it_says_why_it_refuses(device: Device, digits: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        pins.check(device, Secret(digits), None, None)


def test_it_refuses_what_may_be_on_the_lock(device: Device) -> None:
    taken = factories.PinFactory(device=device, status=Pin.Status.REMOVING, wanted=Pin.Wanted.ABSENT)
    with pytest.raises(ValidationError, match="taken"):
        pins.check(device, taken.secret, None, None)


def test_it_takes_a_good_one(device: Device) -> None:
    pins.check(device, Secret("4826"), None, None)
