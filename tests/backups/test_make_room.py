"""On a lock with few slots, guests come before spares, and one spare stays."""

from datetime import timedelta

from devices.models import Device, Hub, Property
from tests import factories
from tests.engine import fill_pool, guest, later, ready, settle, truth


def five_slots(place: Property, hub: Hub) -> Device:
    return factories.DeviceFactory(property=place, hub=hub, caps=factories.TINY)


def test_spares_above_target_leave_for_a_guest(place: Property, hub: Hub) -> None:
    device = five_slots(place, hub)
    fill_pool(device)
    code = guest(device)
    settle(device)
    assert len(ready(device)) == 4
    assert code.code_pins.get().pin.secret.reveal() in truth(device).values()


def test_a_stay_booked_long_ago_finds_room_when_its_time_comes(place: Property, hub: Hub) -> None:
    device = five_slots(place, hub)
    fill_pool(device)
    code = guest(device, starts=timedelta(days=10))
    settle(device)
    assert len(ready(device)) == 5
    with later(days=9, hours=23, minutes=5):
        settle(device)
        assert code.code_pins.get().pin.secret.reveal() in truth(device).values()
        assert len(ready(device)) == 4


def test_one_spare_stays_when_guests_would_take_every_slot(place: Property, hub: Hub) -> None:
    device = five_slots(place, hub)
    fill_pool(device)
    for n in range(5):
        guest(device, f"Guest {n}")
    settle(device)
    assert len(ready(device)) == 1
    assert len(truth(device)) == 5
