"""Times are the property's, short, and carry their instant."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.utils.html import strip_tags

from portal.moments import clock, clock_words, moment, soon, zone_name

NOW = datetime(2026, 11, 23, 14, 32, tzinfo=UTC)


@pytest.fixture(autouse=True)
def stopped_clock() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def test_a_moment_is_the_zones_wall_clock() -> None:
    assert moment(datetime(2026, 11, 27, 11, 0, tzinfo=UTC), "America/New_York") == (
        '<time datetime="2026-11-27T11:00:00+00:00">27 Nov 06:00</time>'
    )


def test_another_year_is_named() -> None:
    assert strip_tags(moment(datetime(2027, 1, 2, 11, 0, tzinfo=UTC), "Europe/Lisbon")) == "2 Jan 2027 11:00"


def test_today_needs_no_date_and_yesterday_does() -> None:
    assert strip_tags(clock(datetime(2026, 11, 23, 9, 12, tzinfo=UTC), "Europe/Lisbon")) == "09:12"
    assert strip_tags(clock(datetime(2026, 11, 22, 9, 12, tzinfo=UTC), "Europe/Lisbon")) == "22 Nov 09:12"


def test_the_same_as_plain_words() -> None:
    assert clock_words(datetime(2026, 11, 23, 9, 12, tzinfo=UTC), "America/New_York") == "04:12"
    assert clock_words(datetime(2025, 11, 22, 9, 12, tzinfo=UTC), "Europe/Lisbon") == "22 Nov 2025 09:12"


def test_the_coming_days_are_named_by_weekday() -> None:
    assert strip_tags(soon(datetime(2026, 11, 28, 15, 0, tzinfo=UTC), "Europe/Lisbon")) == "Sat 15:00"
    assert strip_tags(soon(datetime(2026, 12, 28, 15, 0, tzinfo=UTC), "Europe/Lisbon")) == "28 Dec 15:00"


def test_a_zone_is_named_by_its_city() -> None:
    assert zone_name("America/New_York") == "New York time"
