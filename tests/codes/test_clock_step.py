"""A clock that ran ahead is put back: nobody waits for its hours to pass, and no stay it ended stays ended."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django_q.models import Schedule

from backups.models import BackupCode
from codes.clock_step import NOTICED, ClockWatch, set_right
from codes.models import AccessCode
from codes.services import cancel_code, pull_backup
from codes.tick import tick
from devices.models import Device, Hub, Pin
from devices.services import remove_lock
from portal.queue import beat
from tests.engine import backup, fault, fill_pool, guest, opens, own, settle, turn

TRUE = datetime(2026, 6, 1, 12, tzinfo=UTC)
AHEAD = timedelta(hours=10)
type MoveTo = Callable[[datetime], None]


@pytest.fixture
def clock(db: None) -> Iterator[MoveTo]:
    """Ten hours ahead; give it another time to set it."""
    with time_machine.travel(TRUE + AHEAD, tick=False) as traveller:
        yield traveller.move_to


def put_back(clock: MoveTo) -> None:
    clock(TRUE)
    set_right()


@pytest.mark.parametrize(("by", "noticed"), [(AHEAD, True), (NOTICED / 2, False), (-AHEAD, False)])
def test_it_is_noticed_against_the_clock_that_nobody_sets(clock: MoveTo, by: timedelta, noticed: bool) -> None:
    watch = ClockWatch(steady=lambda: 1000.0)
    assert not watch.was_put_back()
    clock(TRUE + AHEAD - by)
    assert watch.was_put_back() is noticed
    assert not watch.was_put_back()


def test_time_that_passes_is_no_step(clock: MoveTo) -> None:
    seconds = iter([1000.0, 1000.0 + 5 * 3600])
    watch = ClockWatch(steady=lambda: next(seconds))
    watch.was_put_back()
    clock(TRUE + AHEAD + timedelta(hours=5))
    assert not watch.was_put_back()


def test_a_restart_notices_by_the_last_beat(clock: MoveTo) -> None:
    beat("tick")
    clock(TRUE)
    assert ClockWatch().was_put_back()


def test_a_silent_lock_is_asked_at_once(clock: MoveTo, device: Device) -> None:
    fault(device, "unreachable")
    code = guest(device, starts=timedelta(minutes=-5))
    settle(device)
    fault(device)
    put_back(clock)
    Hub.objects.update(probe_at=None)
    settle(device)
    assert own(code).status == Pin.Status.SET


def test_a_hub_that_is_down_is_probed(clock: MoveTo, device: Device) -> None:
    Hub.objects.update(down_since=TRUE + AHEAD, probe_at=TRUE + AHEAD + timedelta(seconds=30))
    put_back(clock)
    assert turn(device)


def test_a_pin_that_rests_is_tried(clock: MoveTo, device: Device) -> None:
    fault(device, "full")
    code = guest(device)
    settle(device)
    fault(device)
    put_back(clock)
    settle(device)
    assert own(code).status == Pin.Status.SET


def test_a_write_without_an_answer_waits_from_now_on_only(clock: MoveTo, device: Device) -> None:
    fault(device, "mute")
    code = guest(device)
    settle(device)
    Pin.objects.filter(pk=own(code).pk).update(unknown_at=TRUE + AHEAD)
    put_back(clock)
    assert own(code).unknown_at == TRUE


def test_the_lock_is_read_in_full_for_the_last_time_lies_ahead(clock: MoveTo, device: Device) -> None:
    Device.objects.update(read_at=TRUE + AHEAD, read_wanted=False)
    put_back(clock)
    settle(device)
    device.refresh_from_db()
    assert device.read_at == TRUE


def test_a_stay_that_was_ended_too_early_goes_on(clock: MoveTo, device: Device) -> None:
    clock(TRUE)
    code = guest(device, starts=timedelta(hours=-1), ends_at=TRUE + timedelta(hours=4))
    settle(device)
    assert opens(device, code)
    clock(TRUE + AHEAD)
    settle(device)
    assert not opens(device, code)
    put_back(clock)
    settle(device)
    assert opens(device, code)
    assert AccessCode.objects.get().ended_at is None


def test_what_people_ended_stays_ended(clock: MoveTo, device: Device) -> None:
    code = guest(device)
    cancel_code(code)
    put_back(clock)
    code.refresh_from_db()
    assert code.ended_at is not None and own(code).wanted == Pin.Wanted.ABSENT


def test_on_a_lock_that_is_being_removed_nothing_is_begun(clock: MoveTo, device: Device) -> None:
    guest(device)
    remove_lock(device)
    tick()
    put_back(clock)
    assert AccessCode.objects.get().ended_at is not None


def test_a_covered_guest_keeps_their_backup(clock: MoveTo, device: Device) -> None:
    fill_pool(device)
    code = guest(device, starts=timedelta(hours=-11))
    given = pull_backup(code)
    settle(device)
    pin = backup(code)
    put_back(clock)
    settle(device)
    assert backup(code) == pin and pull_backup(AccessCode.objects.get()) == given
    assert BackupCode.objects.filter(drawn_at__isnull=False).count() == 1


def test_the_queues_own_schedule_goes_on(clock: MoveTo) -> None:
    Schedule.objects.create(func="codes.tasks.sweep", schedule_type=Schedule.MINUTES, minutes=1)
    Schedule.objects.update(next_run=TRUE + AHEAD)
    put_back(clock)
    assert Schedule.objects.get().next_run == TRUE


def test_it_may_be_done_twice(clock: MoveTo, device: Device) -> None:
    code = guest(device, starts=timedelta(hours=-11))
    settle(device)
    put_back(clock)
    set_right()
    settle(device)
    assert opens(device, code)
