"""PINs in tests: none picked at random is one that a test gives, and one is found in a text as a word only."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devices import pin_rules
from tests.factories import GOOD_PINS

OURS = frozenset(GOOD_PINS).union(
    *(
        re.findall(r"(?<!\d)\d{4,8}(?!\d)", file.read_text(encoding="utf-8"))
        for file in Path(__file__).parent.rglob("*.py")
    )
)


@contextmanager
def random_pins_are_none_of_ours() -> Iterator[None]:
    """Digits that a test writes or a factory makes are picked last of all, so no test meets them by chance."""
    at_random = pin_rules._of_length

    def others_first(alphabet: str, count: int) -> Iterator[str]:
        ours = []
        for digits in at_random(alphabet, count):
            if digits in OURS:
                ours.append(digits)
            else:
                yield digits
        yield from ours

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pin_rules, "_of_length", others_first)
        yield


def stands_in(digits: str, text: str) -> bool:
    """The PIN is there as a word of its own; a part of a longer number, an id or a hash is none."""
    return re.search(rf"(?<![0-9A-Za-z]){digits}(?![0-9A-Za-z])", text) is not None
