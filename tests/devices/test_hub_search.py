"""A hub is asked for its locks: they appear by themselves, a silent hub is said to be silent, a lost task is redone."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from codes.tick import sweep
from devices import hubs
from devices.models import Device, Event, Hub, Property, SimulatedLock
from devices.providers.base import HubUnreachable, NoAnswer
from devices.providers.simulator import SimulatorProvider
from devices.services import remove_lock
from devices.tasks import discover_hub
from portal.models import User
from tests import factories
from tests.engine import settle

T = Event.Type


def paired(hub: Hub, name: str) -> SimulatedLock:
    """A lock that is with its hub, and that the portal does not know."""
    return SimulatedLock.objects.create(
        hub=hub, lock_ref=name, name=name, make="Yale", model="X", capabilities=factories.MODERN.to_json()
    )


@pytest.fixture
def hub(place: Property, alice: User) -> Hub:
    """Added by Alice; its task has not run."""
    return hubs.add_hub(
        workspace=place.workspace, provider="simulator", name="Cellar", address="c", property=place, actor=alice
    )


def run(hub: Hub) -> Hub:
    """The task that waits for it."""
    waiting = [task for task in OrmQ.objects.order_by("pk") if task.task["func"].endswith("discover_hub")]
    for task in waiting:
        args = task.task["args"]
        task.delete()
        assert args[0] == str(hub.pk)
        discover_hub(*args)
    hub.refresh_from_db()
    return hub


def told(hub: Hub) -> list[dict[str, object]]:
    return [event.data for event in Event.objects.filter(type=T.HUB_SEARCHED).order_by("pk")]


def test_it_finds_the_locks_and_says_how_many(hub: Hub, place: Property) -> None:
    paired(hub, "Attic"), paired(hub, "Cellar door")
    assert run(hub).searching_since is None
    assert (hub.found, hub.search_silence) == (2, "") and hub.searched_at
    assert set(Device.objects.values_list("name", "property")) == {("Attic", place.pk), ("Cellar door", place.pk)}
    assert told(hub) == [{"name": "Cellar", "zone": "Europe/Lisbon", "found": 2, "added": 2, "silence": ""}]


def test_who_added_it_is_written_down(hub: Hub, alice: User) -> None:
    assert Event.objects.get(type=T.HUB_ADDED).actor == alice


@pytest.mark.parametrize(
    ("error", "silence"),
    [
        (HubUnreachable("no"), "unreachable"),
        (NoAnswer("no"), "no_answer"),
        (TimeoutError(), "no_answer"),
        (ValueError("secret 4711"), "failed"),
    ],
)
def test_a_silent_hub_is_said_to_be_silent(
    hub: Hub, error: Exception, silence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(self: object, *, deadline: float) -> None:
        raise error

    monkeypatch.setattr(SimulatorProvider, "discover", raises)
    run(hub)
    assert (hub.searching_since, hub.search_silence, hub.found) == (None, silence, None)
    assert told(hub)[0]["silence"] == silence and "4711" not in str(told(hub))


def test_asked_again_it_finds_what_was_paired_since(hub: Hub) -> None:
    run(hub)
    assert hub.found == 0
    paired(hub, "Attic")
    hubs.search(hub)
    run(hub)
    assert hub.found == 1 and told(hub)[-1]["added"] == 1


def test_asked_while_it_is_being_asked_it_is_asked_once(hub: Hub) -> None:
    hubs.search(hub)
    assert OrmQ.objects.count() == 1


def test_a_lost_task_is_asked_for_again(hub: Hub) -> None:
    OrmQ.objects.all().delete()
    sweep()
    assert not OrmQ.objects.exists()
    Hub.objects.update(searching_since=timezone.now() - timedelta(minutes=2))
    sweep()
    sweep()
    assert OrmQ.objects.count() == 1
    paired(hub, "Attic")
    assert run(hub).found == 1


def test_the_same_task_twice_tells_once(hub: Hub) -> None:
    paired(hub, "Attic")
    run(hub)
    discover_hub(str(hub.pk))
    assert len(told(hub)) == 1 and Device.objects.count() == 1


def test_a_search_leaves_a_removed_lock_alone_and_adding_the_hub_again_brings_it_back(hub: Hub) -> None:
    paired(hub, "Attic")
    run(hub)
    device = Device.objects.get()
    remove_lock(device)
    settle(device)
    assert device.removal == Device.Removal.REMOVED
    hubs.search(hub)
    run(hub)
    device.refresh_from_db()
    assert device.removal == Device.Removal.REMOVED and told(hub)[-1]["added"] == 0
    hubs.add_hub(workspace=hub.workspace, provider="simulator", name="x", address="c", property=hub.property)
    run(hub)
    device.refresh_from_db()
    assert device.removal == Device.Removal.KEPT and hub.name == "Cellar"


def test_a_hub_that_is_gone_is_no_error(hub: Hub) -> None:
    hubs.remove_hub(hub)
    discover_hub(str(hub.pk))
    assert not Hub.objects.exists()


def test_a_hub_that_speaks_wakes_its_resting_locks(hub: Hub) -> None:
    Hub.objects.update(down_since=timezone.now(), probe_at=timezone.now() + timedelta(minutes=10))
    run(hub)
    assert hub.probe_at is None
