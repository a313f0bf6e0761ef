"""What is counted of turns and calls, and measured of locks."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from codes.tasks import sync_lock
from devices.lease import LeaseLost
from devices.metrics import measure
from devices.models import Device, Hub
from devices.services import request_sync
from portal import tally
from portal.models import Tally
from tests import factories
from tests.engine import fault, guest, held_before, turn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_left_from_before() -> None:
    tally._pending.take(0)


def counted(metric: str) -> dict[str, int]:
    """How often each series of a histogram was observed."""
    tally.flush()
    found: dict[str, int] = {}
    for one in Tally.objects.filter(metric=metric).exclude(part="sum"):
        found[one.labels] = found.get(one.labels, 0) + int(one.value)
    return found


def measured() -> dict[tuple[str, ...], float]:
    return {(one.name, *one.labels.values()): one.value for family in measure() for one in family.samples}


def turns() -> dict[str, int]:
    return counted("portal_turn_duration_seconds")


def calls() -> dict[str, int]:
    return counted("portal_provider_call_duration_seconds")


def test_a_turn_and_its_calls_by_what_came_of_them(device: Device) -> None:
    guest(device)
    sync_lock(str(device.pk))
    assert turns() == {'["simulator", "answered"]': 1}
    made = calls()
    assert made['["simulator", "put", "confirmed"]'] == 6  # the guest's and five spares
    assert made['["simulator", "read", "empty"]'] >= 1
    assert made['["simulator", "read", "code"]'] >= 1


def test_a_lock_that_is_silent(device: Device) -> None:
    guest(device)
    fault(device, "unreachable")
    turn(device)
    assert turns() == {'["simulator", "silent"]': 1}
    assert [series for series in calls() if series.endswith('"unreachable"]')]


def test_a_lease_that_was_lost_and_a_turn_that_broke(device: Device) -> None:
    guest(device)
    held = held_before(device, "put")
    Device.objects.update(lease_token=None, syncing_until=None)
    with pytest.raises(LeaseLost):
        held.finish()
    assert turns() == {'["simulator", "lease_lost"]': 1}
    held = held_before(device, "read")
    with pytest.raises(ZeroDivisionError):
        held.finish(error=ZeroDivisionError())
    assert turns()['["simulator", "broken"]'] == 1


def test_a_task_writes_down_its_counts_in_one_statement(device: Device) -> None:
    request_sync(device, wake=False)
    with CaptureQueriesContext(connection) as queries:
        sync_lock(str(device.pk))
    written = [query["sql"] for query in queries if "portal_tally" in query["sql"]]
    assert len(written) == 1


def test_a_turn_is_not_lost_over_its_metrics(device: Device) -> None:
    code = guest(device)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE portal_tally RENAME TO portal_tally_away")
    try:
        sync_lock(str(device.pk))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE portal_tally_away RENAME TO portal_tally")
    assert code.code_pins.get().pin.status == "set"
    assert turns() == {'["simulator", "answered"]': 1}  # made up for once the table is there


def test_locks_by_state(device: Device, hub: Hub, place) -> None:
    Device.objects.update(online="yes", battery=20)
    for online in ("no", "unknown"):
        factories.DeviceFactory(property=place, hub=hub, online=online)
    down = factories.HubFactory(workspace=hub.workspace, down_since=timezone.now())
    factories.DeviceFactory(property=place, hub=down, online="yes")
    factories.DeviceFactory(property=place, hub=hub, removal=Device.Removal.REMOVING)
    factories.DeviceFactory(property=place, hub=hub, removal=Device.Removal.REMOVED)
    told = measured()
    states = {key[1]: value for key, value in told.items() if key[0] == "portal_locks"}
    assert states == {"online": 1, "offline": 2, "unknown": 1, "removing": 1}
    assert told["portal_hubs_down",] == 1
    assert told["portal_locks_battery_low",] == 1


def test_how_long_the_oldest_due_lock_waits(device: Device) -> None:
    Device.objects.update(next_sync_at=None)
    assert measured()["portal_locks_oldest_due_age_seconds",] == 0
    Device.objects.update(next_sync_at=timezone.now() - timedelta(seconds=90))
    assert 89 < measured()["portal_locks_oldest_due_age_seconds",] < 150


def test_the_queries_do_not_grow_with_the_locks(device: Device, hub: Hub, place, django_assert_num_queries) -> None:
    for _ in range(5):
        factories.DeviceFactory(property=place, hub=hub)
    with django_assert_num_queries(3):
        measured()
