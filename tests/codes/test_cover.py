"""The guest whose code fails gets a backup, and nobody notices."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backups.models import BackupCode
from codes.cover import cover, current, door_pin
from codes.models import AccessCode, CodePin
from codes.services import add_code, cancel_code, pull_backup
from codes.tick import tick
from devices.models import Device, Event, Pin
from tests import engine
from tests.engine import fault, fill_pool, guest, later, ready, settle, truth


def opens(device: Device, code: AccessCode) -> bool:
    """The PIN that the portal would show is truly on the lock."""
    pin = door_pin(AccessCode.objects.get(pk=code.pk))
    return pin is not None and pin.secret.reveal() in truth(device).values()


def backup_of(code: AccessCode) -> BackupCode | None:
    given = current(AccessCode.objects.get(pk=code.pk), CodePin.Role.BACKUP)
    return given.pin.backup_code if given else None


def test_a_code_that_works_draws_no_backup(device: Device) -> None:
    fill_pool(device)
    code = guest(device)
    settle(device)
    assert backup_of(code) is None
    assert opens(device, code)
    assert len(ready(device)) == 5


def test_a_lock_that_refuses_the_code_covers_the_guest_at_once(device: Device) -> None:
    fill_pool(device)
    code = guest(device)
    fault(device, "reject_set")
    engine.turn(device)
    assert backup_of(code) is not None
    assert opens(device, code)
    pulled = Event.objects.get(type=Event.Type.BACKUP_PULLED, subject=code.pk)
    assert (pulled.data["name"], pulled.data["reason"], pulled.data["tries"]) == ("Ben Okafor", "rejected", 3)


def test_which_pin_opens_the_door_takes_one_query(device: Device, django_assert_num_queries: object) -> None:
    fill_pool(device)
    code = AccessCode.objects.get(pk=guest(device).pk)
    fault(device, "reject_set")
    engine.turn(device)
    with django_assert_num_queries(1):  # type: ignore[operator]
        pin = door_pin(code)
    backup = backup_of(code)
    assert backup and pin == backup.pin


def test_the_pool_is_full_again_after_the_lock_comes_to_its_senses(device: Device) -> None:
    fill_pool(device)
    guest(device)
    fault(device, "reject_set")
    engine.turn(device)
    fault(device)
    with later(minutes=2):
        settle(device)
    assert len(ready(device)) == 5


def test_an_offline_lock_covers_the_guest_at_the_give_up_moment(device: Device) -> None:
    fill_pool(device)
    fault(device, "unreachable")
    code = guest(device)
    settle(device)
    assert backup_of(code) is None
    with later(minutes=3):
        tick()
    assert backup_of(code) is not None
    assert opens(device, code)


def test_a_stuck_lock_at_the_give_up_moment_delays_no_cover(device: Device) -> None:
    """Another worker holds the lease and hangs: covering needs none."""
    from devices.lease import take

    fill_pool(device)
    code = guest(device)
    assert take(device.pk) is not None
    with later(minutes=3):
        tick()
    assert opens(device, code)


def test_it_draws_the_spare_confirmed_last(device: Device) -> None:
    spares = fill_pool(device)
    Pin.objects.filter(pk=spares[3].pin_id).update(confirmed_at=timezone.now() + timedelta(minutes=1))
    code = guest(device)
    assert cover(code) == spares[3]


def test_pressing_twenty_times_gives_one_backup(device: Device) -> None:
    fill_pool(device)
    code = guest(device)
    pulled = {pull_backup(code).pk for _ in range(20)}
    assert len(pulled) == 1
    assert BackupCode.objects.filter(drawn_at__isnull=False).count() == 1


def test_an_ongoing_code_never_draws_one(device: Device) -> None:
    from django.core.exceptions import ValidationError

    fill_pool(device)
    code = add_code(device=device, name="Housekeeping", kind="ongoing")
    fault(device, "reject_set")
    settle(device)
    with pytest.raises(ValidationError, match="ongoing"):
        pull_backup(code)
    assert cover(code) is None
    assert BackupCode.objects.filter(drawn_at__isnull=False).count() == 0
    code.refresh_from_db()
    assert code.failed_at is not None


def test_no_spare_left_is_said_loudly_and_the_next_ready_one_is_theirs(device: Device) -> None:
    fault(device, "reject_set")
    code = guest(device)
    settle(device)
    code.refresh_from_db()
    assert code.uncovered_since is not None
    assert Event.objects.filter(type=Event.Type.UNCOVERED, subject=code.pk).count() == 1
    fault(device)
    with later(minutes=2):
        fill_pool(device)
        code.refresh_from_db()
        assert code.uncovered_since is None
        assert opens(device, code)


def test_running_stays_are_covered_before_nearer_check_ins(device: Device) -> None:
    fault(device, "reject_set")
    soon = guest(device, "Soon")
    staying = guest(device, "Staying", starts=timedelta(hours=-1))
    settle(device)
    assert AccessCode.objects.filter(uncovered_since__isnull=False).count() == 2
    fault(device)
    with later(minutes=2):
        engine.refill(device)
        spares = [code.pin_id for code in BackupCode.objects.spare()]
        Pin.objects.filter(pk__in=spares[1:]).update(next_attempt_at=timezone.now() + timedelta(hours=1))
        engine.turn(device)
    assert backup_of(staying) is not None
    assert backup_of(soon) is None


def test_a_spare_found_gone_is_not_handed_out(device: Device) -> None:
    spares = fill_pool(device)
    best = max(spares, key=lambda code: (code.pin.confirmed_at, -code.pin_id))
    engine.take_off_behind_our_back(device, best.pin)
    code = guest(device)
    fault(device, "reject_set")
    engine.turn(device)
    assert backup_of(code) not in (None, best)
    assert opens(device, code)


def test_a_drawn_spare_that_vanishes_during_the_stay_is_replaced_by_another(device: Device) -> None:
    fill_pool(device)
    code = guest(device, starts=timedelta(hours=-1))
    first = pull_backup(code)
    settle(device)
    engine.take_off_behind_our_back(device, first.pin)
    Device.objects.filter(pk=device.pk).update(read_wanted=True)
    engine.turn(device)
    assert backup_of(code) not in (None, first)
    assert opens(device, code)


def test_a_cancelled_codes_backup_leaves_the_lock_and_is_never_given_again(device: Device) -> None:
    fill_pool(device)
    code = guest(device)
    backup = pull_backup(code)
    settle(device)
    digits = backup.pin.secret.reveal()
    cancel_code(code)
    settle(device)
    backup.pin.refresh_from_db()
    assert backup.pin.status == Pin.Status.REMOVED
    assert digits not in truth(device).values()
    assert backup not in ready(device)


def test_a_late_original_is_found_and_removed(device: Device) -> None:
    """The first write got no answer and lands after the pull."""
    fill_pool(device)
    fault(device, "late", late_ms=10_000)
    code = guest(device)
    engine.turn(device)
    own = current(code, CodePin.Role.OWN).pin
    assert own.status == Pin.Status.UNKNOWN
    backup = pull_backup(code)
    fault(device)
    with later(seconds=15):
        settle(device)
    with later(seconds=60):
        settle(device)
    assert own.secret.reveal() not in truth(device).values()
    assert backup.pin.secret.reveal() in truth(device).values()
    own.refresh_from_db()
    assert own.status == Pin.Status.REMOVED


def test_a_revealed_original_that_lands_late_stays_until_checkout(device: Device, alice) -> None:
    from codes.services import reveal

    fill_pool(device)
    fault(device, "late", late_ms=10_000)
    code = guest(device)
    engine.turn(device)
    seen = reveal(code, actor=alice)
    pull_backup(code)
    fault(device)
    with later(seconds=60):
        settle(device)
        assert seen.reveal() in truth(device).values()
    with later(days=3):
        settle(device)
        assert seen.reveal() not in truth(device).values()


def test_a_wiped_lock_during_a_stay_ends_with_a_pin_that_opens(device: Device) -> None:
    fill_pool(device)
    code = guest(device, starts=timedelta(hours=-1))
    settle(device)
    engine.wipe(device)
    Device.objects.filter(pk=device.pk).update(read_wanted=True)
    engine.turn(device)
    settle(device)
    assert opens(device, code)
