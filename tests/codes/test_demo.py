"""`manage.py demo`: what it seeds, whom it refuses, its story. The whole of it, live, is in test_demo_live.py."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from backups.models import BackupCode, BackupPool
from codes.demo import locks, state, story
from codes.demo.seed import LAKEVIEW_ID, MANAGER, OTHER, STAFF, seed
from codes.management.commands import demo
from codes.models import AccessCode
from devices.models import Device, Event, Pin, Property, SimulatedLock
from portal.models import User, Workspace
from tests import factories
from tests.engine import settle, truth, turn

pytestmark = pytest.mark.django_db


@pytest.fixture
def seeded(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    seed()


def lakeview() -> list[Device]:
    return list(Device.objects.filter(hub__workspace=LAKEVIEW_ID).select_related("property__workspace"))


def device(lock: locks.Lock) -> Device:
    return story.device_of(lock)


# What is there


@pytest.mark.usefixtures("seeded")
def test_three_people_can_sign_in() -> None:
    assert {user.email for user in User.objects.all()} == {MANAGER, OTHER, STAFF}
    assert all(check_password("demo", user.password) for user in User.objects.all())
    assert User.objects.get(email=STAFF).is_superuser
    assert not User.objects.get(email=STAFF).memberships.exists()
    manager, other = User.objects.get(email=MANAGER), User.objects.get(email=OTHER)
    assert manager.memberships.get().workspace.name == "Lakeview Stays"
    assert other.memberships.get().workspace != manager.memberships.get().workspace


@pytest.mark.usefixtures("seeded")
def test_ten_locks_in_three_time_zones() -> None:
    assert len(lakeview()) == 10
    assert len({lock.make for lock in lakeview()}) >= 8
    assert len({place.time_zone for place in Property.objects.filter(workspace=LAKEVIEW_ID)}) == 3
    assert Device.objects.exclude(hub__workspace=LAKEVIEW_ID).count() == 1


@pytest.mark.usefixtures("seeded")
def test_one_of_each_ailment_and_the_rest_healthy() -> None:
    assert [lock.name for lock in lakeview() if lock.online == Device.Online.NO] == ["Apartment 2"]
    assert [lock.name for lock in lakeview() if lock.battery is not None and lock.battery < 15] == ["Garden gate"]
    assert [lock.name for lock in lakeview() if lock.caps and not lock.caps.backup_pool] == ["Storeroom"]
    assert "Back door" in [lock.name for lock in lakeview() if lock.caps and not lock.caps.native_schedules]
    full = device(locks.LOFT_4A)
    assert full.caps and full.caps.slots == 5 == len(truth(full))
    ready = {
        pool.device.name: BackupCode.objects.ready().filter(pool=pool).count() for pool in BackupPool.objects.all()
    }
    assert sorted(ready.items(), key=lambda item: item[1])[:2] == [("Loft 4A", 1), ("Apartment 2", 3)]
    assert list(ready.values()).count(5) == len(ready) - 2


@pytest.mark.usefixtures("seeded")
def test_codes_past_running_to_come_and_ongoing() -> None:
    codes, at = AccessCode.objects.all(), timezone.now()
    assert codes.filter(ended_at__lte=at).count() >= 5
    assert codes.live().filter(starts_at__lte=at, ends_at__gt=at).count() >= 5
    assert codes.live().filter(starts_at__gt=at).count() >= 5
    assert codes.live().filter(kind=AccessCode.Kind.ONGOING).count() >= 5
    assert not codes.filter(name=story.HERO).exists()


@pytest.mark.usefixtures("seeded")
def test_seeding_again_changes_nothing() -> None:
    before = [model.objects.count() for model in (User, Workspace, Device, Pin, AccessCode, Event)]
    assert seed() is False
    assert [model.objects.count() for model in (User, Workspace, Device, Pin, AccessCode, Event)] == before


@pytest.mark.usefixtures("seeded")
def test_the_engine_finds_every_lock_as_the_portal_believes_it() -> None:
    SimulatedLock.objects.update(latency_ms=0)
    Device.objects.update(read_wanted=True)
    before = dict(Pin.objects.values_list("pk", "status"))
    events = Event.objects.count()
    for lock in Device.objects.exclude(lock_ref=locks.APARTMENT_2.ref):
        assert turn(lock)
        assert not lock.trouble
    assert dict(Pin.objects.values_list("pk", "status")) == before
    assert Event.objects.count() == events
    assert not SimulatedLock.objects.exclude(writes=0).exists()


@pytest.mark.usefixtures("seeded")
def test_the_offline_lock_comes_back_as_it_was_left() -> None:
    SimulatedLock.objects.update(latency_ms=0, fault="")
    offline = device(locks.APARTMENT_2)
    settle(offline)
    assert offline.online == Device.Online.YES
    assert BackupCode.objects.ready().filter(pool__device=offline).count() == 5
    assert set(truth(offline).values()) == {pin.secret.reveal() for pin in offline.pins.all() if pin.maybe_on_lock}


# Whom it refuses


def test_it_refuses_to_run_without_debug() -> None:
    with pytest.raises(CommandError, match="DEBUG on only"):
        call_command("demo")


@pytest.mark.parametrize("reset", [False, True])
def test_it_refuses_a_database_with_other_workspaces(reset: bool) -> None:
    elsewhere = factories.WorkspaceFactory()
    with pytest.raises(CommandError, match="holds workspaces that are not the demo's"):
        demo.prepare(reset=reset)
    assert list(Workspace.objects.all()) == [elsewhere]


def test_it_refuses_a_database_with_other_people() -> None:
    factories.UserFactory()
    with pytest.raises(CommandError, match="holds people who are not the demo's"):
        demo.prepare(reset=True)
    assert User.objects.count() == 1


def test_it_refuses_another_programs_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE shop_order (id integer)")
    with pytest.raises(CommandError, match=r"holds tables of something else \(shop_order\)"):
        demo.prepare(reset=True)


@pytest.mark.usefixtures("seeded")
def test_its_own_database_is_no_strangers() -> None:
    assert state.foreign() == ""


def test_it_refuses_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CommandError, match=rf"Port {port} cannot be used \(address already in use\).* --port"):
            demo.check_port(port)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_it_refuses_a_port_that_is_none(port: int) -> None:
    with pytest.raises(CommandError, match="from 1 to 65535"):
        demo.check_port(port)


def test_it_refuses_a_second_demo_in_the_same_place(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    with demo.only_one(), pytest.raises(CommandError, match=r"runs in .* already"), demo.only_one():
        pytest.fail("two at once")
    with demo.only_one():
        assert (tmp_path / "demo.lock").exists()


# Its story


@pytest.fixture
def told(seeded: None) -> story.Story:
    """The story, played by the real engine in no time."""
    SimulatedLock.objects.update(latency_ms=0)
    User.objects.filter(email=MANAGER).update(last_login=timezone.now())
    with time_machine.travel(timezone.now(), tick=False) as clock:

        def sleep(seconds: float) -> None:
            clock.shift(seconds)
            for lock in (locks.FRONT_DOOR, locks.MAIN_ENTRANCE):
                settle(device(lock))

        performance = story.Story(sleep, lambda: timezone.now().timestamp())
        performance.begin()
        performance.play()
    return performance


def test_the_story_takes_its_steps_within_50_seconds(told: story.Story) -> None:
    assert list(told.seconds) == [
        "signed in",
        "Ben's code is added",
        "Ben is covered by a backup",
        "his lock works again",
        "his lock's pool is full again",
        "six codes are added at the main entrance",
        "the main entrance's pool runs out",
        "a guest is left without a backup",
    ]
    assert max(told.seconds.values()) < 50


@pytest.mark.usefixtures("told")
def test_at_its_end_one_pool_is_full_and_the_other_has_run_out_with_a_cause() -> None:
    assert story.ready_on(device(locks.FRONT_DOOR)) == 5
    entrance = device(locks.MAIN_ENTRANCE)
    assert entrance.backup_pool.exhausted_since
    assert entrance.trouble == Pin.Trouble.REJECTED
    crowd = AccessCode.objects.filter(name__in=story.CROWD)
    assert sum(story.covered(code) for code in crowd) == 5
    assert sum(story.uncovered(code) for code in crowd) == 1


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize(("ago", "counted"), [(1.5, 1.5), (600, story.ARRIVES)])
def test_its_seconds_count_from_the_sign_in_but_an_old_one_hurries_nothing(ago: float, counted: float) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        User.objects.filter(email=MANAGER).update(last_login=timezone.now() - timedelta(seconds=ago))
        performance = story.Story(clock=lambda: timezone.now().timestamp())
        performance.begin()
    assert performance.seconds["signed in"] == counted


@pytest.mark.usefixtures("seeded")
def test_a_demo_that_is_started_again_does_not_tell_it_again() -> None:
    story.book(device(locks.FRONT_DOOR), story.HERO)
    story.run()
    assert AccessCode.objects.filter(name=story.HERO).count() == 1
    assert not AccessCode.objects.filter(name__in=story.CROWD).exists()


@pytest.mark.usefixtures("seeded")
def test_a_guest_with_several_doors_has_one_booking_and_the_hub_says_what_it_found() -> None:
    doors = AccessCode.objects.filter(name="Ana Ruiz")
    assert doors.count() == 3 and len(set(doors.values_list("booking_reference", flat=True))) == 1
    hub = lakeview()[0].hub
    assert hub.found == 10 and hub.property and hub.searched_at
    assert all(lock.seen_at for lock in lakeview())
