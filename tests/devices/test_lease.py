"""One worker at a time speaks to a lock, and a stopped one that wakes writes nothing."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from devices import lease
from devices.lease import SEVERAL, LeaseLost, take, take_asked_for, take_due
from devices.models import Device, Event, Hub, Pin, Property, SimulatedLock
from devices.programming import turn
from devices.providers.base import Health, Outcome, Result, Unreachable
from devices.runner import perform
from devices.services import check_lock, request_sync, wake_worker
from tests import engine, factories
from tests.engine import fault, guest, held_before, lease_runs_out, own


def test_a_lock_that_is_held_is_not_to_be_had(device: Device) -> None:
    assert take(device.pk) is not None
    assert take(device.pk) is None


def test_a_holder_that_is_gone_is_waited_for_no_longer_than_its_lease(device: Device) -> None:
    take(device.pk)
    lease_runs_out(device)
    assert take(device.pk) is not None


def test_a_lease_beyond_its_maximum_counts_as_expired(device: Device) -> None:
    """The clock stepped back: nobody could have taken one that long."""
    take(device.pk)
    Device.objects.filter(pk=device.pk).update(syncing_until=timezone.now() + timedelta(hours=1))
    assert take(device.pk) is not None


def test_a_queue_mark_beyond_its_maximum_counts_as_expired(device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(queued_until=timezone.now() + timedelta(hours=1))
    assert wake_worker(device.pk)
    assert not wake_worker(device.pk)


def test_taking_the_lease_clears_the_queue_mark(device: Device) -> None:
    request_sync(device)
    device.refresh_from_db()
    assert device.queued_until is not None
    take(device.pk)
    device.refresh_from_db()
    assert device.queued_until is None


def test_each_call_extends_the_lease_to_its_deadline_and_ten_seconds(device: Device) -> None:
    held = take(device.pk)
    held.extend(5)
    device.refresh_from_db()
    assert timedelta(seconds=13) < device.syncing_until - timezone.now() <= timedelta(seconds=15.5)


def test_a_lease_is_never_extended_beyond_its_maximum(device: Device) -> None:
    held = take(device.pk)
    held.extend(3600)
    device.refresh_from_db()
    assert device.syncing_until - timezone.now() <= lease.MAX_LEASE + timedelta(seconds=0.5)


def test_what_was_wanted_during_the_turn_makes_the_lock_due_at_once(device: Device) -> None:
    held = take(device.pk)
    request_sync(device)
    held.release(timezone.now() + timedelta(hours=1))
    device.refresh_from_db()
    assert device.next_sync_at <= timezone.now()


def test_else_it_is_due_when_the_turn_says(device: Device) -> None:
    held = take(device.pk)
    due = timezone.now() + timedelta(hours=1)
    held.release(due)
    device.refresh_from_db()
    assert (device.next_sync_at, device.syncing_until, device.lease_token) == (due, None, None)


def test_a_stopped_holder_that_wakes_makes_no_call_and_writes_nothing(device: Device) -> None:
    code = guest(device)
    stopped = held_before(device, "put")
    lease_runs_out(device)
    assert engine.turn(device)
    before = Pin.objects.values().get(pk=own(code).pk)
    events = Event.objects.count()
    with pytest.raises(LeaseLost):
        stopped.finish(error=TimeoutError())
    assert Pin.objects.values().get(pk=own(code).pk) == before
    assert Event.objects.count() == events


def test_it_is_stopped_before_its_next_call_even_if_it_has_nothing_to_write(device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(read_wanted=True)
    stopped = held_before(device, "health")
    lease_runs_out(device)
    assert take(device.pk) is not None
    with pytest.raises(LeaseLost):
        stopped.finish(Health(online=True, battery=device.battery))
    assert stopped.call.operation == "health"
    assert SimulatedLock.objects.get().reads == 0


def test_nor_does_it_read_once_its_lease_is_over_by_its_own_clock(device: Device, monkeypatch) -> None:
    """A read goes ahead on a lease that lasts for it; one that slept since then asks for it again."""
    guest(device)
    stopped = held_before(device, "put")
    lease_runs_out(device)
    assert take(device.pk) is not None
    reads = SimulatedLock.objects.get().reads
    slept = time.monotonic() + 31
    monkeypatch.setattr(turn, "monotonic", lambda: slept)
    with pytest.raises(LeaseLost):
        stopped.steps.send(Outcome(Result.CONFIRMED))
    assert SimulatedLock.objects.get().reads == reads


def test_the_lease_outlives_each_call_it_is_extended_for(device: Device) -> None:
    guest(device)
    put = held_before(device, "put")
    device.refresh_from_db()
    assert device.syncing_until - timezone.now() > timedelta(seconds=put.call.deadline + 5)


def test_the_intent_to_write_extends_the_lease_for_the_write(device: Device) -> None:
    code = guest(device)
    read = held_before(device, "read")
    Device.objects.update(syncing_until=timezone.now() + timedelta(seconds=3))
    put = read.steps.send(perform(read.call))
    device.refresh_from_db()
    assert put.operation == "put" and own(code).status == Pin.Status.WRITING
    assert device.syncing_until - timezone.now() > timedelta(seconds=put.deadline + 5)


def test_without_the_lease_no_intent_is_written(device: Device) -> None:
    code = guest(device)
    read = held_before(device, "read")
    Device.objects.update(lease_token=None)
    with pytest.raises(LeaseLost):
        read.steps.send(perform(read.call))
    assert own(code).status == Pin.Status.PLANNED


def test_nor_does_one_that_wakes_to_find_its_hub_gone(device: Device, hub: Hub) -> None:
    from devices.providers.base import HubUnreachable

    guest(device)
    stopped = held_before(device, "read")
    lease_runs_out(device)
    assert take(device.pk) is not None
    with pytest.raises(LeaseLost):
        stopped.finish(error=HubUnreachable("away"))
    hub.refresh_from_db()
    assert hub.down_since is None


def test_a_stopped_holder_does_not_give_back_anothers_lease(device: Device) -> None:
    mine = take(device.pk)
    lease_runs_out(device)
    other = take(device.pk)
    mine.release(None)
    device.refresh_from_db()
    assert device.lease_token == other.token


def test_a_full_read_by_a_stopped_holder_records_nothing(device: Device) -> None:
    code = guest(device)
    engine.turn(device)
    engine.take_off_behind_our_back(device, own(code))
    Device.objects.filter(pk=device.pk).update(read_wanted=True)
    stopped = held_before(device, "read_all")
    lease_runs_out(device)
    assert take(device.pk) is not None
    with pytest.raises(LeaseLost):
        stopped.finish()
    assert not Event.objects.filter(type=Event.Type.CODE_DELETED_OUTSIDE).exists()


def test_a_hub_is_spoken_to_by_no_more_turns_than_it_takes(place: Property, hub: Hub) -> None:
    Hub.objects.filter(pk=hub.pk).update(calls_at_once=1)
    first, second = factories.DeviceFactory.create_batch(2, property=place, hub=hub)
    held = take(first.pk)
    assert take(second.pk) is None
    held.release(None)
    assert take(second.pk) is not None


def test_the_lock_that_is_due_longest_comes_first(place: Property, hub: Hub) -> None:
    at = timezone.now()
    devices = factories.DeviceFactory.create_batch(3, property=place, hub=hub)
    for device, minutes in zip(devices, (1, 3, 2), strict=True):
        Device.objects.filter(pk=device.pk).update(next_sync_at=at - timedelta(minutes=minutes))
    order = [take_due()[0].device_id for _ in range(3)]
    assert order == [devices[1].pk, devices[2].pk, devices[0].pk]
    assert take_due() == []


class TestSeveralTogether:
    """One claim, as a worker makes it that has room for more than one lock."""

    @pytest.fixture
    def devices(self, place: Property, hub: Hub) -> list[Device]:
        at = timezone.now()
        devices = factories.DeviceFactory.create_batch(6, property=place, hub=hub)
        for minutes, device in enumerate(devices, 1):
            Device.objects.filter(pk=device.pk).update(next_sync_at=at - timedelta(minutes=minutes))
        return devices

    def test_are_those_that_have_been_due_longest(self, devices: list[Device]) -> None:
        taken = take_due(SEVERAL)
        assert [one.device_id for one in taken] == [device.pk for device in reversed(devices)][:SEVERAL]
        assert len({one.token for one in taken}) == SEVERAL
        assert len(take_due(SEVERAL)) == len(devices) - SEVERAL
        assert take_due(SEVERAL) == []

    def test_are_one_where_there_is_room_for_no_more(self, devices: list[Device]) -> None:
        assert [one.device_id for one in take_due(SEVERAL - 1)] == [devices[-1].pk]

    def test_are_never_more_than_their_hub_is_spoken_to_at_once(self, devices: list[Device], hub: Hub) -> None:
        Hub.objects.filter(pk=hub.pk).update(calls_at_once=3)
        take(devices[0].pk)
        assert len(take_due(SEVERAL)) == 2
        assert take_due(SEVERAL) == []

    def test_of_a_busy_hub_leave_the_places_to_those_of_another(self, devices: list[Device], hub: Hub) -> None:
        Hub.objects.filter(pk=hub.pk).update(calls_at_once=1)
        elsewhere = factories.DeviceFactory(property=devices[0].property)
        Device.objects.filter(pk=elsewhere.pk).update(next_sync_at=timezone.now())
        assert [one.device_id for one in take_due(SEVERAL)] == [devices[-1].pk]
        assert [one.device_id for one in take_due(SEVERAL)] == [elsewhere.pk]

    def test_behind_a_hub_that_is_down_are_one_probe(self, devices: list[Device], hub: Hub) -> None:
        Hub.objects.filter(pk=hub.pk).update(down_since=timezone.now(), probe_at=timezone.now(), probes=1)
        assert len(take_due(SEVERAL)) == 1
        assert take_due(SEVERAL) == []

    def test_of_several_hubs_hold_them_in_one_order(self, place: Property, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two claims that wait for each other's hub would wait for ever."""
        hubs = sorted(factories.HubFactory.create_batch(SEVERAL, workspace=place.workspace), key=lambda hub: hub.pk)
        for minutes, hub in enumerate(hubs, 1):  # the last one's lock has been due longest
            due = timezone.now() - timedelta(minutes=minutes)
            factories.DeviceFactory(property=place, hub=hub, next_sync_at=due)
        held, hold = list[object](), lease.HUB
        monkeypatch.setattr(lease, "HUB", lambda pk: held.append(pk) or hold(pk=pk))
        assert len(take_due(SEVERAL)) == SEVERAL
        assert held == [hub.pk for hub in hubs]

    def test_bring_what_is_known_of_each(
        self, devices: list[Device], django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        taken = take_due(SEVERAL)
        with django_assert_num_queries(0):
            assert {one.device.property.workspace.name for one in taken} == {devices[0].property.workspace.name}
            assert {one.device.hub for one in taken} == {devices[0].hub}
        assert {one.version for one in taken} == {one.device.version for one in taken}


def test_only_a_lock_whose_task_is_on_its_way_was_asked_for(place: Property, hub: Hub) -> None:
    at = timezone.now()
    due, asked, long_ago = factories.DeviceFactory.create_batch(3, property=place, hub=hub)
    Device.objects.update(next_sync_at=at)
    Device.objects.filter(pk=asked.pk).update(queued_until=at + timedelta(seconds=20))
    Device.objects.filter(pk=long_ago.pk).update(queued_until=at - timedelta(seconds=1))
    held = take_asked_for()
    assert held.device_id == asked.pk
    assert take_asked_for() is None
    assert {take_due()[0].device_id for _ in range(2)} == {due.pk, long_ago.pk}


def test_a_lock_that_was_removed_has_no_turns(device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(removal=Device.Removal.REMOVED, next_sync_at=timezone.now())
    assert take(device.pk) is None
    assert take_due() == []


class TestAHubThatIsDown:
    def test_is_probed_by_one_lock_at_a_time(self, place: Property, hub: Hub) -> None:
        at = timezone.now()
        Hub.objects.filter(pk=hub.pk).update(down_since=at, probe_at=at, probes=1)
        locks = factories.DeviceFactory.create_batch(4, property=place, hub=hub)
        assert [bool(take(lock.pk)) for lock in locks] == [True, False, False, False]

    def test_takes_forty_locks_out_with_one_probe(self, place: Property, hub: Hub) -> None:
        from devices.providers.base import HubUnreachable

        locks = factories.DeviceFactory.create_batch(5, property=place, hub=hub)
        for lock in locks:
            guest(lock)
        held_before(locks[0], "read").finish(error=HubUnreachable("away"))
        hub.refresh_from_db()
        assert hub.down_since is not None and hub.probes == 1
        assert all(take(lock.pk) is None for lock in locks)

    @pytest.mark.parametrize("with_pins", [False, True])
    def test_wakes_them_all_when_one_lock_hears_of_it_again(
        self, place: Property, hub: Hub, *, with_pins: bool
    ) -> None:
        from devices.providers.base import HubUnreachable

        first, second = factories.DeviceFactory.create_batch(2, property=place, hub=hub)
        guest(second)
        if with_pins:
            guest(first)
        held_before(second, "read").finish(error=HubUnreachable("away"))
        check_lock(first)
        engine.turn(first)
        hub.refresh_from_db()
        second.refresh_from_db()
        assert hub.down_since is None
        assert second.next_sync_at <= timezone.now()

    def test_is_up_again_when_it_fell_silent_during_the_turn_of_a_lock_that_answers(
        self, device: Device, hub: Hub
    ) -> None:
        guest(device)
        held = held_before(device, "put")
        Hub.objects.filter(pk=hub.pk).update(down_since=timezone.now(), probe_at=timezone.now(), probes=1)
        held.finish()
        hub.refresh_from_db()
        assert hub.down_since is None

    def test_is_up_again_when_it_fell_silent_while_a_lock_was_only_looked_at(self, device: Device, hub: Hub) -> None:
        guest(device)
        engine.settle(device)
        check_lock(device)
        held = held_before(device, "health")
        Hub.objects.filter(pk=hub.pk).update(down_since=timezone.now(), probe_at=timezone.now(), probes=1)
        held.finish()
        hub.refresh_from_db()
        assert hub.down_since is None

    def test_is_up_again_when_it_fell_silent_after_a_pin_was_withdrawn_and_before_the_lock_answered(
        self, place: Property, hub: Hub
    ) -> None:
        caps = replace(factories.MODERN, backup_pool=False)
        device = factories.DeviceFactory(property=place, hub=hub, caps=caps)
        code = guest(device)
        Pin.objects.filter(pk=own(code).pk).update(wanted=Pin.Wanted.ABSENT)
        check_lock(device)
        held = held_before(device, "health")
        assert own(code).status == Pin.Status.WITHDRAWN
        Hub.objects.filter(pk=hub.pk).update(down_since=timezone.now(), probe_at=timezone.now(), probes=1)
        held.finish()
        hub.refresh_from_db()
        assert hub.down_since is None

    def test_keeps_its_probe_for_a_lock_that_can_be_had(self, place: Property, hub: Hub) -> None:
        """Whoever finds all places taken does not put the next probe off."""
        at = timezone.now()
        first, second = factories.DeviceFactory.create_batch(2, property=place, hub=hub)
        Hub.objects.filter(pk=hub.pk).update(calls_at_once=1)
        assert take(first.pk) is not None
        Hub.objects.filter(pk=hub.pk).update(down_since=at, probe_at=at, probes=1)
        assert take(second.pk) is None
        hub.refresh_from_db()
        assert hub.probe_at == at

    def test_is_up_again_even_if_the_lock_that_probed_it_is_not(self, place: Property, hub: Hub) -> None:
        at = timezone.now()
        Hub.objects.filter(pk=hub.pk).update(down_since=at, probe_at=at, probes=1)
        dead, well = factories.DeviceFactory.create_batch(2, property=place, hub=hub)
        fault(dead, "unreachable")
        engine.turn(dead)
        assert take(well.pk) is not None

    def test_is_asked_at_once_when_a_person_checks_a_lock(self, device: Device, hub: Hub) -> None:
        at = timezone.now()
        Hub.objects.filter(pk=hub.pk).update(down_since=at, probe_at=at + timedelta(minutes=1), probes=9)
        assert take(device.pk) is None
        check_lock(device)
        assert take(device.pk) is not None

    def test_is_not_called_up_by_a_turn_that_asked_nothing_of_it(self, device: Device, hub: Hub) -> None:
        at = timezone.now()
        Hub.objects.filter(pk=hub.pk).update(down_since=at, probe_at=at, probes=1)
        held = held_before(device, "health")
        held.finish(error=Unreachable("this lock alone"))
        hub.refresh_from_db()
        assert hub.down_since is None


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_get_one_lease() -> None:
    device = factories.DeviceFactory()

    def grab(_: int) -> bool:
        try:
            return take(device.pk) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(grab, range(8))) == 1


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_speak_to_no_more_locks_of_a_hub_than_it_takes() -> None:
    hub = factories.HubFactory(calls_at_once=2)
    devices = factories.DeviceFactory.create_batch(8, hub=hub, property__workspace=hub.workspace)

    def grab(device: Device) -> bool:
        try:
            return take(device.pk) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(grab, devices)) == 2
