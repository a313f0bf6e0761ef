"""The story that plays by itself from the first sign-in on: real services, the real engine, two locks that fail.

Seconds are counted from the sign-in. What happened when is noted in `story.json` of the data directory.
"""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import close_old_connections

from backups.models import BackupCode
from codes.demo import locks
from codes.demo.locks import Lock
from codes.demo.seed import CHECK_IN, CHECKOUT, LAKEVIEW_ID, MANAGER
from codes.demo.state import timings
from codes.models import AccessCode, CodePin
from codes.services import add_code
from devices.models import Device, SimulatedLock
from portal.clock import from_wall_clock, now, wall_clock
from portal.models import User

HERO = "Ben Okafor"
CROWD = ["Carla Mendes", "Yusuf Demir", "Freya Nilsson", "Pablo Iglesias", "Nina Kovač", "Théo Lambert"]
REFUSES = SimulatedLock.Fault.REJECT_SET
POLL = 0.25

ARRIVES = 3.0  # Ben's code is added, and his lock refuses it
HEALS_AFTER = 6.0  # seconds after he was covered
CROWD_AFTER = 3.0  # seconds after the pool is full again
PATIENCE = 60.0  # for each step


class Stuck(Exception):
    """A step of the story did not come about."""


def rest(seconds: float) -> None:
    time.sleep(seconds)
    close_old_connections()


class Story:
    """One performance. `sleep` and `clock` are the real ones but in tests."""

    def __init__(self, sleep: Callable[[float], None] = rest, clock: Callable[[], float] = time.monotonic) -> None:
        self._sleep, self._clock = sleep, clock
        self._began = clock()
        self.seconds: dict[str, float] = {}

    def begin(self) -> None:
        """Count from the sign-in, unless that was long ago."""
        self._began = self._clock() - min((now() - (signed_in_at() or now())).total_seconds(), ARRIVES)
        self._note("signed in")

    def play(self) -> None:
        """Both acts. Raises Stuck when a step takes too long."""
        self.one_code_fails()
        self._sleep(CROWD_AFTER)
        self.many_codes_fail()

    def one_code_fails(self) -> None:
        """Ben's lock refuses his code: he gets a backup, and the pool fills up again."""
        front_door = device_of(locks.FRONT_DOOR)
        self._sleep(max(0.0, ARRIVES - self._elapsed()))
        break_down(front_door, REFUSES)
        ben = book(front_door, HERO)
        self._note("Ben's code is added")
        self._until("Ben is covered by a backup", lambda: covered(ben))
        self._sleep(HEALS_AFTER)
        break_down(front_door, SimulatedLock.Fault.NONE)
        self._note("his lock works again")
        self._until("his lock's pool is full again", lambda: ready_on(front_door) == 5)

    def many_codes_fail(self) -> None:
        """More stays fail at one door than it has spares."""
        entrance = device_of(locks.MAIN_ENTRANCE)
        break_down(entrance, REFUSES)
        crowd = [book(entrance, name) for name in CROWD]
        self._note("six codes are added at the main entrance")
        self._until("the main entrance's pool runs out", lambda: ready_on(entrance) == 0)
        self._until("a guest is left without a backup", lambda: any(uncovered(code) for code in crowd))

    def _until(self, step: str, reached: Callable[[], bool]) -> None:
        deadline = self._clock() + PATIENCE
        while not reached():
            if self._clock() > deadline:
                raise Stuck(step)
            self._sleep(POLL)
        self._note(step)

    def _elapsed(self) -> float:
        return self._clock() - self._began

    def _note(self, step: str) -> None:
        self.seconds[step] = round(self._elapsed(), 1)
        timings().write_text(json.dumps(self.seconds, indent=2) + "\n")


def signed_in_at() -> datetime | None:
    """When the manager signed in last."""
    return User.objects.filter(email=MANAGER).values_list("last_login", flat=True).first()


def run() -> None:
    """Play, once: a demo that is started again does not begin anew."""
    if AccessCode.objects.filter(name=HERO, device__property__workspace=LAKEVIEW_ID).exists():
        return
    story = Story()
    story.begin()
    story.play()


def device_of(lock: Lock) -> Device:
    return Device.objects.select_related("property").get(hub__workspace=LAKEVIEW_ID, lock_ref=lock.ref)


def break_down(device: Device, fault: SimulatedLock.Fault) -> None:
    """Switch what is wrong with the lock itself. The portal learns of it by talking to the lock."""
    SimulatedLock.objects.filter(hub=device.hub_id, lock_ref=device.lock_ref).update(fault=fault)


def book(device: Device, name: str) -> AccessCode:
    """A stay of three nights that begins at the next check-in time: soon enough to be covered at once."""
    zone = device.property.time_zone
    arrives = wall_clock(now(), zone).replace(tzinfo=None)
    day = arrives.date() if arrives.time() < CHECK_IN else arrives.date() + timedelta(days=1)
    return add_code(
        device=device,
        name=name,
        kind=AccessCode.Kind.TIME_BOUND,
        starts_at=from_wall_clock(datetime.combine(day, CHECK_IN), zone),
        ends_at=from_wall_clock(datetime.combine(day + timedelta(days=3), CHECKOUT), zone, end=True),
    )


def covered(code: AccessCode) -> bool:
    return CodePin.objects.filter(code=code, role=CodePin.Role.BACKUP, ended_at=None).exists()


def uncovered(code: AccessCode) -> bool:
    return AccessCode.objects.filter(pk=code.pk, uncovered_since__isnull=False).exists()


def ready_on(device: Device) -> int:
    return BackupCode.objects.ready().filter(pool__device=device).count()
