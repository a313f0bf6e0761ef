"""The demo's first state: who is there, which locks, which stays. Everything is as if it had run for a month."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction

from codes.demo import locks
from codes.demo.filling import HELD, Filling
from codes.demo.locks import Lock, Place
from devices.models import Device, Event, Hub, Pin, Property, SimulatedLock
from portal.clock import from_wall_clock, now, wall_clock
from portal.models import Membership, User, Workspace

MANAGER, OTHER, STAFF = "manager@example.com", "other@example.com", "staff@example.com"
PEOPLE = {MANAGER: "Priya Shah", OTHER: "Oliver Tan", STAFF: "Sam Staff"}
PASSWORD = "demo"  # noqa: S105  the demo's, on its first line
LAKEVIEW_ID, OTHER_ID = (uuid.uuid5(uuid.NAMESPACE_DNS, name) for name in ("lakeview.example", "harbour.example"))

CHECK_IN, CHECKOUT = time(15), time(11)
OFFLINE_FOR = timedelta(hours=4, minutes=20)


@dataclass(frozen=True)
class Tenants:
    """Who has a code on a lock: guests with the days of arrival and departure from today, and others for good."""

    guests: Sequence[tuple[str, int, int]] = ()
    ongoing: Sequence[str] = ()
    spares: int = 5


TENANTS: dict[Lock, Tenants] = {
    locks.FRONT_DOOR: Tenants(
        [("Ingrid Sørensen", -9, -5), ("Marcus Webb", -5, -2), ("Ana Ruiz", 4, 7), ("Tomás Herrera", 8, 12)],
        ["Cleaning team"],
    ),
    locks.BACK_DOOR: Tenants([("Ingrid Sørensen", -9, -5), ("Ana Ruiz", 4, 7)], ["Cleaning team", "Gardener"]),
    locks.GARDEN_GATE: Tenants([("Marcus Webb", -5, -2), ("Ana Ruiz", 4, 7)], ["Gardener"]),
    locks.MAIN_ENTRANCE: Tenants(
        [("Helga Brandt", -7, -3), ("Luca Moretti", -1, 2), ("Sofia Lindqvist", 1, 4), ("Amélie Roux", 9, 13)],
        ["Dona Rosa", "Night manager"],
    ),
    locks.APARTMENT_1: Tenants([("Luca Moretti", -1, 2), ("Sofia Lindqvist", 3, 6)], ["Dona Rosa"]),
    locks.APARTMENT_2: Tenants([("Helga Brandt", -7, -3), ("Amélie Roux", 9, 13)], ["Dona Rosa"], spares=3),
    locks.STOREROOM: Tenants([("Luca Moretti", -1, 2), ("Amélie Roux", 9, 13)], ["Dona Rosa"], spares=0),
    locks.STREET_DOOR: Tenants(
        [("Grace Okonkwo", -6, -1), ("Dana Whitfield", -1, 2), ("Hiro Tanaka", 1, 5)], ["Building super"]
    ),
    locks.LOFT_4A: Tenants(
        [("Dana Whitfield", -1, 2), ("Hiro Tanaka", 3, 6)], ["Building super", "Cleaning team"], spares=1
    ),
    locks.LOFT_4B: Tenants([("Grace Okonkwo", -6, -1), ("Owen Price", -2, 1), ("Mei Chen", 2, 6)], ["Cleaning team"]),
    locks.ROOM_7: Tenants([("Ruby Walsh", -1, 1), ("Jack Nguyen", 2, 5)], ["Reception"]),
}


def seed() -> bool:
    """Fill an empty database, once. False: the demo is there already."""
    if Workspace.objects.filter(pk=LAKEVIEW_ID).exists():
        return False
    with transaction.atomic():
        people = _people()
        lakeview = Workspace.objects.create(pk=LAKEVIEW_ID, name="Lakeview Stays")
        other = Workspace.objects.create(pk=OTHER_ID, name="Harbour Rooms")
        Membership.objects.create(user=people[MANAGER], workspace=lakeview, role=Membership.Role.OWNER)
        Membership.objects.create(user=people[OTHER], workspace=other, role=Membership.Role.OWNER)
        for lock, filling in [*_install(lakeview, locks.LAKEVIEW), *_install(other, locks.OTHER)]:
            _fill(filling, TENANTS[lock])
            if tell := TROUBLES.get(lock):
                tell(filling)
            filling.done()
    return True


def stay(filling: Filling, arrives: int, leaves: int) -> tuple[datetime, datetime]:
    """Check-in and checkout so many days from today, at the property's own hours."""
    zone = filling.device.property.time_zone
    today = wall_clock(filling.at, zone).date()
    starts = datetime.combine(today + timedelta(days=arrives), CHECK_IN)
    ends = datetime.combine(today + timedelta(days=leaves), CHECKOUT)
    return from_wall_clock(starts, zone), from_wall_clock(ends, zone, end=True)


def _people() -> dict[str, User]:
    password = make_password(PASSWORD)
    people = {
        email: User.objects.create(
            email=email, name=name, password=password, is_staff=email == STAFF, is_superuser=email == STAFF
        )
        for email, name in PEOPLE.items()
    }
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=email, verified=True, primary=True) for email, user in people.items()
    )
    return people


def _install(workspace: Workspace, places: Mapping[Place, Sequence[Lock]]) -> list[tuple[Lock, Filling]]:
    hub = Hub.objects.create(
        workspace=workspace,
        provider=Hub.Provider.SIMULATOR,
        name="Simulated locks",
        address=f"demo-{workspace.name}".lower().replace(" ", "-"),
    )
    at = now()
    fillings: list[tuple[Lock, Filling]] = []
    for place, found in places.items():
        home = Property.objects.create(
            workspace=workspace,
            name=place.name,
            address=place.address,
            time_zone=place.time_zone,
            guest_phone=place.guest_phone,
            if_nothing_works=place.if_nothing_works,
        )
        fillings += [(lock, _hang(hub, home, lock, at)) for lock in found]
        hub.property = hub.property or home
    hub.searched_at, hub.found = at - HELD, len(fillings)
    hub.save(update_fields=["property", "searched_at", "found"])
    return fillings


def _hang(hub: Hub, home: Property, lock: Lock, at: datetime) -> Filling:
    """The lock as the portal knows it, and the lock itself."""
    shared = {"name": lock.name, "make": lock.make, "model": lock.model, "battery": lock.battery}
    capabilities = lock.caps.to_json()
    truth = SimulatedLock.objects.create(
        hub=hub,
        lock_ref=lock.ref,
        capabilities=capabilities,
        fault=lock.fault,
        latency_ms=lock.latency_ms,
        **shared,
    )
    device = Device.objects.create(
        hub=hub,
        property=home,
        lock_ref=lock.ref,
        capabilities=capabilities,
        online=Device.Online.YES,
        online_since=at - timedelta(days=9),
        seen_at=at - (OFFLINE_FOR if lock.fault else timedelta()),
        read_at=at - timedelta(minutes=40) - (OFFLINE_FOR if lock.fault else timedelta()),
        read_wanted=False,
        next_sync_at=at,
        **shared,
    )
    return Filling(device, truth, at)


def _fill(filling: Filling, tenants: Tenants) -> None:
    for name, arrives, leaves in tenants.guests:
        filling.guest(name, *stay(filling, arrives, leaves))
    for name in tenants.ongoing:
        filling.ongoing(name)
    if filling.caps.backup_pool:
        filling.pool(tenants.spares)


# What ails some of them


def _offline(filling: Filling) -> None:
    """Out of reach since this morning; the two guests who arrive today have a backup each."""
    since = filling.at - OFFLINE_FOR
    for number, name in enumerate(["Chloé Martin", "Jonas Keller"]):
        booked = since + timedelta(minutes=48 + 7 * number)
        filling.covered(name, *stay(filling, 0, 3), booked=booked)
    filling.trouble(Pin.Trouble.OFFLINE, since, times=14)
    filling.log(Event.Type.DEVICE_DISCONNECTED, since)


def _full(filling: Filling) -> None:
    """Five spaces, all used: one by a code that is not ours."""
    filling.stranger()


def _low_battery(filling: Filling) -> None:
    filling.log(Event.Type.DEVICE_LOW_BATTERY, filling.at - timedelta(days=2), battery=filling.truth.battery)


TROUBLES: dict[Lock, Callable[[Filling], None]] = {
    locks.APARTMENT_2: _offline,
    locks.LOFT_4A: _full,
    locks.GARDEN_GATE: _low_battery,
}
