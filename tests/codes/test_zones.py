"""A property's zone is changed: guests still arrive at three o'clock."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError

from codes.zones import change_time_zone, stays_to_move
from devices.models import Device
from tests.engine import guest

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_june():
    with time_machine.travel(NOW, tick=False):
        yield


def test_stays_to_come_keep_their_wall_clock(device: Device) -> None:
    code = guest(device, starts=timedelta(days=3, hours=2))  # 15:00 in Lisbon
    assert change_time_zone(device.property, "America/New_York") == 1
    code.refresh_from_db()
    assert code.starts_at == datetime(2026, 6, 4, 19, tzinfo=UTC)
    assert code.ends_at == datetime(2026, 6, 6, 19, tzinfo=UTC)
    pin = code.code_pins.get().pin
    assert (pin.wanted_from, pin.wanted_until) == (code.starts_at, code.ends_at)


def test_a_stay_that_runs_keeps_its_instants(device: Device) -> None:
    code = guest(device, starts=timedelta(hours=-1))
    before = (code.starts_at, code.ends_at)
    assert change_time_zone(device.property, "America/New_York") == 0
    code.refresh_from_db()
    assert (code.starts_at, code.ends_at) == before


def test_an_unknown_zone_is_refused_and_moves_nothing(device: Device) -> None:
    code = guest(device, starts=timedelta(days=3))
    with pytest.raises(ValidationError, match="no time zone"):
        change_time_zone(device.property, "Europe/Nowhere")
    before = code.starts_at
    code.refresh_from_db()
    device.property.refresh_from_db()
    assert (code.starts_at, device.property.time_zone) == (before, "Europe/Lisbon")


def test_it_can_be_asked_beforehand(device: Device) -> None:
    code = guest(device, starts=timedelta(days=3))
    assert stays_to_move(device.property) == [code]
