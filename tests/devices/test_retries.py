"""Retries are ours: how long a PIN rests, how long a lock, and what a refusal leads to."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from codes.services import add_code
from devices.models import Device, Event, Hub, Pin, Property, SimulatedLock
from devices.programming.plan import retry, silence, somebody_waits
from devices.providers.base import Outcome, Reason, Result
from devices.services import check_lock
from portal.secret import Secret
from tests import engine, factories
from tests.engine import fault, guest, held_before, later, own, settle, truth


@pytest.fixture
def bare(place: Property, hub: Hub) -> Device:
    return factories.DeviceFactory(property=place, hub=hub, caps=replace(factories.PLAIN, backup_pool=False))


class TestAPinRests:
    @pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (99, 30)])
    def test_a_minute_doubling_to_thirty_give_or_take_a_fifth(self, attempts: int, minutes: int) -> None:
        rests = [retry(attempts) for _ in range(200)]
        assert min(rests) >= timedelta(minutes=minutes) * 0.8
        assert max(rests) <= timedelta(minutes=minutes) * 1.2
        assert len(set(rests)) > 100

    def test_thirty_seconds_at_most_while_a_guest_waits_for_it(self, bare: Device) -> None:
        rests = [retry(attempts, guest_waits=True) for attempts in (1, 5, 99) for _ in range(50)]
        assert timedelta(seconds=24) <= min(rests) and max(rests) <= timedelta(seconds=36)

    def test_a_staying_guest_without_a_backup_is_tried_for_every_half_minute(self, bare: Device) -> None:
        fault(bare, "ignore_set")
        code = guest(bare, starts=timedelta(hours=-1))
        settle(bare)
        with later(hours=2):
            Pin.objects.filter(pk=own(code).pk).update(attempts=9, next_attempt_at=None)
            settle(bare)
            assert own(code).next_attempt_at <= timezone.now() + timedelta(seconds=36)
            with later(seconds=37):
                fault(bare)
                settle(bare)
                assert own(code).status == Pin.Status.SET

    def test_and_is_not_tried_again_before(self, bare: Device) -> None:
        fault(bare, "ignore_set")
        guest(bare, starts=timedelta(minutes=50))
        settle(bare)
        writes = SimulatedLock.objects.get().writes
        with later(seconds=45):
            settle(bare)
            assert SimulatedLock.objects.get().writes == writes
        with later(seconds=75):
            settle(bare)
            assert SimulatedLock.objects.get().writes == writes + 1


class TestASilentLockRests:
    def test_five_seconds_doubling_to_fifteen_minutes(self) -> None:
        rests = [silence(n, guest_waits=False).total_seconds() for n in range(1, 12)]
        assert rests == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]

    def test_thirty_seconds_at_most_while_a_guest_is_concerned(self) -> None:
        rests = [silence(n, guest_waits=True).total_seconds() for n in range(1, 6)]
        assert rests == [5, 10, 20, 30, 30]

    def test_as_a_whole_longer_each_time_and_the_task_succeeds(self, bare: Device) -> None:
        fault(bare, "unreachable")
        add_code(device=bare, name="Owner", kind="ongoing")
        rests = []
        for _ in range(4):
            assert engine.turn(bare)
            rests.append(round((bare.next_sync_at - timezone.now()).total_seconds()))
        assert rests == [5, 10, 20, 40]
        assert bare.online == Device.Online.NO and bare.trouble == Pin.Trouble.OFFLINE

    def test_and_its_first_answer_ends_that(self, bare: Device) -> None:
        fault(bare, "unreachable")
        code = guest(bare)
        for _ in range(3):
            engine.turn(bare)
        fault(bare)
        engine.turn(bare)
        assert (bare.failures, bare.online, bare.trouble) == (0, Device.Online.YES, "")
        assert own(code).status == Pin.Status.SET

    def test_one_lost_answer_of_a_lock_that_lives_is_not_offline(self, bare: Device) -> None:
        from devices.providers.base import NoAnswer

        guest(bare)
        held_before(bare, "read").finish(error=NoAnswer("lost"))
        bare.refresh_from_db()
        assert bare.online == Device.Online.YES
        assert (bare.trouble, bare.failures) == (Pin.Trouble.NO_ANSWER, 1)

    @pytest.mark.parametrize(
        ("starts", "gives_up", "waits"),
        [
            (timedelta(hours=-1), None, True),  # staying
            (timedelta(minutes=20), None, True),  # about to arrive
            (timedelta(hours=20), timedelta(minutes=-1), True),  # uncovered
            (timedelta(hours=20), timedelta(minutes=5), False),
            (timedelta(hours=20), None, False),
        ],
    )
    def test_who_is_a_guest_concerned(self, bare: Device, starts, gives_up, waits: bool) -> None:
        at = timezone.now()
        pin = factories.PinFactory(
            device=bare,
            wanted_from=at + starts,
            wanted_until=at + timedelta(days=2),
            give_up_at=gives_up and at + gives_up,
        )
        assert somebody_waits([pin], at) is waits

    def test_a_spare_is_no_guest(self, bare: Device) -> None:
        at = timezone.now()
        spare = factories.PinFactory(device=bare, priority=Pin.Priority.SPARE, wanted_from=at)
        assert not somebody_waits([spare], at)


class TestARefusal:
    @pytest.mark.parametrize("reason", [Reason.DUPLICATE, Reason.UNSPECIFIED, Reason.INVALID])
    def test_leads_to_other_digits_three_sets_at_most(self, bare: Device, reason: Reason) -> None:
        code = guest(bare)
        held_before(bare, "put").finish(always={"put": Outcome(Result.REJECTED, reason)})
        pins = list(Pin.objects.filter(code_pin__code=code))
        assert len(pins) == 3
        assert len({pin.digest for pin in pins}) == 3
        assert all(pin.status == Pin.Status.REFUSED for pin in pins)
        code.refresh_from_db()
        assert code.failed_at is not None

    def test_within_one_turn(self, bare: Device) -> None:
        fault(bare, "reject_set")
        code = guest(bare)
        engine.turn(bare)
        assert Pin.objects.filter(code_pin__code=code, status=Pin.Status.REFUSED).count() == 3

    def test_and_the_digits_that_were_refused_are_not_tried_again(self, bare: Device) -> None:
        fault(bare, "reject_set")
        guest(bare)
        settle(bare)
        with later(hours=5):
            settle(bare)
        assert SimulatedLock.objects.get().writes == 3

    def test_of_digits_a_person_chose_is_told_to_the_person(self, bare: Device) -> None:
        fault(bare, "reject_set")
        code = guest(bare, pin=Secret("4837"))
        settle(bare)
        code.refresh_from_db()
        assert code.failed_at is not None
        assert Pin.objects.filter(code_pin__code=code).count() == 1
        assert Event.objects.filter(type=Event.Type.CODE_FAILED, subject=code.pk).count() == 1

    def test_of_digits_that_somebody_else_has_there_finds_others(self, bare: Device) -> None:
        code = guest(bare)
        engine.put_behind_our_back(bare, "7", own(code).secret.reveal())
        first = own(code)
        settle(bare)
        first.refresh_from_db()
        assert first.trouble == Pin.Trouble.DUPLICATE
        assert own(code).status == Pin.Status.SET
        assert truth(bare)["7"] == first.secret.reveal()

    def test_because_it_cannot_do_that_is_final_at_once(self, bare: Device) -> None:
        code = guest(bare)
        held_before(bare, "put").finish(Outcome(Result.REJECTED, Reason.UNSUPPORTED))
        code.refresh_from_db()
        assert code.failed_at is not None
        assert Pin.objects.filter(code_pin__code=code).count() == 1

    def test_says_nothing_of_an_earlier_write_that_may_land(self, bare: Device) -> None:
        fault(bare, "late", late_ms=15_000)
        code = guest(bare)
        engine.turn(bare)
        fault(bare, "reject_set")
        Pin.objects.update(next_attempt_at=None)
        engine.turn(bare)
        assert own(code).status == Pin.Status.UNKNOWN

    def test_meanwhile_covered_codes_get_no_new_digits(self, device: Device) -> None:
        """The tick covers while the write is on its way, and then the lock says no."""
        from codes.services import pull_backup

        engine.fill_pool(device)
        code = guest(device)
        held = held_before(device, "put")
        pull_backup(code)
        held.finish(Outcome(Result.REJECTED, Reason.UNSPECIFIED))
        assert Pin.objects.filter(code_pin__code=code, code_pin__role="own").count() == 1


class TestAFullLock:
    def test_is_waited_for_and_then_written(self, bare: Device) -> None:
        fault(bare, "full")
        code = guest(bare)
        settle(bare)
        assert own(code).trouble == Pin.Trouble.FULL
        assert own(code).status == Pin.Status.PLANNED
        fault(bare)
        with later(minutes=2):
            settle(bare)
            assert own(code).status == Pin.Status.SET

    def test_an_unknown_write_then_full_keeps_its_place(self, bare: Device) -> None:
        fault(bare, "late", late_ms=15_000)
        code = guest(bare)
        engine.turn(bare)
        fault(bare, "full")
        Pin.objects.update(next_attempt_at=None)
        engine.turn(bare)
        assert own(code).maybe_on_lock
        fault(bare)
        with later(minutes=3):
            settle(bare)
            assert own(code).status == Pin.Status.SET

    def test_invalid_then_full_then_room(self, bare: Device) -> None:
        code = guest(bare)
        held_before(bare, "put").finish(Outcome(Result.REJECTED, Reason.INVALID))
        fault(bare, "full")
        with later(minutes=2):
            settle(bare)
        assert own(code).trouble in (Pin.Trouble.FULL, Pin.Trouble.NONE)
        fault(bare)
        with later(minutes=5):
            settle(bare)
        assert own(code).status == Pin.Status.SET
        assert Pin.objects.filter(code_pin__code=code).count() == 2


class TestAcceptedAndUnknown:
    @pytest.mark.parametrize("result", [Result.ACCEPTED, Result.UNKNOWN])
    def test_are_read_back(self, bare: Device, result: Result) -> None:
        code = guest(bare)
        held = held_before(bare, "put")
        engine.perform(held.call)
        held.finish(Outcome(result))
        assert own(code).status == Pin.Status.SET

    @pytest.mark.parametrize("result", [Result.ACCEPTED, Result.UNKNOWN])
    def test_are_no_success_while_the_place_is_empty(self, bare: Device, result: Result) -> None:
        code = guest(bare)
        held_before(bare, "put").finish(Outcome(result))
        pin = own(code)
        assert pin.status == Pin.Status.UNKNOWN and pin.unknown_at is not None
        with later(minutes=3):
            settle(bare)
            assert own(code).status == Pin.Status.SET


class TestCheckLockNow:
    def test_reads_everything_at_once(self, bare: Device, alice) -> None:
        code = guest(bare)
        settle(bare)
        engine.wipe(bare)
        check_lock(bare, actor=alice)
        settle(bare)
        assert own(code).secret.reveal() in truth(bare).values()

    def test_pressed_while_a_full_read_is_under_way_reads_once_more(self, bare: Device, alice) -> None:
        Device.objects.update(read_wanted=True)
        held = held_before(bare, "read_all")
        answer = engine.perform(held.call)
        check_lock(bare, actor=alice)
        held.finish(answer)
        bare.refresh_from_db()
        assert bare.read_wanted and bare.next_sync_at <= timezone.now()

    def test_coming_back_online_reads_everything(self, bare: Device) -> None:
        code = guest(bare)
        settle(bare)
        fault(bare, "unreachable")
        engine.look_at_everything(bare)
        engine.wipe(bare)
        fault(bare)
        with later(minutes=1):
            settle(bare)
        assert own(code).secret.reveal() in truth(bare).values()
