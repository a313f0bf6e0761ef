"""Whatever a lock picks at random, no test meets a PIN of its own there; and a PIN is found as a word only."""

import pytest

from devices.pin_rules import generate
from devices.providers.base import PinRules
from tests.digits import OURS, stands_in


def test_a_pin_picked_at_random_is_none_that_a_test_gives() -> None:
    assert "4837" in OURS
    taken: set[str] = set()
    for _number in range(2000):
        taken.add(generate(PinRules(lengths=(4,)), taken=taken.__contains__).reveal())
    assert len(taken) == 2000 and not taken & OURS


def test_one_that_a_test_gives_is_picked_when_no_other_is_left() -> None:
    assert generate(PinRules(lengths=(4,)), taken=lambda digits: digits != "4837").reveal() == "4837"


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("PIN 4837.", True),
        ("<b>4837</b>", True),
        ("'4837'", True),
        ("0.4837 s", True),
        ("14837", False),
        ("a4837f", False),
    ],
)
def test_a_pin_is_found_as_a_word(text: str, there: bool) -> None:
    assert stands_in("4837", text) is there
