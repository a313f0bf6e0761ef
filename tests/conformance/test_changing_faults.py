"""Faults that come, change and go in the middle of turns, while people add, move, cancel and pull."""

import os
import random
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from backups.services import refill
from codes.models import AccessCode, CodePin
from codes.seen import seen
from codes.services import cancel_code, change_code, pull_backup
from codes.tick import sweep, tick
from devices.lease import LeaseLost, take
from devices.models import Device, Property, SimulatedLock
from devices.programming import program
from tests.conformance.belief import come_to_rest, lies, unsettled
from tests.conformance.doors import FAULTS, KINDS, Door, simulated
from tests.engine import answer_of, guest, lease_runs_out, opens_with, own, refills, settle

WALKS = range(int(os.environ.get("PORTAL_WALKS", "2")))  # more of them find more
STEPS = 14


class Walk:
    """A lock's bad week, the same one for the same seed."""

    def __init__(self, door: Door, seed: str) -> None:
        self.door = door
        self.dice = random.Random(seed)
        self.wiped = False

    def weather(self) -> None:
        """Something breaks, changes or heals."""
        name = self.dice.choice([*FAULTS, "late", "", "", ""])
        if name:
            self.door.fault(name)
            self.wiped |= name == "wiped"
        else:
            self.door.heal()

    def people(self) -> None:
        """Somebody wants something."""
        codes = list(AccessCode.objects.live())
        code = self.dice.choice(codes) if codes else None
        wish = self.dice.choice(["add", "add", "move", "cancel", "pull", "nothing"])
        try:
            if wish == "add" or code is None:
                guest(self.door.device, f"Guest {len(codes)}", starts=timedelta(hours=self.dice.choice([-1, 1, 30])))
            elif wish == "move":
                self.move(code)
            elif wish == "cancel":
                cancel_code(code)
            elif wish == "pull":
                pull_backup(code)
        except ValidationError:
            return

    def move(self, code: AccessCode) -> None:
        start, end = timedelta(days=self.dice.choice([0, 0, 5])), timedelta(days=self.dice.choice([-1, 1, 5]))
        change_code(code, name=code.name, starts_at=code.starts_at + start, ends_at=code.ends_at + end)

    def turn(self) -> None:
        """One turn, in which the weather may change before any call, and whose worker may be killed."""
        lease = take(self.door.device.pk)
        if lease is None:
            return
        steps = program(lease, seen)
        try:
            call = next(steps)
            while True:
                if self.dice.random() < 0.15:
                    self.weather()
                answer, error = answer_of(call)
                if self.dice.random() < 0.04:  # killed after the call, before anything is written down
                    steps.close()
                    lease_runs_out(self.door.device)
                    return
                if self.dice.random() < 0.1:
                    self.people()
                call = steps.throw(error) if error else steps.send(answer)
        except (StopIteration, LeaseLost):
            return

    def step(self, clock: time_machine.Traveller) -> None:
        if self.dice.random() < 0.5:
            self.weather()
        self.people()
        tick()
        refills()
        for _ in range(self.dice.randint(1, 3)):
            self.turn()
        clock.shift(self.dice.choice([1, 5, 16, 45, 200, 4000]))
        assert lies(self.door, there=not self.wiped) == []


@pytest.mark.parametrize(("first", "second"), [*pairwise([*FAULTS, FAULTS[0]])])
def test_a_fault_that_changes_between_two_calls(door: Door, first: str, second: str) -> None:
    """One guest arrives and one leaves under the first fault; in the middle of that it becomes the second."""
    former = guest(door.device, "Former", starts=timedelta(hours=-1))
    settle(door.device)
    digits = own(former).secret.reveal()
    cancel_code(former)
    code = guest(door.device, starts=timedelta(hours=-1))
    door.fault(first)
    lease = take(door.device.pk)
    assert lease is not None
    steps, calls = program(lease, seen), 0
    with suppress(StopIteration):
        call = next(steps)
        while True:
            answer, error = answer_of(call)
            calls += 1
            if calls == 2:
                door.fault(second)
            call = steps.throw(error) if error else steps.send(answer)
    wiped = "wiped" in (first, second)
    assert lies(door, there=not wiped) == []
    come_to_rest(door)
    assert lies(door) == [] and unsettled(door) == []
    assert digits not in door.digits()
    assert opens_with(code) in door.digits()


@pytest.mark.parametrize("seed", WALKS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_week_ends_with_the_truth_and_doors_that_open(place: Property, kind: str, seed: int) -> None:
    door = simulated(place, kind)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        refill(door.device)
        settle(door.device)
        walk = Walk(door, f"{kind} {seed}")
        for _ in range(STEPS):
            walk.step(clock)
        sweep()
        come_to_rest(door)
        assert lies(door) == [] and unsettled(door) == []
        lock = SimulatedLock.objects.get()
        assert lock.pending == [] and lock.two_writers == 0
        given = CodePin.objects.values_list("pin", flat=True)
        assert len(given) == len(set(given))
        at = timezone.now()
        for code in AccessCode.objects.live().filter(starts_at__lte=at, ends_at__gt=at):
            assert opens_with(code) in door.digits() or code.uncovered_since is not None
        assert Device.objects.get().failures == 0
