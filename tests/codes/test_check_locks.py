"""`manage.py check_locks`: what is listed, what is mended, and that merely looking changes nothing."""

from datetime import timedelta
from threading import Event as Flag
from threading import Thread

import pytest
from django.db import connections
from django.utils import timezone

from codes.models import AccessCode
from codes.services import cancel_code
from devices.lease import take
from devices.models import Device, Hub, Pin, Property, SimulatedLock
from devices.providers.shared_connection import disconnect
from tests import engine, factories
from tests.commands import Ran, a_worker, help_of, rows, run
from tests.digits import stands_in
from tests.engine import fault, fill_pool, guest, own, settle, truth
from tests.factories import MODERN, UNREADABLE


@pytest.fixture
def lock(transactional_db: None) -> Device:
    """A lock with a guest's code set and nothing else."""
    return factories.DeviceFactory(
        name="Front door", property__name="Lakeview Cottage", capabilities={**MODERN.to_json(), "backup_pool": False}
    )


@pytest.fixture
def code(lock: Device) -> AccessCode:
    code = guest(lock)
    settle(lock)
    assert own(code).status == Pin.Status.SET
    return code


def believed() -> dict[str, list[str]]:
    """Everything the portal holds, without the lease's own marks and the simulator's count of reads."""
    kept = rows()
    kept.pop("devices.simulatedlock")
    kept["devices.device"] = sorted(
        repr((d.online, d.read_at, d.read_wanted, d.unmanaged, d.failures, d.trouble, d.next_sync_at, d.version))
        for d in Device.objects.all()
    )
    return kept


def found(ran: Ran) -> list[tuple[str, str]]:
    (lock,) = ran.data["locks"]
    return [(one["kind"], one["label"]) for one in lock["differences"]]


def other_digits(code: AccessCode) -> str:
    return "7391" if own(code).secret.reveal() != "7391" else "4207"


def test_a_lock_that_is_as_believed_is_fine(lock: Device, code: AccessCode) -> None:
    ran = run("check_locks", "Front door")
    assert (ran.status, ran.out) == (0, "1 lock checked, 0 differ.\n")


def test_a_code_that_is_missing_is_listed_and_nothing_changes(lock: Device, code: AccessCode) -> None:
    engine.take_off_behind_our_back(lock, own(code))
    before, there = believed(), truth(lock)
    ran = run("check_locks", "Front door", "--json")
    assert ran.status == 1 and found(ran) == [("missing", own(code).label)]
    assert run("check_locks", "Front door", "--dry-run").status == 1
    assert believed() == before and truth(lock) == there
    assert Device.objects.get().lease_token is None


def test_other_digits_in_its_place_are_listed(lock: Device, code: AccessCode) -> None:
    engine.put_behind_our_back(lock, str(own(code).slot), other_digits(code), own(code).label)
    ran = run("check_locks", "Front door", "--json")
    assert ("different", own(code).label) in found(ran)


def test_other_times_are_listed(lock: Device, code: AccessCode) -> None:
    held = SimulatedLock.objects.get()
    held.codes[str(own(code).slot)]["until"] = (code.ends_at - timedelta(hours=5)).isoformat()
    held.save(update_fields=["codes"])
    assert found(run("check_locks", "Front door", "--json")) == [("times", own(code).label)]


def test_a_former_code_that_came_back_is_listed_and_taken_off(lock: Device, code: AccessCode) -> None:
    cancel_code(code)
    settle(lock)
    pin = own(code)
    engine.put_behind_our_back(lock, str(pin.slot), pin.secret.reveal())
    assert found(run("check_locks", "Front door", "--json")) == [("former", pin.label)]
    assert run("check_locks", "Front door", "--repair").status == 0
    assert truth(lock) == {}


def test_a_former_pin_elsewhere_is_a_persons_to_take_off(lock: Device, code: AccessCode) -> None:
    cancel_code(code)
    settle(lock)
    engine.put_behind_our_back(lock, "9", own(code).secret.reveal())
    ran = run("check_locks", "Front door", "--repair")
    assert ran.status == 1 and "take it off at the lock" in ran.out
    assert list(truth(lock)) == ["9"]


def test_a_code_that_should_have_left_is_listed_as_still_there(lock: Device, code: AccessCode) -> None:
    fault(lock, "ignore_set")
    cancel_code(code)
    settle(lock)
    assert found(run("check_locks", "Front door", "--json")) == [("former", own(code).label)]


def test_a_code_that_landed_late_is_listed_and_adopted(lock: Device) -> None:
    code = guest(lock)
    pin = own(code)
    Pin.objects.filter(pk=pin.pk).update(attempts=1, slot=4)
    engine.put_behind_our_back(lock, "4", pin.secret.reveal(), pin.label)
    assert ("unexpected", pin.label) in found(run("check_locks", "Front door", "--json"))
    run("check_locks", "Front door", "--repair")
    assert own(code).status == Pin.Status.SET


def test_somebody_elses_code_is_a_difference_once(lock: Device) -> None:
    engine.put_behind_our_back(lock, "3", "4711", "Cleaner")
    assert found(run("check_locks", "Front door", "--json")) == [("stranger", "")]
    ran = run("check_locks", "Front door", "--repair")
    assert ran.status == 0 and "1 difference mended" in ran.out
    again = run("check_locks", "Front door", "--json")
    assert again.status == 0 and again.data["locks"][0]["known"][0]["kind"] == "unmanaged"
    assert truth(lock) == {"3": "4711"}


def test_a_code_still_to_be_set_is_no_difference(lock: Device) -> None:
    code = guest(lock)
    ran = run("check_locks", "Front door", "--json")
    assert ran.status == 0 and ran.data["locks"][0]["known"][0]["label"] == own(code).label


def test_repair_sets_what_is_missing_and_says_so(lock: Device, code: AccessCode) -> None:
    engine.take_off_behind_our_back(lock, own(code))
    ran = run("check_locks", "Front door", "--repair", "--json")
    (told,) = ran.data["locks"]
    assert ran.status == 0 and [one["kind"] for one in told["mended"]] == ["missing"] and told["differences"] == []
    assert own(code).secret.reveal() in truth(lock).values()
    assert run("check_locks", "Front door", "--repair").out == "1 lock checked, 0 differ.\n"


def test_repair_fills_a_wiped_lock_with_its_pool(transactional_db: None) -> None:
    device = factories.DeviceFactory(name="Front door")
    fill_pool(device)
    engine.wipe(device)
    ran = run("check_locks", "Front door", "--repair")
    assert ran.status == 0 and "5 differences mended" in ran.out
    assert len(truth(device)) == 5


def test_a_lock_that_is_away_ends_with_1_and_keeps_its_state(lock: Device, code: AccessCode) -> None:
    fault(lock, "unreachable")
    before = believed()
    ran = run("check_locks", "Front door", "--repair")
    assert ran.status == 1 and "the lock is offline" in ran.out and "1 not read" in ran.out
    assert believed() == before


def test_a_lock_that_shows_nothing_is_said_to_and_is_fine(lock: Device, place: Property) -> None:
    factories.DeviceFactory(property=place, name="Shed", caps=UNREADABLE)
    ran = run("check_locks", "Shed")
    assert ran.status == 0 and "shows nothing" in ran.out


def test_a_lock_behind_a_dead_hub_is_not_waited_for(lock: Device) -> None:
    Hub.objects.update(down_since=timezone.now(), probe_at=timezone.now() + timedelta(minutes=5))
    ran = run("check_locks", "Front door", "--timeout", "60")
    assert ran.status == 1 and "its hub is down" in ran.out


def test_masked_codes_are_no_difference(lock: Device, code: AccessCode) -> None:
    fault(lock, "mask_codes")
    assert run("check_locks", "Front door").status == 0


def test_json_tells_each_lock(lock: Device, code: AccessCode) -> None:
    engine.take_off_behind_our_back(lock, own(code))
    told = run("check_locks", "--all", "--json").data
    assert told == {
        "repaired": False,
        "locks": [
            {
                "id": str(lock.pk),
                "lock": "Lakeview Cottage / Front door",
                "workspace": lock.property.workspace.name,
                "readable": True,
                "trouble": "",
                "differences": [
                    {
                        "kind": "missing",
                        "label": own(code).label,
                        "place": str(own(code).slot),
                        "mends": True,
                        "why": "",
                    }
                ],
                "known": [],
                "mended": [],
            }
        ],
    }


def test_it_prints_no_digits(lock: Device, code: AccessCode) -> None:
    digits = own(code).secret.reveal()
    engine.put_behind_our_back(lock, str(own(code).slot), "73915", own(code).label)
    told = run("check_locks", "Front door").out + run("check_locks", "Front door", "--json").out
    assert not stands_in(digits, told) and not stands_in("73915", told)


@pytest.mark.parametrize("args", [[], ["Nowhere"], ["Front door", "--repair", "--dry-run"]])
def test_a_wrong_call_ends_with_2(lock: Device, args: list[str]) -> None:
    before = believed()
    assert run("check_locks", *args).status == 2
    assert believed() == before


def test_a_turn_that_goes_on_is_waited_for(lock: Device, code: AccessCode) -> None:
    """What a worker is in the middle of writing is never read as a difference."""
    lease = take(lock.pk)
    assert lease is not None
    ended = Flag()

    def worker() -> None:
        ended.wait(0.6)
        lease.release(timezone.now() + timedelta(hours=1))
        connections.close_all()

    thread = Thread(target=worker)
    thread.start()
    ran = run("check_locks", "Front door", "--timeout", "20")
    thread.join()
    assert ran.status == 0


def test_one_that_is_held_to_the_end_is_said_not_to_be_read(lock: Device, code: AccessCode) -> None:
    take(lock.pk)
    ran = run("check_locks", "Front door", "--timeout", "1")
    assert ran.status == 1 and "a worker holds it" in ran.out


def test_beside_a_worker_it_finds_nothing_wrong_and_there_is_one_writer(lock: Device) -> None:
    SimulatedLock.objects.update(latency_ms=10)
    codes = [guest(lock, f"Guest {n}") for n in range(3)]
    with a_worker(lock):
        for _ in range(3):
            assert run("check_locks", "Front door", "--repair").status == 0
    settle(lock)
    assert {own(code).secret.reveal() for code in codes} == set(truth(lock).values())
    assert SimulatedLock.objects.get().two_writers == 0
    disconnect()


def test_its_help_has_examples_and_exit_statuses() -> None:
    told = help_of("codes", "check_locks")
    assert "examples:" in told and "exit status:" in told and "--repair" in told
