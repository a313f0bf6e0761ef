"""The pool fills itself up to what the lock has room for, and gives room back to guests."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from backups.models import BackupCode, BackupPool
from backups.services import refill, target_of
from backups.tasks import refill_pool
from codes.models import AccessCode
from codes.services import add_code, cancel_code, pull_backup
from devices.models import Device, Event, Hub, Pin, Property, SimulatedLock
from devices.services import remove_lock
from tests import engine, factories
from tests.engine import fault, fill_pool, guest, later, look_at_everything, opens, own, ready, settle, truth


@pytest.fixture
def make(place: Property, hub: Hub):
    def lock(caps=factories.PLAIN, **changes) -> Device:
        return factories.DeviceFactory(property=place, hub=hub, caps=replace(caps, **changes))

    return lock


def target(device: Device, have: int = 0) -> int:
    pool, _ = BackupPool.objects.get_or_create(device=device, defaults={"activated_at": timezone.now()})
    device.refresh_from_db()
    return target_of(device, pool, have=have)


class TestTheTarget:
    def test_is_the_pools_size_on_a_lock_with_room(self, make) -> None:
        assert target(make()) == 5

    def test_or_without_a_known_number_of_slots(self, make) -> None:
        assert target(make(slots=None)) == 5

    def test_leaves_room_for_guests_of_the_next_72_hours(self, make) -> None:
        device = make(slots=6)
        guest(device)
        guest(device, starts=timedelta(hours=60))
        guest(device, starts=timedelta(days=9))
        assert target(device) == 4

    def test_leaves_room_for_ongoing_codes(self, make) -> None:
        device = make(slots=6)
        add_code(device=device, name="Owner", kind="ongoing")
        add_code(device=device, name="Cleaner", kind="ongoing")
        assert target(device) == 4

    def test_counts_what_is_not_ours(self, make) -> None:
        device = make(slots=6)
        Device.objects.update(unmanaged=[1, 2, 3])
        assert target(device) == 3

    def test_counts_what_should_have_left_and_did_not(self, make) -> None:
        device = make(slots=6)
        code = guest(device, starts=timedelta(hours=-1))
        settle(device)
        fault(device, "unreachable")
        cancel_code(code)
        assert target(device) == 5
        other = factories.PinFactory(device=device, status=Pin.Status.REMOVING, slot=30, wanted=Pin.Wanted.ABSENT)
        assert target(device) == 4
        other.refresh_from_db()

    def test_keeps_no_room_for_a_pin_refused_for_good(self, make) -> None:
        device = make(slots=6)
        code = guest(device)
        Pin.objects.filter(pk=own(code).pk).update(status=Pin.Status.REFUSED)
        assert target(device) == 5

    def test_keeps_one_spare_that_is_there_when_guests_would_take_every_slot(self, make) -> None:
        device = make(slots=5)
        for n in range(7):
            guest(device, f"Guest {n}")
        assert (target(device, have=0), target(device, have=3)) == (0, 1)

    def test_but_gives_up_the_last_for_an_ongoing_code_that_would_starve(self, make) -> None:
        device = make(slots=5)
        for n in range(5):
            guest(device, f"Guest {n}")
        add_code(device=device, name="Owner", kind="ongoing")
        assert target(device, have=1) == 0


class TestAPool:
    def test_comes_by_itself_with_five_spares(self, device: Device) -> None:
        refill_pool(str(device.pk))
        settle(device)
        pool = BackupPool.objects.get(device=device)
        assert (pool.size, len(ready(device))) == (5, 5)
        assert pool.filled_at is not None
        assert Event.objects.filter(type=Event.Type.POOL_ACTIVATED).count() == 1
        assert len(set(truth(device).values())) == 5

    def test_speaks_to_no_lock_itself(self, device: Device, lock: SimulatedLock) -> None:
        refill(device)
        lock.refresh_from_db()
        assert (lock.reads, lock.writes) == (0, 0)

    def test_twice_is_once(self, device: Device) -> None:
        for _ in range(3):
            refill(device)
        assert BackupCode.objects.count() == 5

    def test_is_labelled_with_its_code_id_and_the_brand(self, device: Device, settings) -> None:
        settings.BACKUP_BRAND = "Lakeview"
        fill_pool(device)
        lock = SimulatedLock.objects.get()
        labels = {code["label"] for code in lock.codes.values()}
        assert labels == {f"Backup {spare.code_id} (Lakeview)" for spare in ready(device)}

    def test_fills_up_after_a_pull_with_other_digits_and_ids(self, device: Device) -> None:
        fill_pool(device)
        drawn = pull_backup(guest(device))
        settle(device)
        assert len(ready(device)) == 5
        assert drawn.code_id not in {spare.code_id for spare in ready(device)}
        assert drawn.pin.secret not in [spare.pin.secret for spare in ready(device)]

    @pytest.mark.parametrize("changes", [{"backup_pool": False}, {"backup_pool": None}])
    def test_is_not_made_where_it_is_not_supported(self, make, changes: dict) -> None:
        refill(make(**changes))
        assert not BackupPool.objects.exists()

    def test_is_not_made_before_the_lock_was_asked_what_it_can_do(self, device: Device) -> None:
        Device.objects.update(capabilities=None)
        refill_pool(str(device.pk))
        assert not BackupPool.objects.exists()

    def test_is_not_filled_while_the_lock_is_being_removed(self, device: Device) -> None:
        fill_pool(device)
        remove_lock(device)
        refill(device)
        assert BackupCode.objects.count() == 5

    def test_gets_smaller_when_strangers_take_the_room_and_grows_again(self, make) -> None:
        device = make(factories.TINY, listable=True)
        fill_pool(device)
        spare = ready(device)[0]
        engine.take_off_behind_our_back(device, spare.pin)
        engine.put_behind_our_back(device, str(spare.pin.slot), "4837")
        look_at_everything(device)
        settle(device)
        refill(device)
        settle(device)
        assert len(ready(device)) == 4 and "4837" in truth(device).values()

    def test_spares_not_on_the_lock_go_first_then_the_one_confirmed_longest_ago(self, make) -> None:
        device = make(slots=6)
        spares = fill_pool(device)
        oldest = spares[2]
        Pin.objects.filter(pk=oldest.pin_id).update(confirmed_at=timezone.now() - timedelta(days=1))
        guest(device, "First")
        guest(device, "Second")
        oldest.refresh_from_db()
        assert oldest.retired_at is not None
        assert BackupCode.objects.spare().count() == 4

    def test_that_the_lock_keeps_refusing_rests_longer_each_time(self, device: Device) -> None:
        fault(device, "reject_set")
        refill(device)
        writes = []
        for hours in range(0, 8):
            with later(hours=hours):
                settle(device, turns=6)
                writes.append(SimulatedLock.objects.get().writes)
        per_hour = [b - a for a, b in pairwise(writes)]
        assert max(per_hour[-3:]) <= 12
        fault(device)
        with later(hours=9):
            settle(device)
            assert len(ready(device)) == 5

    def test_and_within_half_a_minute_once_a_guest_waits_for_one(self, device: Device) -> None:
        fault(device, "reject_set")
        refill(device)
        for hours in range(3):
            with later(hours=hours):
                settle(device, turns=6)
        with later(hours=3):
            code = guest(device, starts=timedelta(hours=-1))
            settle(device, turns=6)
            assert AccessCode.objects.get(pk=code.pk).uncovered_since is not None
            fault(device)
            with later(seconds=40):
                settle(device)
                assert opens(device, code)


class TestExhausted:
    def test_is_noted_with_its_cause_once(self, device: Device) -> None:
        fill_pool(device)
        fault(device, "unreachable")
        Device.objects.update(read_wanted=True)
        engine.turn(device)
        for n in range(5):
            pull_backup(guest(device, f"Guest {n}"))
        pool = BackupPool.objects.get()
        assert pool.exhausted_since is not None
        event = Event.objects.get(type=Event.Type.POOL_EXHAUSTED)
        assert event.data["reason"] == Pin.Trouble.OFFLINE

    def test_ends_with_the_first_spare_that_is_ready(self, device: Device) -> None:
        fill_pool(device)
        for n in range(5):
            pull_backup(guest(device, f"Guest {n}"))
        assert BackupPool.objects.get().exhausted_since is not None
        settle(device)
        assert BackupPool.objects.get().exhausted_since is None
        assert Event.objects.filter(type=Event.Type.POOL_REFILLED).exists()

    def test_is_no_news_while_a_new_pool_is_being_set_up(self, device: Device) -> None:
        fault(device, "unreachable")
        refill(device)
        settle(device)
        assert BackupPool.objects.get().exhausted_since is None
        with later(minutes=11):
            refill(device)
            assert BackupPool.objects.get().exhausted_since is not None
