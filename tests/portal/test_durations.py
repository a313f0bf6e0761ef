"""Lengths of time as people type them."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from portal.durations import HoursField, parse, words


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("36 h", 36 * 60),
        ("36h", 36 * 60),
        ("90 min", 90),
        ("1 h 30 min", 90),
        ("1h30m", 90),
        ("1:30", 90),
        ("1.5 hours", 90),
        ("1,5 h", 90),
        ("2 days", 2 * 24 * 60),
        ("1 day, 6 hours", 30 * 60),
        ("0", 0),
        ("0 min", 0),
    ],
)
def test_it_reads_what_people_write(typed: str, minutes: int) -> None:
    assert parse(typed) == timedelta(minutes=minutes)


@pytest.mark.parametrize("typed", ["36", "soon", "-3 h", "3 hectares", "1:75", "1 h and a bit", "h", "٣", "99999999 h"])
def test_it_refuses_the_rest(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  what it says is for nobody
        parse(typed)


@given(st.integers(min_value=0, max_value=40 * 24 * 60))
def test_what_it_writes_it_can_read(minutes: int) -> None:
    assert parse(words(timedelta(minutes=minutes))) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(36 * 60, "36 h"), (90, "1 h 30 min"), (30, "30 min"), (0, "0 min"), (72 * 60, "3 days"), (48 * 60, "48 h")],
)
def test_it_writes_short(minutes: int, expected: str) -> None:
    assert words(timedelta(minutes=minutes)) == expected


def test_the_field_names_its_limits() -> None:
    field = HoursField(least=timedelta(minutes=5), most=timedelta(hours=12))
    with pytest.raises(ValidationError, match="Choose between 5 min and 12 h"):
        field.clean("13 h")
    with pytest.raises(ValidationError, match="like 36 h, 30 min or 1 h 30 min"):
        field.clean("13")
    assert field.clean("12 h") == timedelta(hours=12)
