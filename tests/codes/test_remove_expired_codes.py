"""`manage.py remove_expired_codes`: what is over leaves the locks, and what cannot leave is told with its reason."""

from datetime import timedelta

import pytest
from django.utils import timezone

from codes.models import AccessCode
from codes.services import cancel_code, change_code
from devices.lease import take
from devices.models import Device, Pin, SimulatedLock
from devices.services import mark_removed, remove_lock
from tests import factories
from tests.commands import a_worker, help_of, rows, run
from tests.digits import stands_in
from tests.engine import fault, guest, own, settle, truth
from tests.factories import MODERN


@pytest.fixture
def lock(transactional_db: None) -> Device:
    """A lock without a pool, so that a guest's code is all there is on it."""
    return factories.DeviceFactory(
        name="Front door", property__name="Lakeview Cottage", capabilities={**MODERN.to_json(), "backup_pool": False}
    )


@pytest.fixture
def over(lock: Device) -> AccessCode:
    """A stay that ended an hour ago while no tick ran: its PIN is still on the lock."""
    code = guest(lock)
    settle(lock)
    ended = timezone.now() - timedelta(hours=1)
    AccessCode.objects.filter(pk=code.pk).update(starts_at=ended - timedelta(days=2), ends_at=ended)
    Pin.objects.update(wanted_from=ended - timedelta(days=2), wanted_until=ended)
    Device.objects.update(next_sync_at=timezone.now() + timedelta(hours=5))
    code.refresh_from_db()
    return code


def test_here_it_ends_the_stay_and_takes_the_pin_off(lock: Device, over: AccessCode) -> None:
    ran = run("remove_expired_codes", "--here")
    over.refresh_from_db()
    assert ran.status == 0 and over.ended_at and truth(lock) == {}
    assert ran.out.splitlines() == [
        "1 stay ended.",
        "1 PIN taken off.",
        "No PIN of a stay that is over is left on a lock.",
    ]


def test_without_waiting_it_asks_the_workers_and_tells_what_is_left(lock: Device, over: AccessCode) -> None:
    ran = run("remove_expired_codes")
    lock.refresh_from_db()
    assert ran.status == 1 and "its turn is still to come" in ran.out and "1 PIN may still open a door." in ran.out
    assert lock.next_sync_at <= timezone.now() and lock.queued_until


def test_beside_a_worker_it_waits_until_the_pin_is_gone(lock: Device, over: AccessCode) -> None:
    SimulatedLock.objects.update(latency_ms=10)
    with a_worker(lock):
        assert run("remove_expired_codes", "--wait", "20").status == 0
    assert truth(lock) == {} and SimulatedLock.objects.get().two_writers == 0


def test_a_lock_that_is_held_is_left_to_its_holder(lock: Device, over: AccessCode) -> None:
    take(lock.pk)
    assert run("remove_expired_codes", "--here", "--wait", "1").status == 1
    assert own(over).secret.reveal() in truth(lock).values()


def test_a_lock_that_is_away_says_since_when(lock: Device, over: AccessCode) -> None:
    fault(lock, "unreachable")
    ran = run("remove_expired_codes", "--here")
    assert ran.status == 1 and "offline since" in ran.out and own(over).label in ran.out


def test_one_that_rests_after_a_failed_try_is_tried_at_once(lock: Device, over: AccessCode) -> None:
    fault(lock, "ignore_set")
    ran = run("remove_expired_codes", "--here")
    assert ran.status == 1 and "the lock said yes but did not store it; 1 try" in ran.out
    assert own(over).next_attempt_at > timezone.now()
    fault(lock)
    assert "a late write may land until" in run("remove_expired_codes", "--here").out
    assert truth(lock) == {}


def test_a_dry_run_lists_them_and_changes_nothing(lock: Device, over: AccessCode) -> None:
    before = rows()
    ran = run("remove_expired_codes", "--dry-run")
    assert ran.status == 1 and "1 stay would be ended." in ran.out and own(over).label in ran.out
    assert rows() == before


def test_twice_has_nothing_left_to_do(lock: Device, over: AccessCode) -> None:
    run("remove_expired_codes", "--here")
    before = rows()
    ran = run("remove_expired_codes", "--here")
    assert (ran.status, ran.out) == (0, "No PIN of a stay that is over is left on a lock.\n")
    assert rows() == before


def test_a_stay_that_goes_on_keeps_its_pin(lock: Device) -> None:
    code = guest(lock)
    settle(lock)
    assert run("remove_expired_codes", "--here").status == 0
    assert own(code).secret.reveal() in truth(lock).values()


def test_a_stay_extended_meanwhile_keeps_its_pin(lock: Device, over: AccessCode) -> None:
    change_code(over, name=over.name, starts_at=over.starts_at, ends_at=timezone.now() + timedelta(days=1))
    assert run("remove_expired_codes", "--here").status == 0
    settle(lock)
    assert own(over).secret.reveal() in truth(lock).values()


def test_a_cancelled_stay_counts_as_over(lock: Device) -> None:
    code = guest(lock)
    settle(lock)
    fault(lock, "unreachable")
    cancel_code(code)
    assert own(code).label in run("remove_expired_codes").out


def test_codes_on_a_removed_lock_are_told_apart_and_are_no_alarm(lock: Device, over: AccessCode) -> None:
    fault(lock, "unreachable")
    remove_lock(lock)
    mark_removed(lock)
    ran = run("remove_expired_codes")
    assert ran.status == 0 and "1 PIN may be on locks removed from the portal" in ran.out
    assert "take the code off at the lock" in run("remove_expired_codes", "--removed").out


def test_json_tells_each_pin_and_no_digits(lock: Device, over: AccessCode) -> None:
    ran = run("remove_expired_codes", "--dry-run", "--json")
    (left,) = ran.data["left"]
    assert {key: ran.data[key] for key in ("dry_run", "ended", "on_removed_locks")} == {
        "dry_run": True,
        "ended": 1,
        "on_removed_locks": 0,
    }
    assert {**left, "next_try_at": None, "over_since": None} == {
        "code": str(over.pk),
        "label": own(over).label,
        "lock_id": str(lock.pk),
        "lock": "Lakeview Cottage / Front door",
        "workspace": lock.property.workspace.name,
        "backup": False,
        "over_since": None,
        "status": "set",
        "next_try_at": None,
        "lock_removed": False,
        "why": "its turn is still to come",
    }
    assert not stands_in(own(over).secret.reveal(), ran.out)


def test_a_workspace_alone_can_be_asked_for(lock: Device, over: AccessCode) -> None:
    factories.WorkspaceFactory(name="Elsewhere")
    assert run("remove_expired_codes", "--dry-run", "--workspace", "Elsewhere").status == 0
    assert run("remove_expired_codes", "--workspace", "Nowhere").status == 2


def test_a_dry_run_that_is_to_wait_ends_with_2(lock: Device, over: AccessCode) -> None:
    before = rows()
    assert run("remove_expired_codes", "--dry-run", "--wait").status == 2
    assert rows() == before


def test_its_help_has_examples_and_exit_statuses() -> None:
    told = help_of("codes", "remove_expired_codes")
    assert "examples:" in told and "exit status:" in told
