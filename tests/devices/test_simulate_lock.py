"""`manage.py simulate_lock`: switches faults, tells a simulated lock's truth, tries a PIN at its door."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from devices.management.commands.simulate_lock import FAULTS, Command
from devices.models import Device, SimulatedLock
from devices.providers.base import ALWAYS, Slot, Window
from devices.providers.simulator import SimulatorProvider
from portal.secret import Secret
from tests import factories


def run(*args: str) -> str:
    out = StringIO()
    call_command("simulate_lock", *args, stdout=out)
    return out.getvalue()


def put(device: Device, slot: int, digits: str, window: Window = ALWAYS) -> None:
    provider = SimulatorProvider(device.hub)
    provider.put(device.lock_ref, Slot(slot), Secret(digits), "Guest 7F3A", window, deadline=5)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("fault", FAULTS)
def test_it_switches_every_fault_on_and_off(lock: SimulatedLock, fault: str) -> None:
    assert fault in run(lock.lock_ref, fault)
    lock.refresh_from_db()
    assert lock.fault == fault
    assert "no fault" in run(lock.lock_ref, "heal")
    lock.refresh_from_db()
    assert lock.fault == ""


def test_latency_comes_with_a_fault_or_alone_and_heals(lock: SimulatedLock) -> None:
    run(lock.lock_ref, "late", "--late-ms", "900", "--latency-ms", "40")
    lock.refresh_from_db()
    assert (lock.fault, lock.latency_ms, lock.late_ms) == ("late", 40, 900)
    run(lock.lock_ref, "--latency-ms", "70")
    lock.refresh_from_db()
    assert (lock.fault, lock.latency_ms, lock.late_ms) == ("late", 70, 900)
    run(lock.lock_ref, "heal")
    lock.refresh_from_db()
    assert (lock.fault, lock.latency_ms, lock.late_ms) == ("", 0, 0)


def test_a_wiped_lock_is_empty_and_keeps_its_fault(device: Device, lock: SimulatedLock) -> None:
    put(device, 3, "7391")
    run(lock.lock_ref, "mask_codes")
    run(lock.lock_ref, "wiped")
    lock.refresh_from_db()
    assert (lock.codes, lock.fault) == ({}, "mask_codes")


def test_a_pin_is_tried_at_the_door(device: Device, lock: SimulatedLock) -> None:
    put(device, 3, "7391")
    assert run(lock.lock_ref, "--try", "7391") == "Door opens\n"


@pytest.mark.parametrize("digits", ["7392", "739", "abcd"])
def test_another_is_refused_with_exit_status_1(
    device: Device, lock: SimulatedLock, digits: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(device, 3, "7391")
    with pytest.raises(SystemExit) as stop:
        call_command("simulate_lock", lock.lock_ref, "--try", digits)
    assert stop.value.code == 1
    assert capsys.readouterr().out == "Refused\n"


def test_the_door_opens_within_the_codes_window_only(device: Device, lock: SimulatedLock) -> None:
    start = timezone.now() + timedelta(hours=1)
    put(device, 3, "7391", Window(start, start + timedelta(hours=1)))
    with pytest.raises(SystemExit):
        run(lock.lock_ref, "--try", "7391")
    with time_machine.travel(start + timedelta(minutes=1)):
        assert run(lock.lock_ref, "--try", "7391") == "Door opens\n"


@pytest.mark.parametrize("look", ["--try", "--show"])
def test_looking_lets_a_late_write_land(device: Device, lock: SimulatedLock, look: str) -> None:
    run(lock.lock_ref, "late", "--late-ms", "5000")
    put(device, 3, "7391")
    with time_machine.travel(timezone.now() + timedelta(seconds=6)):
        assert run(lock.lock_ref, *([look, "7391"] if look == "--try" else [look]))
    lock.refresh_from_db()
    assert list(lock.codes) == ["3"]
    assert lock.pending == []


def test_it_shows_what_is_truly_on_the_lock(device: Device, lock: SimulatedLock) -> None:
    put(device, 3, "7391")
    run(lock.lock_ref, "mask_codes")  # shown all the same
    assert "3\t7391\tGuest 7F3A" in run(lock.lock_ref, "--show")


def test_it_shows_a_table_on_a_terminal(device: Device, lock: SimulatedLock) -> None:
    put(device, 3, "7391")
    out = Terminal()
    call_command(Command(stdout=out), lock.lock_ref, "--show")
    assert "Place" in out.getvalue()
    assert "7391" in out.getvalue()


def test_it_shows_json(device: Device, lock: SimulatedLock) -> None:
    start = timezone.now()
    put(device, 3, "7391", Window(start, None))
    run(lock.lock_ref, "late", "--late-ms", "60000")
    put(device, 4, "4207")
    shown: dict[str, Any] = json.loads(run(lock.lock_ref, "--show", "--json"))
    assert shown["codes"] == [
        {"place": "3", "pin": "7391", "label": "Guest 7F3A", "from": start.isoformat(), "until": None}
    ]
    assert [(late["place"], late["sets"]) for late in shown["pending"]] == [("4", True)]
    assert (shown["lock_ref"], shown["fault"], shown["two_writers"], shown["writes"]) == (lock.lock_ref, "late", 0, 2)


@pytest.mark.parametrize("words", ["Front door", "front DOOR", "Lakeview Cottage / Front door"])
def test_a_lock_is_found_by_its_name(lock: SimulatedLock, words: str) -> None:
    run(words, "mute")
    lock.refresh_from_db()
    assert lock.fault == "mute"


def test_the_portals_name_for_it_counts_too(device: Device, lock: SimulatedLock) -> None:
    Device.objects.update(name="Garden gate")
    run("Garden gate", "mute")
    run("Lakeview Cottage / Garden gate", "mute")


def test_a_reference_wins_over_a_name(device: Device, lock: SimulatedLock) -> None:
    factories.DeviceFactory(name=lock.lock_ref)
    run(lock.lock_ref, "mute")
    lock.refresh_from_db()
    assert lock.fault == "mute"


def test_a_name_of_two_locks_is_answered_with_both(device: Device, lock: SimulatedLock) -> None:
    factories.DeviceFactory(name="Front door", property__name="Harbour Loft")
    with pytest.raises(CommandError) as error:
        run("Front door", "mute")
    assert "2 locks" in str(error.value)
    assert "Lakeview Cottage / Front door" in str(error.value)
    assert "Harbour Loft / Front door" in str(error.value)
    assert not SimulatedLock.objects.filter(fault="mute").exists()


def test_an_unknown_name_is_answered_with_those_there_are(lock: SimulatedLock) -> None:
    with pytest.raises(CommandError) as error:
        run("Back door", "mute")
    assert f"Lakeview Cottage / Front door  ({lock.lock_ref})" in str(error.value)
    assert error.value.returncode == 2


def test_without_any_lock_it_says_what_to_do(db: None) -> None:
    with pytest.raises(CommandError, match="run the demo"):
        run("Front door", "mute")


def test_many_locks_are_not_all_listed(db: None) -> None:
    factories.DeviceFactory.create_batch(23)
    with pytest.raises(CommandError, match="and 3 more"):
        run("Nowhere", "mute")


@pytest.mark.parametrize(
    "args", [[], ["nonsense"], ["mute", "--latency-ms", "-5"], ["--show", "--try", "7391"], ["mute", "--json"]]
)
def test_it_refuses_a_wrong_call(lock: SimulatedLock, args: list[str]) -> None:
    with pytest.raises(CommandError):
        run(lock.lock_ref, *args)


def test_its_help_names_every_fault() -> None:
    text = Command().create_parser("manage.py", "simulate_lock").format_help()
    for word in [*FAULTS, "wiped", "heal", "exit status"]:
        assert word in text
