"""The promises the database itself keeps, tried from below: raw writes and two connections, no service between.

I2 and I3: what is on a lock. One writer: locks, hubs and people are each there once.
"""

from collections.abc import Callable
from typing import Any

import pytest

from devices.models import MAYBE_ON_LOCK, Device, Hub, Pin, SimulatedLock
from portal.models import Membership, User
from portal.secret import Secret
from tests import factories
from tests.raw import race, refused

MAYBE = sorted(MAYBE_ON_LOCK)
SURELY_NOT = sorted(set(Pin.Status) - MAYBE_ON_LOCK)


def raw_pin(device: Device, *, digest: str, slot: int | None, status: str) -> Pin:
    return Pin.objects.create(
        device=device, secret=Secret("7391"), digest=digest, slot=slot, status=status, label="Guest"
    )


class TestI2DigitsOnceOnALock:
    """No two PINs alike on one lock while either may open it."""

    @pytest.mark.parametrize("other", MAYBE)
    @pytest.mark.parametrize("status", MAYBE)
    def test_two_that_may_be_on_the_lock(self, device: Device, status: str, other: str) -> None:
        raw_pin(device, digest="a", slot=1, status=status)
        with refused():
            raw_pin(device, digest="a", slot=2, status=other)

    @pytest.mark.parametrize("status", MAYBE)
    def test_a_planned_one_that_is_about_to_be_written(self, device: Device, status: str) -> None:
        raw_pin(device, digest="a", slot=1, status=status)
        planned = raw_pin(device, digest="a", slot=None, status=Pin.Status.PLANNED)
        with refused():
            Pin.objects.filter(pk=planned.pk).update(status=Pin.Status.WRITING)

    @pytest.mark.parametrize("field", ["digest", "device"])
    def test_one_that_is_turned_into_another(self, device: Device, field: str) -> None:
        there = raw_pin(device, digest="a", slot=1, status=Pin.Status.SET)
        elsewhere = device if field == "digest" else factories.DeviceFactory()
        digest = "b" if field == "digest" else "a"
        other = raw_pin(elsewhere, digest=digest, slot=2, status=Pin.Status.SET)
        with refused():
            Pin.objects.filter(pk=other.pk).update(**{field: getattr(there, field)})

    def test_many_at_once(self, device: Device) -> None:
        pins = [
            Pin(device=device, secret=Secret("7391"), digest="a", slot=n, status=Pin.Status.SET, label="x")
            for n in (1, 2)
        ]
        with refused():
            Pin.objects.bulk_create(pins)

    @pytest.mark.parametrize("status", SURELY_NOT)
    def test_digits_that_are_surely_not_on_the_lock_are_free(self, device: Device, status: str) -> None:
        raw_pin(device, digest="a", slot=1, status=status)
        raw_pin(device, digest="a", slot=1, status=Pin.Status.SET)

    def test_another_lock_may_have_them(self, device: Device) -> None:
        raw_pin(device, digest="a", slot=1, status=Pin.Status.SET)
        raw_pin(factories.DeviceFactory(), digest="a", slot=1, status=Pin.Status.SET)

    @pytest.mark.django_db(transaction=True)
    def test_two_connections(self, device: Device) -> None:
        pins = [raw_pin(device, digest="a", slot=n, status=Pin.Status.PLANNED) for n in (1, 2)]

        def write(pin: Pin) -> Callable[[], Any]:
            return lambda: Pin.objects.filter(pk=pin.pk, status="planned").update(status="writing")

        assert race(*map(write, pins)) == 1
        assert Pin.objects.filter(status="writing").count() == 1


class TestI3SlotOnceOnALock:
    """Two PINs never share a slot."""

    @pytest.mark.parametrize("other", MAYBE)
    @pytest.mark.parametrize("status", MAYBE)
    def test_two_that_may_be_on_the_lock(self, device: Device, status: str, other: str) -> None:
        raw_pin(device, digest="a", slot=1, status=status)
        with refused():
            raw_pin(device, digest="b", slot=1, status=other)

    @pytest.mark.parametrize("change", [{"status": "writing"}, {"status": "unknown"}])
    def test_a_planned_one_that_is_about_to_be_written(self, device: Device, change: dict[str, str]) -> None:
        raw_pin(device, digest="a", slot=1, status=Pin.Status.SET)
        planned = raw_pin(device, digest="b", slot=1, status=Pin.Status.PLANNED)
        with refused():
            Pin.objects.filter(pk=planned.pk).update(**change)

    def test_one_that_moves_there(self, device: Device) -> None:
        raw_pin(device, digest="a", slot=1, status=Pin.Status.SET)
        other = raw_pin(device, digest="b", slot=2, status=Pin.Status.SET)
        with refused():
            Pin.objects.filter(pk=other.pk).update(slot=1)

    @pytest.mark.parametrize("status", SURELY_NOT)
    def test_a_slot_of_one_that_is_surely_gone_is_free(self, device: Device, status: str) -> None:
        raw_pin(device, digest="a", slot=1, status=status)
        raw_pin(device, digest="b", slot=1, status=Pin.Status.SET)

    def test_codes_with_an_id_need_no_slot(self, device: Device) -> None:
        raw_pin(device, digest="a", slot=None, status=Pin.Status.SET)
        raw_pin(device, digest="b", slot=None, status=Pin.Status.SET)

    @pytest.mark.django_db(transaction=True)
    def test_two_connections(self, device: Device) -> None:
        pins = [raw_pin(device, digest=text, slot=None, status=Pin.Status.PLANNED) for text in "ab"]

        def write(pin: Pin) -> Callable[[], Any]:
            return lambda: Pin.objects.filter(pk=pin.pk).update(status="writing", slot=7)

        assert race(*map(write, pins)) == 1
        assert Pin.objects.filter(slot=7).count() == 1


@pytest.mark.parametrize(("field", "value"), [("status", "sett"), ("status", ""), ("wanted", "maybe")])
def test_a_pin_is_in_no_state_we_do_not_know(device: Device, field: str, value: str) -> None:
    pin = raw_pin(device, digest="a", slot=1, status=Pin.Status.SET)
    with refused():
        Pin.objects.filter(pk=pin.pk).update(**{field: value})


class TestOneWriterALock:
    """A lock, a hub's address and a simulated lock are each there once."""

    def test_a_lock_is_added_once(self, device: Device) -> None:
        with refused():
            Device.objects.create(hub=device.hub, property=device.property, lock_ref=device.lock_ref)

    def test_a_hub_belongs_to_one_workspace(self, hub: Hub) -> None:
        with refused():
            factories.HubFactory(address=hub.address)

    def test_a_lock_has_one_truth(self, lock: SimulatedLock) -> None:
        with refused():
            SimulatedLock.objects.create(hub=lock.hub, lock_ref=lock.lock_ref, capabilities={})

    @pytest.mark.parametrize(("field", "value"), [("online", "maybe"), ("removal", "lost")])
    def test_a_lock_is_in_no_state_we_do_not_know(self, device: Device, field: str, value: str) -> None:
        with refused():
            Device.objects.filter(pk=device.pk).update(**{field: value})


class TestPeople:
    @pytest.mark.parametrize("role", ["admin", "", "Owner"])
    def test_no_role_we_do_not_know(self, bob: User, role: str) -> None:
        with refused():
            Membership.objects.filter(user=bob).update(role=role)

    @pytest.mark.parametrize("role", Membership.Role)
    def test_each_role_we_know(self, bob: User, role: str) -> None:
        assert Membership.objects.filter(user=bob).update(role=role) == 1

    def test_one_role_in_a_workspace(self, bob: User) -> None:
        with refused():
            Membership.objects.create(user=bob, workspace=bob.memberships.get().workspace, role=Membership.Role.OWNER)

    def test_one_person_an_address_however_it_is_written(self, bob: User) -> None:
        with refused():
            User.objects.create(email=bob.email.upper())


def test_two_pins_never_share_a_code_id_while_either_may_open_the_door(device: Device) -> None:
    factories.PinFactory(device=device, code_id="c-7", status=Pin.Status.SET)
    with refused():
        factories.PinFactory(device=device, code_id="c-7", status=Pin.Status.REMOVING)
    factories.PinFactory(device=device, code_id="c-7", status=Pin.Status.REMOVED)


def test_a_hub_has_a_provider_we_know(hub: Hub) -> None:
    with refused():
        Hub.objects.filter(pk=hub.pk).update(provider="nobody")
