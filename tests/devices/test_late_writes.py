"""What got lost on the way can still land: until it cannot, its place and digits stay taken."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from codes.services import add_code, cancel_code, change_code, pull_backup
from devices import pins
from devices.models import Device, Hub, Pin, Property, SimulatedLock
from devices.pin_rules import NoPinLeft
from devices.providers.base import NoAnswer, PinRules
from portal.secret import Secret
from tests import engine, factories
from tests.engine import backup, fault, fill_pool, guest, held_before, later, own, settle, truth

LATE = 15_000  # ms; the locks here declare 20 s at most


@pytest.fixture
def bare(place: Property, hub: Hub) -> Device:
    """A lock without a pool."""
    return factories.DeviceFactory(property=place, hub=hub, caps=replace(factories.PLAIN, backup_pool=False))


def lost_write(device: Device, **fields) -> Pin:
    """A guest's PIN whose write got no answer and has not landed yet."""
    fault(device, "late", late_ms=LATE)
    code = guest(device, **fields)
    engine.turn(device)
    fault(device)
    pin = own(code)
    assert pin.status == Pin.Status.UNKNOWN and pin.secret.reveal() not in truth(device).values()
    return pin


def test_an_empty_read_is_no_proof_while_it_may_still_land(bare: Device) -> None:
    pin = lost_write(bare)
    cancel_code(pin.code_pin.code)
    with later(seconds=5):
        engine.turn(bare)
        pin.refresh_from_db()
        assert pin.maybe_on_lock


def test_its_slot_is_not_given_to_another_meanwhile(bare: Device) -> None:
    pin = lost_write(bare)
    cancel_code(pin.code_pin.code)
    second = guest(bare, "Second")
    with later(seconds=5):
        settle(bare)
    assert own(second).slot != pin.slot
    with later(seconds=60):
        settle(bare)
        assert truth(bare) == {str(own(second).slot): own(second).secret.reveal()}


def test_its_digits_are_not_given_to_another_meanwhile(bare: Device) -> None:
    pin = lost_write(bare)
    cancel_code(pin.code_pin.code)
    twin = factories.PinFactory(device=bare, digits=pin.secret.reveal(), digest=pin.digest)
    with pytest.raises(IntegrityError), transaction.atomic():
        Pin.objects.filter(pk=twin.pk).update(status=Pin.Status.WRITING)


def test_nor_picked_anew(place: Property, hub: Hub) -> None:
    rules = PinRules(lengths=(3,), forbidden_digits="3456789")
    device = factories.DeviceFactory(property=place, hub=hub, caps=replace(factories.PLAIN, pins=rules))
    given = []
    while (secret := _picked(device)) is not None:
        given.append(secret.reveal())
        twin = pins.digest_of(device, secret)
        factories.PinFactory(device=device, digits=given[-1], digest=twin, status=Pin.Status.UNKNOWN)
    assert given and len(given) == len(set(given))


def _picked(device: Device) -> Secret | None:
    try:
        return pins.pick(device)
    except NoPinLeft:
        return None


def test_what_lands_after_the_cancel_is_taken_off(bare: Device) -> None:
    pin = lost_write(bare)
    cancel_code(pin.code_pin.code)
    with later(seconds=60):
        settle(bare)
        pin.refresh_from_db()
        assert pin.status == Pin.Status.REMOVED
        assert truth(bare) == {}


def test_what_lands_after_the_cover_is_taken_off(device: Device) -> None:
    fill_pool(device)
    pin = lost_write(device)
    pull_backup(pin.code_pin.code)
    with later(seconds=17):
        settle(device)
    with later(seconds=60):
        settle(device)
        assert pin.secret.reveal() not in truth(device).values()
        assert backup(pin.code_pin.code).secret.reveal() in truth(device).values()


def test_the_same_write_again_into_the_same_slot_does_no_harm(bare: Device) -> None:
    pin = lost_write(bare)
    with later(minutes=2):
        settle(bare)
        pin.refresh_from_db()
        assert pin.status == Pin.Status.SET
        assert truth(bare) == {str(pin.slot): pin.secret.reveal()}


def test_a_code_set_at_the_second_try_and_cancelled_leaves_no_late_first_behind(bare: Device) -> None:
    """Removed is said only when neither of the two can be there any more."""
    fault(bare, "late", late_ms=LATE)
    code = guest(bare)
    engine.turn(bare)
    fault(bare)
    Pin.objects.update(next_attempt_at=None)
    engine.turn(bare)
    assert own(code).status == Pin.Status.SET
    cancel_code(code)
    with later(seconds=3):
        settle(bare)
        assert own(code).maybe_on_lock
        assert truth(bare) == {}
    with later(seconds=16):
        assert truth(bare) != {}  # the first one landed
    with later(seconds=30):
        settle(bare)
        assert own(code).status == Pin.Status.REMOVED
        assert truth(bare) == {}


def test_a_removal_that_got_lost_keeps_its_slot_so_that_it_takes_nobody_elses_code(bare: Device) -> None:
    first = guest(bare, "First")
    settle(bare)
    fault(bare, "late", late_ms=LATE)
    cancel_code(first)
    engine.turn(bare)
    fault(bare)
    Pin.objects.update(next_attempt_at=None)
    engine.turn(bare)  # taken off at the second try; the first removal is still on its way
    assert truth(bare) == {}
    second = guest(bare, "Second")
    with later(seconds=2):
        settle(bare)
    with later(seconds=40):
        settle(bare)
        assert own(first).status == Pin.Status.REMOVED
        assert own(second).status == Pin.Status.SET
        assert own(second).secret.reveal() in truth(bare).values()


def test_a_stay_extended_while_a_removal_is_lost_is_settled_by_reading(bare: Device) -> None:
    code = guest(bare, starts=timedelta(hours=-3), ends_at=timezone.now() + timedelta(minutes=1))
    settle(bare)
    with later(seconds=61):
        fault(bare, "late", late_ms=LATE)
        engine.turn(bare)
        assert own(code).status == Pin.Status.REMOVING
        fault(bare)
        change_code(code, name=code.name, starts_at=code.starts_at, ends_at=timezone.now() + timedelta(days=1))
        settle(bare)
    with later(minutes=3):
        settle(bare)
        assert own(code).status == Pin.Status.SET
        assert own(code).secret.reveal() in truth(bare).values()


def test_a_pin_set_while_an_older_write_of_it_is_lost_is_read_again_when_missing(bare: Device) -> None:
    code = guest(bare)
    held = held_before(bare, "put")
    held.finish(error=NoAnswer("lost"))
    assert own(code).status == Pin.Status.UNKNOWN
    engine.look_at_everything(bare)
    assert own(code).status in (Pin.Status.UNKNOWN, Pin.Status.SET)
    with later(minutes=3):
        settle(bare)
        assert own(code).status == Pin.Status.SET


def test_what_lands_long_after_it_was_said_to_be_removed_is_found_by_the_next_full_read(bare: Device) -> None:
    """A provider that promised too much."""
    pin = lost_write(bare)
    SimulatedLock.objects.update(pending=[])
    cancel_code(pin.code_pin.code)
    with later(minutes=1):
        settle(bare)
        pin.refresh_from_db()
        assert pin.status == Pin.Status.REMOVED
        engine.put_behind_our_back(bare, str(pin.slot), pin.secret.reveal())
    with later(hours=7):
        settle(bare)
        assert truth(bare) == {}


def test_an_ongoing_codes_lost_write_is_settled_too(bare: Device) -> None:
    fault(bare, "late", late_ms=LATE)
    code = add_code(device=bare, name="Owner", kind="ongoing")
    engine.turn(bare)
    fault(bare)
    with later(minutes=2):
        settle(bare)
    assert own(code).status == Pin.Status.SET
