"""A lock is told a window that holds by its own clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from devices.providers.base import ALWAYS, Window
from devices.windows import window_for
from tests.factories import MODERN, PLAIN

WRITTEN = datetime(2026, 10, 20, 12, tzinfo=UTC)
ACROSS = Window(datetime(2026, 10, 24, 14, tzinfo=UTC), datetime(2026, 10, 27, 11, tzinfo=UTC))  # summer time ends
LOCAL = replace(MODERN, schedule_clock="local")


def test_a_lock_without_schedules_is_told_none() -> None:
    assert window_for(PLAIN, "Europe/Lisbon", ACROSS, WRITTEN) == ALWAYS


def test_a_lock_on_utc_is_told_the_stay_itself() -> None:
    assert window_for(MODERN, "Europe/Lisbon", ACROSS, WRITTEN) == ACROSS


def test_a_lock_on_local_time_gets_an_hour_more_across_the_change() -> None:
    told = window_for(LOCAL, "Europe/Lisbon", ACROSS, WRITTEN)
    assert told.starts_at == ACROSS.starts_at - timedelta(hours=1)
    assert told.ends_at == ACROSS.ends_at + timedelta(hours=1)
    assert told.covers(ACROSS)


def test_a_stay_wholly_after_the_change_but_written_before_it_is_widened_too() -> None:
    after = Window(datetime(2026, 10, 28, 15, tzinfo=UTC), datetime(2026, 10, 29, 11, tzinfo=UTC))
    assert window_for(LOCAL, "Europe/Lisbon", after, WRITTEN).ends_at == after.ends_at + timedelta(hours=1)


def test_nothing_is_widened_where_no_offset_changes() -> None:
    assert window_for(LOCAL, "Asia/Tokyo", ACROSS, WRITTEN) == ACROSS


def test_an_ongoing_code_stays_open_ended() -> None:
    assert window_for(LOCAL, "Europe/Lisbon", ALWAYS, WRITTEN) == ALWAYS
