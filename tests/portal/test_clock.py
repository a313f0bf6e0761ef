"""Wall-clock times become instants, also where the clock jumps."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfoNotFoundError

import pytest

from portal.clock import from_wall_clock, now, wall_clock


def at(text: str) -> datetime:
    """What the clock on the wall says."""
    return datetime.fromisoformat(text)


def test_now_is_aware_and_utc() -> None:
    assert now().utcoffset().total_seconds() == 0


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Lisbon", datetime(2026, 7, 1, 14, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 7, 1, 19, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2026, 7, 1, 9, 15, tzinfo=UTC)),
    ],
)
def test_three_o_clock_is_the_propertys_three_o_clock(zone: str, expected: datetime) -> None:
    wall = at("2026-07-01T15:00")
    assert from_wall_clock(wall, zone) == expected
    assert wall_clock(expected, zone).replace(tzinfo=None) == wall


@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize(
    ("zone", "wall", "expected"),
    [
        ("Europe/Lisbon", at("2026-03-29T01:30"), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("America/New_York", at("2026-03-08T02:30"), datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
        ("Australia/Lord_Howe", at("2026-10-04T02:15"), datetime(2026, 10, 3, 15, 45, tzinfo=UTC)),
    ],
)
def test_a_time_in_a_gap_moves_forward(zone: str, wall: datetime, expected: datetime, end: bool) -> None:
    instant = from_wall_clock(wall, zone, end=end)
    assert instant == expected
    assert wall_clock(instant, zone).replace(tzinfo=None) > wall


@pytest.mark.parametrize(
    ("zone", "wall", "first", "second"),
    [
        ("Europe/Lisbon", at("2026-10-25T01:30"), (0, 30), (1, 30)),
        ("America/New_York", at("2026-11-01T01:30"), (5, 30), (6, 30)),
    ],
)
def test_in_a_fold_a_start_takes_the_first_and_an_end_the_second(zone: str, wall: datetime, first, second) -> None:
    day = datetime(wall.year, wall.month, wall.day, tzinfo=UTC)
    assert from_wall_clock(wall, zone) == day.replace(hour=first[0], minute=first[1])
    assert from_wall_clock(wall, zone, end=True) == day.replace(hour=second[0], minute=second[1])


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        from_wall_clock(at("2026-07-01T15:00"), "Europe/Nowhere")
