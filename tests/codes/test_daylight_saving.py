"""Guests get in and out by the clock on the property's wall, whatever that clock does: every change of a year.

How a zone's clock goes is not known here: its changes are looked for in the zone data, and what the wall shows at an
instant is asked of it. The year is one whose changes are still to come.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from codes.cover import door_pin
from codes.demo import locks
from codes.models import AccessCode
from codes.zones import change_time_zone
from devices.models import Device, Property, SimulatedLock
from devices.providers import simulator
from devices.providers.base import Capabilities, Window
from devices.windows import window_for
from portal.models import User
from tests import factories
from tests.engine import settle

DEMO = {place.time_zone for place in (*locks.LAKEVIEW, *locks.OTHER)}
OTHERS = {
    "Africa/Cairo",
    "Africa/Casablanca",  # back for Ramadan, not for winter
    "America/Asuncion",  # has stopped changing
    "America/Havana",  # at midnight
    "America/Santiago",  # at midnight
    "America/St_Johns",  # half an hour off the hour
    "Antarctica/Troll",  # by two hours
    "Asia/Beirut",  # at midnight
    "Asia/Jerusalem",
    "Asia/Kathmandu",  # a quarter of an hour off the hour, no changes
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Lord_Howe",  # by half an hour
    "Europe/Berlin",
    "Europe/Chisinau",
    "Europe/Dublin",  # winter is the exception there, by law
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Norfolk",
}
ZONES = sorted(DEMO | OTHERS)
YEAR = 2027
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# No spares here: a guest's own PIN is to do.
LOCKS = [replace(caps, backup_pool=False) for caps in (factories.MODERN, factories.PLAIN)]
type Desk = Callable[[], Client]
LOCAL = replace(factories.MODERN, schedule_clock="local")


def offset(at: datetime, zone: str) -> timedelta:
    ahead = at.astimezone(ZoneInfo(zone)).utcoffset()
    assert ahead is not None
    return ahead


def wall(at: datetime, zone: str) -> datetime:
    """What the clock on the wall shows, without a zone."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@cache
def changes(zone: str) -> list[datetime]:
    """The first instants of the year by a clock that was just put forward or back."""
    hours = [datetime(YEAR, 1, 1, tzinfo=UTC) + n * HOUR for n in range(365 * 24)]
    return [
        next(at for at in (before + n * MINUTE for n in range(61)) if offset(at, zone) != offset(before, zone))
        for before, after in pairwise(hours)
        if offset(before, zone) != offset(after, zone)
    ]


def amid(change: datetime, zone: str) -> datetime:
    """A time of day in the middle of what the wall skips or shows twice."""
    before, after = wall(change - MINUTE, zone) + MINUTE, wall(change, zone)
    return min(before, after) + abs(after - before) / 2


def shown_at(time: datetime, near: datetime, zone: str) -> list[datetime]:
    """The instants near another at which the wall shows this time: none where it is skipped, two where it repeats."""
    minutes = (near + n * MINUTE for n in range(-3 * 60, 3 * 60 + 1))
    return [at for at in minutes if wall(at, zone) == time]


def stays(change: datetime, zone: str) -> dict[str, tuple[datetime, datetime]]:
    """Check-in and checkout on the wall: over the change, and into and out of what it skips or repeats."""
    date = wall(change, zone).replace(hour=0, minute=0)
    return {
        "over": (date - DAY + 15 * HOUR, date + DAY + 11 * HOUR),
        "in": (amid(change, zone), date + DAY + 11 * HOUR),
        "out": (date - DAY + 15 * HOUR, amid(change, zone)),
    }


def window(code: AccessCode) -> tuple[datetime, datetime]:
    assert code.starts_at and code.ends_at
    return code.starts_at, code.ends_at


def moments(codes: list[AccessCode], change: datetime) -> list[datetime]:
    """When to look: as each PIN is due on the lock, at check-in, at the change, and around checkout."""
    windows = [window(code) for code in codes]
    seen = {at for starts, ends in windows for at in (starts - 45 * MINUTE, starts, ends - MINUTE, ends)}
    return sorted(seen | {change})


def opens(code: AccessCode, at: datetime) -> bool:
    """The PIN that the guest is told, on the lock's own truth."""
    pin = door_pin(code)
    return pin is not None and simulator.opens(truth_of(code.device), pin.secret.reveal(), at)


def opens_still(code: AccessCode, at: datetime) -> bool:
    """Any PIN that the stay was ever given."""
    given = [code_pin.pin.secret.reveal() for code_pin in code.code_pins.select_related("pin")]
    return any(simulator.opens(truth_of(code.device), digits, at) for digits in given)


def truth_of(device: Device) -> SimulatedLock:
    return SimulatedLock.objects.get(hub=device.hub_id, lock_ref=device.lock_ref)


@pytest.fixture
def desk(client: Client, alice: User) -> Callable[[], Client]:
    """Alice's browser, signed in at the time it is then: a session of last year has expired."""

    def sit_down() -> Client:
        client.force_login(alice)
        return client

    return sit_down


def book(client: Client, device: Device, name: str, stay: tuple[datetime, datetime]) -> AccessCode:
    """As a manager does it: the wall's times, typed."""
    starts, ends = (time.isoformat(timespec="minutes") for time in stay)
    typed = {"kind": "time_bound", "name": name, "starts_at": starts, "ends_at": ends, "once": uuid4().hex}
    answer = client.post(reverse("code_add", args=[device.pk]), typed)
    assert answer.status_code == 302, answer.context["form"].errors
    return AccessCode.objects.select_related("device").filter(device=device, name=name).latest("created_at")


def lock_in(zone: str, caps: Capabilities, like: Device) -> Device:
    place = factories.PropertyFactory(workspace=like.property.workspace, time_zone=zone)
    return factories.DeviceFactory(property=place, hub=like.hub, caps=caps)


@pytest.mark.parametrize("zone", [zone for zone in ZONES if changes(zone)])
def test_every_stay_opens_the_door_for_all_of_it_and_no_longer(desk: Desk, device: Device, zone: str) -> None:
    with time_machine.travel(changes(zone)[0] - 3 * DAY, tick=False) as clock:
        there = [lock_in(zone, caps, device) for caps in LOCKS]
        for change in changes(zone):
            clock.move_to(change - 3 * DAY)
            codes = [book(desk(), lock, name, stay) for lock in there for name, stay in stays(change, zone).items()]
            for at in moments(codes, change):
                clock.move_to(at)
                for lock in there:
                    settle(lock)
                for code in codes:
                    starts_at, ends_at = window(code)
                    if starts_at <= at < ends_at:
                        assert opens(code, at), f"{code} is outside at {wall(at, zone)}"
                    if at >= ends_at:
                        assert not opens_still(code, at), f"{code} gets in at {wall(at, zone)}"


@pytest.mark.parametrize("zone", ZONES)
def test_a_typed_time_is_what_the_wall_shows(desk: Desk, device: Device, zone: str) -> None:
    """Twice: check-in at the first, checkout at the second. Never: as long after the change as it was to be."""
    for change in changes(zone):
        with time_machine.travel(change - 3 * DAY, tick=False):
            lock = lock_in(zone, factories.MODERN, device)
            got = {name: book(desk(), lock, name, stay) for name, stay in stays(change, zone).items()}
            time = amid(change, zone)
            shown = shown_at(time, change, zone)
            into_gap = change + (time - (wall(change - MINUTE, zone) + MINUTE))
            assert got["in"].starts_at == (shown[0] if shown else into_gap)
            assert got["out"].ends_at == (shown[-1] if shown else into_gap)
            starts_at, ends_at = window(got["over"])
            assert (wall(starts_at, zone).hour, wall(ends_at, zone).hour) == (15, 11)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("turns", [True, False], ids=["its clock turns", "its clock stays"])
def test_a_lock_that_keeps_local_time_opens_for_all_of_the_stay(zone: str, turns: bool) -> None:
    """It is told times of day, and holds them against a clock that is, or is not, put forward and back."""
    for change in changes(zone):
        for starts, ends in ((-20, 20), (-60, -1), (-1, 40), (1, 30), (-30, 1)):
            written = change - 50 * HOUR
            stay = Window(change + starts * HOUR, change + ends * HOUR)
            told = window_for(LOCAL, zone, stay, written)
            assert told.starts_at and told.ends_at and stay.starts_at and stay.ends_at

            def dial(at: datetime, written: datetime = written) -> datetime:
                return wall(at, zone) if turns else at.replace(tzinfo=None) + offset(written, zone)

            for at in (stay.starts_at, change - MINUTE, change, change + HOUR, stay.ends_at - MINUTE):
                if stay.starts_at <= at < stay.ends_at:
                    shown = dial(at)
                    assert wall(told.starts_at, zone) <= shown < wall(told.ends_at, zone), (starts, ends, at)


@pytest.mark.parametrize("there", ["America/New_York", "Pacific/Auckland", "Australia/Lord_Howe", "UTC"])
def test_a_zone_set_right_midway_moves_what_the_lock_holds(device: Device, desk: Desk, there: str) -> None:
    """The window was on the lock by the wrong zone's clock; guests still arrive at three."""
    change = changes("Europe/Lisbon")[0]
    with time_machine.travel(change - 2 * DAY, tick=False) as clock:
        code = book(desk(), device, "Ben", stays(change, "Europe/Lisbon")["over"])
        settle(device)
        change_time_zone(Property.objects.get(pk=device.property_id), there)
        settle(device)
        starts_at, ends_at = window(code := AccessCode.objects.get(pk=code.pk))
        assert (wall(starts_at, there).hour, wall(ends_at, there).hour) == (15, 11)
        for at in (starts_at, ends_at - MINUTE):
            clock.move_to(at)
            settle(device)
            assert opens(code, at)


@pytest.mark.parametrize(("arrives", "leaves"), [(28, 29), (29, 30)], ids=["it ends on one", "it begins on one"])
def test_a_stay_on_a_leap_day(desk: Desk, device: Device, arrives: int, leaves: int) -> None:
    january = datetime.fromisoformat("2028-01-31")
    with time_machine.travel(datetime(2028, 2, 27, tzinfo=UTC), tick=False) as clock:
        stay = (january + arrives * DAY + 15 * HOUR, january + leaves * DAY + 11 * HOUR)
        starts_at, ends_at = window(code := book(desk(), device, "Ben", stay))
        assert 29 in (starts_at.day, ends_at.day)
        for at in (starts_at, ends_at - MINUTE):
            clock.move_to(at)
            settle(device)
            assert opens(code, at)
        clock.move_to(ends_at)
        settle(device)
        assert not opens_still(code, ends_at)


def test_a_day_that_is_none_is_refused_and_nothing_typed_is_lost(desk: Desk, device: Device) -> None:
    typed = {"kind": "time_bound", "name": "Ben", "starts_at": "2027-02-29T15:00", "ends_at": "2027-03-02T11:00"}
    answer = desk().post(reverse("code_add", args=[device.pk]), {**typed, "once": "leap"})
    assert "Write a date and a time like" in answer.content.decode()
    assert 'value="2027-02-29T15:00"' in answer.content.decode() and not AccessCode.objects.exists()
