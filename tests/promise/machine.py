"""Everything that can happen to a lock and its guests, in any order, and what must be true after every step."""

from datetime import timedelta
from typing import ClassVar

from django.core.exceptions import ValidationError
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from codes.change_pin import change_pin
from codes.cover import door_pin
from codes.guest import at_the_door, not_working, opened_by_guest
from codes.models import AccessCode
from codes.replan import replan_lock
from codes.services import add_code, cancel_code, change_code, pull_backup
from codes.tick import sweep
from devices.models import Device, Pin
from devices.services import check_lock
from portal.models import Workspace
from tests import invariants
from tests.engine import guest, refills
from tests.promise.world import KINDS, WEATHER, World


def minutes(*each: int) -> st.SearchStrategy[timedelta]:
    return st.sampled_from([timedelta(minutes=n) for n in each])


KIND, SKY = st.sampled_from(list(KINDS)), st.sampled_from(list(WEATHER))
STARTS = minutes(-30, 10, 20, 45, 300, 3000)
STAYS = minutes(120, 1200, 4320)
NOT_SURE = [Pin.Status.WRITING, Pin.Status.UNKNOWN, Pin.Status.REMOVING]


def hold(findings: list[str]) -> None:
    assert not findings, findings


class Promise(RuleBasedStateMachine):
    """One lock and its guests."""

    codes = Bundle("codes")
    staff = Bundle("staff")
    locks: ClassVar[dict[str, Device]]  # by kind, each with five spares

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    def teardown(self) -> None:
        try:
            self.heals()  # whatever happened: in the end the promise holds
        finally:
            self.world.close()

    @initialize(
        target=codes,
        kind=st.sampled_from(list(KINDS)),
        weather=st.sampled_from(list(WEATHER)),
        starts=STARTS,
        lasts=STAYS,
    )
    def a_guest_on_a_bad_day(self, kind: str, weather: str, starts: timedelta, lasts: timedelta) -> object:
        """The day begins with a lock, a fault and a guest, so that few examples see much."""
        self.world.device = Device.objects.get(pk=self.locks[kind].pk)
        self.world.breaks(weather)
        return self.book(starts, lasts)

    # what people do

    @rule(target=codes, starts=STARTS, lasts=STAYS)
    def another_books(self, starts: timedelta, lasts: timedelta) -> object:
        return self.book(starts, lasts)

    def book(self, starts: timedelta, lasts: timedelta) -> object:
        code = guest(self.world.device, starts=starts, ends_at=self.world.at + starts + lasts)
        self.world.goes_on()
        return code.pk

    @rule(target=staff)
    def somebody_is_hired(self) -> object:
        code = add_code(device=self.world.device, name="Cleaning team", kind=AccessCode.Kind.ONGOING)
        self.world.goes_on()
        return code.pk

    @rule(code=staff)
    def a_backup_is_asked_for_staff(self, code: object) -> None:
        try:
            pull_backup(AccessCode.objects.get(pk=code))
        except ValidationError:
            return
        raise AssertionError("an ongoing code was given a backup")

    @rule(code=codes, by=minutes(-60, 360, 7200))
    def move(self, code: object, by: timedelta) -> None:
        self.changed(code, starts_by=by, ends_by=by)

    @rule(code=codes, by=minutes(-120, 180, 1440))
    def extend_or_shorten(self, code: object, by: timedelta) -> None:
        self.changed(code, ends_by=by)

    def changed(self, code: object, *, starts_by: timedelta = timedelta(0), ends_by: timedelta) -> None:
        """What the form allows: a window that is one and is not over, of a stay that was not cancelled."""
        row = AccessCode.objects.get(pk=code)
        starts_at, ends_at = row.starts_at + starts_by, row.ends_at + ends_by
        if row.cancelled_at is None and starts_at < ends_at and ends_at > self.world.at:
            change_code(row, name=row.name, starts_at=starts_at, ends_at=ends_at)
            self.world.goes_on()

    @rule(code=consumes(codes) | consumes(staff))
    def cancel(self, code: object) -> None:
        cancel_code(AccessCode.objects.get(pk=code))
        self.world.goes_on()

    @rule(code=codes)
    def pull(self, code: object) -> None:
        row = AccessCode.objects.get(pk=code)
        if row.ended_at is None:
            pull_backup(row)
            self.world.goes_on()

    @rule(code=codes)
    def other_digits(self, code: object) -> None:
        row = AccessCode.objects.get(pk=code)
        if row.ended_at is None:
            change_pin(row, pin=None)
            self.world.goes_on()

    @rule(code=codes, complains=st.booleans())
    def guest_looks(self, code: object, complains: bool) -> None:
        door = at_the_door(AccessCode.objects.get(pk=code))
        opened_by_guest([door], page=True)
        if complains:
            not_working(door)
            self.world.goes_on()

    @rule(late=minutes(0, 30, 180))
    def late_access_is_set(self, late: timedelta) -> None:
        Workspace.objects.filter(pk=self.world.device.property.workspace_id).update(late_access=late)
        replan_lock(self.world.device)
        self.world.goes_on()

    @rule()
    def check_the_lock(self) -> None:
        check_lock(self.world.device)
        self.world.goes_on()

    # what locks and workers do

    @rule(weather=SKY)
    def breaks(self, weather: str) -> None:
        self.world.breaks(weather)
        self.world.goes_on()

    @rule(noticed=st.booleans())
    def is_wiped(self, noticed: bool) -> None:
        self.world.is_wiped()
        if noticed:
            check_lock(self.world.device)
        self.world.goes_on()

    @rule(calls=st.integers(1, 6), last_is_made=st.booleans())
    def a_worker_dies(self, calls: int, last_is_made: bool) -> None:
        self.world.dies(calls, last_is_made=last_is_made)

    @rule(calls=st.integers(1, 6))
    def a_worker_stalls(self, calls: int) -> None:
        self.world.stalls(calls)
        self.world.goes_on()

    @rule()
    def it_wakes(self) -> None:
        self.world.wakes()
        self.world.goes_on()

    @rule(stop=st.booleans())
    def workers_stop_or_start(self, stop: bool) -> None:
        self.world.working = not stop
        self.world.goes_on()

    @rule(by=minutes(0, 5, 60, 780))
    def time_passes(self, by: timedelta) -> None:
        self.world.clock.shift(by or timedelta(seconds=30))
        self.world.goes_on()

    @rule()
    def is_swept(self) -> None:
        sweep()
        refills()
        self.world.goes_on()

    # what must be true

    @invariant()
    def it_is_as_promised(self) -> None:
        look = self.world.look()
        hold(invariants.broken(look, secrecy=False))
        hold(invariants.outside(look, self.world.at))
        if self.world.at_rest:
            hold(invariants.inside(look, self.world.at))

    @rule()
    def heals(self) -> None:
        """After the longest back-off everything is as it should be."""
        self.world.heals()
        look, at = self.world.look(), self.world.at
        hold(invariants.broken(look))
        hold(invariants.outside(look, at))
        hold(invariants.inside(look, at))
        hold([f"nobody knows of {pin}: {pin.status}" for pin in look.pins if pin.status in NOT_SURE])
        for code in AccessCode.objects.live().filter(device=self.world.device, starts_at__lte=at):
            loudly = code.uncovered_since is not None and not self.world.has_room
            assert door_pin(code) is not None or loudly, f"{code} stays and has no PIN"
            assert code.leaves_at > at, f"{code} is over and has not ended"
