"""A spare is drawn once, for good, by whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from django_q.models import OrmQ

from backups.models import BackupCode, BackupPool
from backups.services import acknowledge
from codes.models import CodePin
from codes.services import pull_backup
from devices.models import Device, Pin
from tests import factories
from tests.engine import draw, guest


def stocked(spares: int = 5) -> Device:
    device = factories.DeviceFactory()
    pool = factories.BackupPoolFactory(device=device)
    for position in range(1, spares + 1):
        factories.BackupCodeFactory(pool=pool, position=position, pin__slot=position)
    return device


@pytest.mark.django_db
class TestDraw:
    def test_takes_the_spare_confirmed_last(self) -> None:
        device = stocked()
        best = BackupCode.objects.all()[3]
        Pin.objects.filter(pk=best.pin_id).update(confirmed_at=timezone.now() + timedelta(minutes=1))
        assert draw(device) == best

    @pytest.mark.parametrize("status", sorted(set(Pin.Status) - {Pin.Status.SET}))
    def test_takes_none_that_is_not_surely_on_the_lock(self, status: Pin.Status) -> None:
        device = stocked(1)
        Pin.objects.update(status=status)
        assert draw(device) is None

    def test_takes_none_that_is_on_its_way_out(self) -> None:
        device = stocked(1)
        Pin.objects.update(wanted=Pin.Wanted.ABSENT)
        assert draw(device) is None

    def test_takes_each_once_until_there_is_none(self) -> None:
        device = stocked()
        drawn = [draw(device) for _ in range(6)]
        assert len({code.pk for code in drawn[:5]}) == 5 and drawn[5] is None

    def test_never_gives_one_that_somebody_took_without_the_locks_row(self, monkeypatch) -> None:
        """Loudly, and nothing is changed: the guest is covered by the next tick."""
        device = stocked(1)
        draw(device)
        before = BackupCode.objects.values().get()
        everything = BackupCode.objects.all()
        monkeypatch.setattr("backups.models.BackupCodeQuerySet.ready", lambda self: everything)
        with pytest.raises(RuntimeError):
            draw(device)
        assert BackupCode.objects.values().get() == before

    def test_asks_for_a_refill_and_reopens_the_warning(self, alice) -> None:
        device = stocked()
        pool = BackupPool.objects.get()
        acknowledge(pool, actor=alice)
        draw(device)
        pool.refresh_from_db()
        assert pool.acknowledged_at is None
        assert [row.task["func"] for row in OrmQ.objects.all()] == ["backups.tasks.refill_pool"]

    def test_leaves_another_locks_spares_alone(self) -> None:
        stocked()
        assert draw(factories.DeviceFactory()) is None


def side_by_side(work, items: list) -> list:
    def alone(item):
        try:
            return work(item)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(alone, items))


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_draw_five_different_ones() -> None:
    device = stocked()
    drawn = [code.pk for code in side_by_side(draw, [device] * 8) if code]
    assert len(drawn) == len(set(drawn)) == 5


@pytest.mark.django_db(transaction=True)
def test_two_guests_at_once_and_one_spare_left() -> None:
    device = stocked(1)
    codes = [guest(device, f"Guest {n}") for n in range(2)]
    pulled = side_by_side(pull_backup, codes)
    assert sorted(code is not None for code in pulled) == [False, True]
    assert CodePin.objects.filter(role="backup").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_guest_pulled_for_by_eight_people_at_once() -> None:
    device = stocked()
    code = guest(device)
    pulled = {backup.pk for backup in side_by_side(pull_backup, [code] * 8)}
    assert len(pulled) == 1
    assert BackupCode.objects.filter(drawn_at__isnull=False).count() == 1
