"""The promises the database itself keeps, tried from below: raw writes and two connections, no service between.

I6: a pool never holds more than its places. I7: it stays on.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import ProtectedError
from django.utils import timezone

from backups.models import BackupCode, BackupPool
from devices.models import Device
from tests import factories
from tests.raw import race, refused


class TestI6PoolKeepsItsSize:
    """At most five places in a pool, one unassigned spare in each."""

    @pytest.fixture
    def pool(self, device: Device) -> BackupPool:
        return factories.BackupPoolFactory(device=device)

    @pytest.mark.parametrize("size", [0, 6])
    def test_a_size_of_one_to_five(self, pool: BackupPool, size: int) -> None:
        with refused():
            BackupPool.objects.filter(pk=pool.pk).update(size=size)
        with refused():
            BackupPool.objects.create(device=factories.DeviceFactory(), size=size, activated_at=timezone.now())

    @pytest.mark.parametrize("size", [1, 5])
    def test_each_size_between_passes(self, pool: BackupPool, size: int) -> None:
        assert BackupPool.objects.filter(pk=pool.pk).update(size=size) == 1

    @pytest.mark.parametrize("position", [0, 6])
    def test_a_position_of_one_to_five(self, pool: BackupPool, position: int) -> None:
        with refused():
            factories.BackupCodeFactory(pool=pool, position=position)

    def test_a_sixth_spare_finds_no_place(self, pool: BackupPool) -> None:
        for position in range(1, 6):
            factories.BackupCodeFactory(pool=pool, position=position)
        for position in range(0, 7):
            with refused():
                factories.BackupCodeFactory(pool=pool, position=position)

    def test_a_spare_that_moves_onto_another(self, pool: BackupPool) -> None:
        factories.BackupCodeFactory(pool=pool, position=1)
        other = factories.BackupCodeFactory(pool=pool, position=2)
        with refused():
            BackupCode.objects.filter(pk=other.pk).update(position=1)

    @pytest.mark.parametrize("mark", ["drawn_at", "retired_at"])
    def test_one_that_comes_back_to_a_place_that_is_taken(self, pool: BackupPool, mark: str) -> None:
        left = factories.BackupCodeFactory(pool=pool, position=1, **{mark: timezone.now()})
        factories.BackupCodeFactory(pool=pool, position=1)  # the place was free
        with refused():
            BackupCode.objects.filter(pk=left.pk).update(**{mark: None})

    def test_two_spares_of_a_pool_never_share_an_id(self, pool: BackupPool) -> None:
        factories.BackupCodeFactory(pool=pool, code_id="7F3A", position=1)
        with refused():
            factories.BackupCodeFactory(pool=pool, code_id="7F3A", position=2)

    @pytest.mark.django_db(transaction=True)
    def test_two_refills_at_once(self, pool: BackupPool, device: Device) -> None:
        pins = [factories.PinFactory(device=device) for _each in range(2)]

        def insert(number: int) -> Callable[[], Any]:
            return lambda: BackupCode.objects.create(pool=pool, pin=pins[number], code_id=f"000{number}", position=3)

        assert race(insert(0), insert(1)) == 1
        assert BackupCode.objects.spare().count() == 1


class TestI7PoolStaysOn:
    @pytest.fixture
    def pool(self, device: Device) -> BackupPool:
        return factories.BackupPoolFactory(device=device)

    def test_it_is_not_deleted(self, pool: BackupPool) -> None:
        with pytest.raises(TypeError, match="stays on"):
            pool.delete()

    def test_nor_with_its_codes_or_its_lock(self, pool: BackupPool) -> None:
        factories.BackupCodeFactory(pool=pool)
        for rows in (BackupPool.objects, Device.objects):
            with pytest.raises((ProtectedError, TypeError)):
                rows.all().delete()

    def test_it_is_never_not_activated(self, pool: BackupPool) -> None:
        with refused():
            BackupPool.objects.filter(pk=pool.pk).update(activated_at=None)

    def test_a_lock_has_one(self, pool: BackupPool) -> None:
        with refused():
            BackupPool.objects.create(device=pool.device, activated_at=timezone.now())

    @pytest.mark.django_db(transaction=True)
    def test_two_connections_activate_one(self, device: Device) -> None:
        def activate() -> None:
            BackupPool.objects.create(device=device, activated_at=timezone.now())

        assert race(activate, activate) == 1
        assert BackupPool.objects.count() == 1
