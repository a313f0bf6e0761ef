"""`manage.py refill_pools`: asks for what pools lack, never for more."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from django.db import connections
from django.utils import timezone

from backups.models import BackupCode, BackupPool
from devices.models import Device, SimulatedLock
from tests import factories
from tests.commands import a_worker, help_of, rows, run
from tests.engine import draw, fill_pool, ready, settle, truth


def lose(device: Device, count: int) -> None:
    """Spares are drawn, and the refill that was asked for is lost."""
    for _ in range(count):
        assert draw(device)


def test_it_asks_for_what_a_pool_lacks(device: Device) -> None:
    fill_pool(device)
    lose(device, 2)
    ran = run("refill_pools")
    assert BackupCode.objects.spare().count() == 5
    assert ran.status == 0 and "2 backup codes asked for." in ran.out
    settle(device)
    assert len(ready(device)) == 5 and len(truth(device)) == 7


def test_it_makes_a_pool_that_was_never_made(device: Device) -> None:
    run("refill_pools", "Front door")
    assert BackupPool.objects.get().device == device
    assert BackupCode.objects.spare().count() == 5


def test_the_lock_is_due_for_the_workers(device: Device) -> None:
    Device.objects.update(next_sync_at=timezone.now() + timedelta(hours=5))
    run("refill_pools")
    device.refresh_from_db()
    assert device.next_sync_at <= timezone.now() and device.queued_until


def test_twice_asks_once(device: Device) -> None:
    run("refill_pools")
    before = rows()
    ran = run("refill_pools")
    assert ran.out == "No pool lacks a backup code.\n"
    assert rows() == before


def test_a_dry_run_tells_the_same_and_changes_nothing(device: Device) -> None:
    fill_pool(device)
    lose(device, 2)
    before = rows()
    dry = run("refill_pools", "--dry-run", "--json").data
    assert "Nothing was changed" in run("refill_pools", "--dry-run").out
    assert rows() == before
    assert dry["dry_run"] is True and dry["pools"] == run("refill_pools", "--json").data["pools"]


def test_json_tells_each_pool(device: Device) -> None:
    (pool,) = run("refill_pools", "--json").data["pools"]
    assert pool == {
        "id": str(device.pk),
        "lock": "Lakeview Cottage / Front door",
        "workspace": "Lakeview Stays",
        "ready": 0,
        "on_the_way": 5,
        "asked": 5,
        "size": 5,
        "why": "",
    }


def test_a_lock_without_room_ends_with_1_and_says_so(place: Any, hub: Any) -> None:
    device = factories.DeviceFactory(property=place, hub=hub, caps=factories.TINY, unmanaged=[1, 2, 3])
    ran = run("refill_pools")
    assert ran.status == 1 and "The lock has no room for more." in ran.out
    assert BackupCode.objects.spare().filter(pool__device=device).count() == 2


def test_a_lock_that_has_no_pool_is_told_and_is_fine(place: Any, hub: Any) -> None:
    factories.DeviceFactory(property=place, hub=hub, name="Shed", caps=factories.UNREADABLE)
    ran = run("refill_pools", "Shed")
    assert ran.status == 0 and "does not support backup codes" in ran.out


def test_a_lock_that_is_being_removed_gets_none(device: Device) -> None:
    Device.objects.update(removal=Device.Removal.REMOVING)
    assert "being removed" in run("refill_pools", "Front door").out
    assert not BackupCode.objects.exists()


def test_a_lock_that_is_away_says_when_it_refills(device: Device) -> None:
    fill_pool(device)
    lose(device, 1)
    Device.objects.update(online=Device.Online.NO)
    ran = run("refill_pools")
    assert ran.status == 0 and "Refills when the lock reconnects." in ran.out


def test_an_unknown_lock_ends_with_2_and_changes_nothing(device: Device) -> None:
    before = rows()
    ran = run("refill_pools", "Front door", "Nowhere")
    assert ran.status == 2 and "No lock is called “Nowhere”" in ran.error
    assert rows() == before


def test_beside_a_worker_and_itself_a_pool_never_gets_too_many(transactional_db: None) -> None:
    device = factories.DeviceFactory(name="Front door")

    def refill(_: int) -> int:
        try:
            return run("refill_pools", "Front door").status
        finally:
            connections.close_all()

    with a_worker(device), ThreadPoolExecutor(3) as pool:
        assert list(pool.map(refill, range(6))) == [0] * 6
    settle(device)
    assert len(ready(device)) == 5 and len(truth(device)) == 5
    assert SimulatedLock.objects.get().two_writers == 0


def test_its_help_has_examples_and_exit_statuses() -> None:
    told = help_of("backups", "refill_pools")
    assert "examples:" in told and "exit status:" in told
