"""`manage.py sync_locks`: who is meant, what is asked for, what came of it."""

import time
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from codes.turns import give_turns
from devices.lease import take
from devices.metrics import TURNS
from devices.models import Device, Hub, Pin, SimulatedLock
from portal import tally
from portal.models import Tally
from tests import factories
from tests.commands import a_worker, help_of, rows, run
from tests.engine import fault, guest, own, truth


@pytest.fixture
def lived_in(transactional_db: None) -> Device:
    return factories.DeviceFactory(name="Front door", property__name="Lakeview Cottage")


@pytest.fixture
def quiet(device: Device) -> Device:
    """Nothing is due on it for hours."""
    Device.objects.update(next_sync_at=timezone.now() + timedelta(hours=5))
    return device


def test_it_wakes_a_worker_for_the_lock(quiet: Device) -> None:
    ran = run("sync_locks", "Front door")
    quiet.refresh_from_db()
    assert quiet.next_sync_at <= timezone.now() and not quiet.read_wanted
    assert [task.task["func"] for task in OrmQ.objects.all()] == ["codes.tasks.sync_lock"]
    assert (ran.status, ran.out) == (
        0,
        "1 lock asked for. The workers take them from here; --wait waits for it.\n",
    )


def test_twice_queues_one_task_only(quiet: Device) -> None:
    run("sync_locks", "Front door")
    run("sync_locks", "Front door")
    assert OrmQ.objects.count() == 1


def test_with_read_it_is_read_in_full(quiet: Device) -> None:
    run("sync_locks", quiet.pk, "--read")
    quiet.refresh_from_db()
    assert quiet.read_wanted


def test_all_leaves_room_on_the_queue_for_a_guest(db: None) -> None:
    factories.DeviceFactory.create_batch(7)
    Device.objects.update(next_sync_at=timezone.now() + timedelta(hours=5))
    run("sync_locks", "--all")
    assert Device.objects.filter(next_sync_at__lte=timezone.now()).count() == 7
    assert OrmQ.objects.count() == 4  # twice the workers; the tick goes on with the rest


def test_a_hub_that_was_down_is_asked_at_once(quiet: Device) -> None:
    Hub.objects.update(down_since=timezone.now(), probe_at=timezone.now() + timedelta(minutes=1))
    run("sync_locks", "Front door")
    assert take(quiet.pk) is not None


@pytest.mark.parametrize("words", ["front DOOR", "Lakeview Cottage / Front door", "lakeview cottage/front door"])
def test_a_lock_goes_by_its_names(quiet: Device, words: str) -> None:
    assert run("sync_locks", words, "--json").data["locks"][0]["id"] == str(quiet.pk)


def test_a_lock_goes_by_reference_id_and_full_name(quiet: Device) -> None:
    names = [quiet.lock_ref, quiet.pk, "Lakeview Stays / Lakeview Cottage / Front door"]
    assert len(run("sync_locks", *names, "--json").data["locks"]) == 1


def test_an_unknown_lock_says_what_was_looked_up_and_what_is_near(quiet: Device) -> None:
    ran = run("sync_locks", "Frnt door")
    assert ran.status == 2
    assert "No lock is called “Frnt door”" in ran.error
    assert "door name" in ran.error and "among 1 locks" in ran.error
    assert "Near it:\n  Front door" in ran.error


def test_an_ambiguous_name_lists_both_and_asks_none(quiet: Device) -> None:
    other = factories.DeviceFactory(name="Front door", property__name="Harbour Loft")
    before = rows()
    ran = run("sync_locks", "Front door")
    assert ran.status == 2 and "2 locks are called “Front door”" in ran.error
    assert f"{quiet.pk}  Lakeview Stays / Lakeview Cottage / Front door" in ran.error and str(other.pk) in ran.error
    assert rows() == before


def test_one_unknown_name_among_others_asks_none(quiet: Device) -> None:
    before = rows()
    assert run("sync_locks", "Front door", "Nowhere").status == 2
    assert rows() == before


def test_a_removed_lock_is_said_to_be_removed(quiet: Device) -> None:
    Device.objects.update(removal=Device.Removal.REMOVED, removed_at=timezone.now())
    factories.DeviceFactory()
    assert "was removed from the portal on" in run("sync_locks", "Front door").error


def test_without_any_lock_it_says_what_to_do(db: None) -> None:
    assert "import_locks" in run("sync_locks", "Front door").error


@pytest.mark.parametrize("args", [[], ["Front door", "--all"], ["--all", "--dry-run", "--here"], ["--all", "--wait=x"]])
def test_a_wrong_call_changes_nothing_and_ends_with_2_or_1(quiet: Device, args: list[str]) -> None:
    before = rows()
    ran = run("sync_locks", *args)
    assert ran.error and ran.status != 0
    assert rows() == before


def test_a_dry_run_lists_them_and_changes_nothing(quiet: Device) -> None:
    before = rows()
    ran = run("sync_locks", "--all", "--dry-run")
    assert "Lakeview Cottage / Front door" in ran.out and "Nothing was changed" in ran.out
    assert run("sync_locks", "--all", "--dry-run", "--json").data["asked"] is False
    assert rows() == before


class TestHere:
    def test_it_gives_the_turn_itself(self, lived_in: Device) -> None:
        code = guest(lived_in)
        ran = run("sync_locks", "Front door", "--here")
        assert own(code).status == Pin.Status.SET and own(code).secret.reveal() in truth(lived_in).values()
        assert ran.status == 0 and "up to date" in ran.out

    def test_json_says_how_each_lock_stands(self, lived_in: Device) -> None:
        (lock,) = run("sync_locks", "--all", "--here", "--json").data["locks"]
        assert sorted(lock) == ["id", "lock", "next_sync_at", "open", "standing", "why", "workspace"]
        assert (lock["id"], lock["standing"], lock["open"]) == (str(lived_in.pk), "done", 0)

    def test_a_lock_that_is_away_ends_with_1_and_says_so(self, lived_in: Device) -> None:
        fault(lived_in, "unreachable")
        ran = run("sync_locks", "Front door", "--read", "--here")
        assert ran.status == 1 and "no answer" in ran.out and "offline since" in ran.out

    def test_a_lock_that_refuses_ends_with_1(self, lived_in: Device) -> None:
        guest(lived_in)
        fault(lived_in, "ignore_set")
        ran = run("sync_locks", "Front door", "--here")
        assert ran.status == 1 and "not all done" in ran.out

    def test_a_lock_somebody_holds_is_waited_for_and_left_alone(self, lived_in: Device) -> None:
        take(lived_in.pk)
        ran = run("sync_locks", "Front door", "--here", "--wait", "1")
        assert ran.status == 1 and "a worker is at it" in ran.out
        assert SimulatedLock.objects.get().reads == 0

    def test_beside_a_worker_there_is_one_writer(self, lived_in: Device) -> None:
        SimulatedLock.objects.update(latency_ms=15)
        codes = [guest(lived_in, f"Guest {n}") for n in range(3)]
        with a_worker(lived_in):
            assert run("sync_locks", "Front door", "--here").status == 0
        assert [own(code).status for code in codes] == [Pin.Status.SET] * 3
        assert SimulatedLock.objects.get().two_writers == 0

    def test_a_worker_that_takes_the_lock_right_after_is_waited_for(
        self, lived_in: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def beaten(pks: list[UUID], *, seconds: float, ended: Callable[[UUID], None]) -> list[UUID]:
            def taken_at_its_end(pk: UUID) -> None:
                lease = take(pk)
                assert lease
                ended(pk)
                lease.release(Device.objects.get(pk=pk).next_sync_at)

            return give_turns(pks, seconds=seconds, ended=taken_at_its_end)

        monkeypatch.setattr("codes.attending.give_turns", beaten)
        guest(lived_in)
        assert run("sync_locks", "Front door", "--here").status == 0

    def test_a_dead_hub_does_not_keep_it_waiting_for_the_others(self, lived_in: Device) -> None:
        hub = factories.HubFactory(provider="zwave", address="ws://127.0.0.1:9")
        dead = factories.DeviceFactory.create_batch(2, hub=hub)
        ran = run("sync_locks", "--all", "--read", "--here", "--wait", "20", "--json")
        standing = {lock["id"]: lock["standing"] for lock in ran.data["locks"]}
        assert standing == {str(lived_in.pk): "done", **{str(lock.pk): "silent" for lock in dead}}


def test_a_lock_whose_hub_rests_is_not_asked_for_again_and_again(
    quiet: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: float) -> None:
        raise AssertionError("it waits for a hub that is down")

    monkeypatch.setattr("codes.turns.time", SimpleNamespace(monotonic=time.monotonic, sleep=refuse))
    Hub.objects.update(down_since=timezone.now(), probe_at=timezone.now() + timedelta(minutes=1))
    assert give_turns([quiet.pk], seconds=30, ended=lambda _: None) == [quiet.pk]


class TestWait:
    def test_it_waits_for_the_workers(self, lived_in: Device) -> None:
        code = guest(lived_in)
        with a_worker(lived_in):
            ran = run("sync_locks", "Front door", "--wait", "15")
        assert ran.status == 0 and own(code).status == Pin.Status.SET

    def test_without_workers_it_ends_in_time_and_says_what_is_missing(self, lived_in: Device) -> None:
        ran = run("sync_locks", "Front door", "--wait", "1")
        assert ran.status == 1 and "not yet" in ran.out and "manage.py work" in ran.out


def test_its_help_has_examples_and_exit_statuses() -> None:
    told = help_of("codes", "sync_locks")
    assert "examples:" in told and "exit status:" in told and "--dry-run" in told


def test_metrics_hear_of_the_turns_it_gave(lived_in: Device) -> None:
    """This process serves no page and ends: what it counted would end with it."""
    turns = Tally.objects.filter(metric=TURNS.name, part=tally.SUM)
    TURNS.observe(0.1, "simulator", "answered")
    tally.flush()  # the engine's next one is a second away
    turns.delete()
    run("sync_locks", lived_in.pk, "--here")
    assert turns.exists()
    assert not tally._pending.take(0)
