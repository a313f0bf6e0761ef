"""The database comes back from a back-up and is older than the locks. Real dumps, real restores, the real engine."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django.fixtures import Settings

from backups.models import BackupCode
from codes.management.commands import after_restore
from codes.models import AccessCode
from codes.services import pull_backup
from codes.tick import sweep
from devices.models import Device, Pin
from portal.models import Heartbeat
from portal.queue import beat
from tests import factories
from tests.backup import back_up, restore
from tests.engine import backup, fault, fill_pool, guest, later, opens, own, ready, settle, shown, truth

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(after_restore, "WATCHED_FOR", 0.0)


@pytest.fixture
def device(transactional_db: None) -> Device:
    return factories.DeviceFactory()


def run(**options: Any) -> str:
    out = StringIO()
    call_command("after_restore", stdout=out, **options)
    return out.getvalue()


def digits(spares: list[BackupCode]) -> set[str]:
    return {spare.pin.secret.reveal() for spare in spares}


def test_a_spare_given_away_since_the_back_up_is_given_to_nobody_else(device: Device, tmp_path: Path) -> None:
    old = digits(fill_pool(device))
    target = back_up(tmp_path)
    ben = guest(device, "Ben Okafor")
    fault(device, "reject_set")
    settle(device)
    given = backup(ben)
    assert given is not None
    bens = given.secret.reveal()
    fault(device)
    restore(target)
    assert bens in digits(ready(device))  # the old data would give it away once more

    run()
    assert not ready(device)
    settle(device)
    assert bens in truth(device).values()  # Ben still gets in
    assert len(ready(device)) == 5 and not digits(ready(device)) & old
    others = [guest(device, f"Guest {number}") for number in range(5)]
    pulled = {code for other in others if (code := pull_backup(other))}
    assert len(pulled) == 5 and not digits(list(pulled)) & old


def test_old_spares_leave_the_lock_when_their_time_is_over(device: Device) -> None:
    old = digits(fill_pool(device))
    run(spares_stay=3)
    with later(days=2):
        settle(device)
        assert old <= set(truth(device).values())
    with later(days=4):
        settle(device)
        assert not old & set(truth(device).values())
        assert set(truth(device).values()) == digits(ready(device))


def test_what_was_planned_and_set_since_is_found_and_not_set_twice(device: Device, tmp_path: Path) -> None:
    anna = guest(device, "Anna Lind")
    told = own(anna).secret.reveal()
    target = back_up(tmp_path)
    settle(device)
    assert opens(device, anna)
    restore(target)
    assert own(anna).status == Pin.Status.PLANNED
    run()
    settle(device)
    pin = shown(anna)
    assert pin and pin.secret.reveal() == told
    assert list(truth(device).values()).count(told) == 1
    assert not device.unmanaged or told not in [truth(device)[str(place)] for place in device.unmanaged]


def test_codes_the_portal_has_forgotten_show_as_unmanaged_and_stay(device: Device, tmp_path: Path) -> None:
    fill_pool(device)
    target = back_up(tmp_path)
    carl = guest(device, "Carl Berg")
    settle(device)
    carls = own(carl).secret.reveal()
    restore(target)
    assert not AccessCode.objects.exists()
    run()
    settle(device)
    assert [truth(device)[str(place)] for place in device.unmanaged] == [carls]


def test_a_lock_that_differs_is_mended(device: Device, tmp_path: Path) -> None:
    dora, emil = guest(device, "Dora"), guest(device, "Emil", starts=timedelta(hours=-1))
    settle(device)
    target = back_up(tmp_path)
    with later(days=3):  # both stays are over, their codes are taken off
        settle(device)
        assert own(dora).status == own(emil).status == Pin.Status.REMOVED
        restore(target)
        assert own(emil).status == Pin.Status.SET
        run()
        settle(device)
        assert own(dora).status == own(emil).status == Pin.Status.REMOVED
        assert set(truth(device).values()).isdisjoint({own(dora).secret.reveal(), own(emil).secret.reveal()})


def test_no_guest_is_given_up_before_the_lock_was_asked(device: Device, tmp_path: Path) -> None:
    anna = guest(device, "Anna Lind")
    target = back_up(tmp_path)
    settle(device)
    with later(hours=1):
        restore(target)
        run()
        settle(device)
    anna.refresh_from_db()
    assert anna.uncovered_since is None and backup(anna) is None and opens(device, anna)


def test_leases_marks_tasks_and_beats_of_the_past_are_forgotten(device: Device, tmp_path: Path) -> None:
    fill_pool(device)
    guest(device)
    soon = timezone.now() + timedelta(seconds=25)
    Device.objects.update(queued_until=soon, syncing_until=soon, lease_token=uuid.uuid4(), failures=7)
    type(device.hub).objects.update(down_since=timezone.now(), probe_at=soon, probes=9)
    beat("tick")
    assert OrmQ.objects.exists()
    run()
    device.refresh_from_db()
    device.hub.refresh_from_db()
    assert (device.queued_until, device.syncing_until, device.lease_token, device.failures) == (None, None, None, 0)
    assert device.read_wanted and device.next_sync_at and device.next_sync_at <= timezone.now()
    assert (device.hub.down_since, device.hub.probe_at, device.hub.probes) == (None, None, 0)
    assert not OrmQ.objects.exists() and not Heartbeat.objects.exists()


def test_on_a_lock_without_room_old_spares_make_way_for_a_guest(transactional_db: None) -> None:
    device = factories.DeviceFactory(capabilities=factories.TINY.to_json())
    assert len(fill_pool(device)) == 5 == len(truth(device))
    run()
    code = guest(device)
    settle(device)
    assert opens(device, code)
    for _ in range(2):  # minutes
        sweep()
        settle(device)
    assert len(ready(device)) == 1


def test_twice_does_no_harm(device: Device) -> None:
    fill_pool(device)
    run()
    settle(device)
    run()
    settle(device)
    assert len(ready(device)) == 5


def test_a_dry_run_changes_nothing(device: Device) -> None:
    spares = fill_pool(device)
    guest(device)
    told = json.loads(run(dry_run=True, json=True))
    assert told == {"dry_run": True, "locks": 1, "spares": 5, "planned": 1, "tasks": OrmQ.objects.count()}
    assert ready(device) == spares
    assert "5 spares replaced" in run(dry_run=True)


@pytest.mark.parametrize(
    ("name", "value"), [("PIN_KEYS", [Fernet.generate_key().decode()]), ("PIN_DIGEST_KEY", "another")]
)
def test_it_refuses_keys_that_are_not_this_databases(
    name: str, value: object, device: Device, settings: Settings
) -> None:
    spares = fill_pool(device)
    setattr(settings, name, value)
    with pytest.raises(CommandError, match=rf"{name} (is|are) not this database's"):
        run()
    assert BackupCode.objects.spare().count() == len(spares)


def test_it_refuses_while_a_tick_runs(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    spares = fill_pool(device)
    pause: Callable[[float], None] = lambda _: beat("tick")  # noqa: E731  what a tick does meanwhile
    monkeypatch.setattr(after_restore.time, "sleep", pause)
    with pytest.raises(CommandError, match="A tick runs on this database"):
        run()
    assert ready(device) == spares
