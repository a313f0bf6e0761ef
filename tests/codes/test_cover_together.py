"""Many guests who are due in the same second are covered together, as each would be alone."""

from datetime import timedelta
from threading import Event as Signal
from threading import Thread

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from backups import tasks
from backups.models import BackupCode, BackupPool
from codes import tick as pulse
from codes.cover import cover_together
from codes.models import AccessCode, CodePin
from codes.tick import one_a_lock, tick
from devices.models import Device, Event, Pin
from tests import factories
from tests.engine import backup, guest, own

T = Event.Type


def stocked(spares: int = 2) -> Device:
    device = factories.DeviceFactory()
    pool = factories.BackupPoolFactory(device=device)
    for position in range(1, spares + 1):
        factories.BackupCodeFactory(pool=pool, position=position, pin__slot=position)
    return device


def due(device: Device, name: str = "Ben Okafor", *, hours: int = -1) -> AccessCode:
    """A guest whose PIN was given up by now."""
    code = guest(device, name, starts=timedelta(hours=hours))
    Pin.objects.filter(pk=own(code).pk).update(
        give_up_at=timezone.now(), status=Pin.Status.UNKNOWN, trouble="no_answer", attempts=3
    )
    return code


@pytest.mark.django_db
class TestTogether:
    def test_each_gets_a_spare_of_their_own_lock(self) -> None:
        codes = [due(stocked()) for _ in range(3)]
        tick()
        for code in codes:
            spare = backup(code)
            assert spare is not None and spare.device_id == code.device_id
            assert (spare.wanted_from, spare.wanted_until) == (code.starts_at, code.ends_at)
            assert spare.priority == Pin.Priority.PERSON
            assert own(code).wanted == Pin.Wanted.ABSENT
        told = Event.objects.filter(type=T.BACKUP_PULLED)
        assert {event.subject for event in told} == {code.pk for code in codes}
        assert {(event.data["reason"], event.data["tries"]) for event in told} == {("no_answer", 3)}

    def test_their_locks_are_due_and_their_pools_are_refilled_by_one_task(self) -> None:
        codes = [due(stocked()) for _ in range(3)]
        OrmQ.objects.all().delete()
        versions = {device.pk: device.version for device in Device.objects.all()}
        tick()
        refills = [row.task for row in OrmQ.objects.all() if row.task["func"] == "backups.tasks.refill_pool"]
        assert [set(task["args"]) for task in refills] == [{str(code.device_id) for code in codes}]
        assert all(device.version == versions[device.pk] + 1 for device in Device.objects.all())

    def test_twenty_are_covered_by_as_many_statements_as_two(self) -> None:
        def asked(guests: int) -> int:
            for _ in range(guests):
                due(stocked(3))
            OrmQ.objects.all().delete()
            Device.objects.update(next_sync_at=None)
            with CaptureQueriesContext(connection) as queries:
                pulse._cover_those(list(pulse.due_for_cover(timezone.now())), timezone.now())
            return len(queries)

        assert asked(2) == asked(20)

    def test_two_guests_of_one_lock_get_two_spares_and_the_third_is_uncovered(self) -> None:
        device = stocked(2)
        codes = [due(device, f"Guest {n}", hours=hours) for n, hours in enumerate((-3, -2, -1))]
        tick()
        spares = [backup(code) for code in codes]
        assert spares[2] is None and len({spare.pk for spare in spares[:2]}) == 2
        codes[2].refresh_from_db()
        assert codes[2].uncovered_since is not None
        assert BackupPool.objects.get().exhausted_since is not None
        assert Event.objects.filter(type=T.POOL_EXHAUSTED).count() == 1

    def test_one_without_a_spare_keeps_no_other_waiting(self) -> None:
        bad, good = due(factories.DeviceFactory()), due(stocked())
        tick()
        assert backup(bad) is None and backup(good) is not None
        assert Event.objects.get(type=T.UNCOVERED).subject == bad.pk

    def test_a_pin_that_somebody_saw_stays_where_it_is(self) -> None:
        seen, unseen = due(stocked()), due(stocked())
        CodePin.objects.filter(code=seen).update(revealed_at=timezone.now())
        tick()
        assert (own(seen).wanted, own(unseen).wanted) == (Pin.Wanted.TOLERATED, Pin.Wanted.ABSENT)

    def test_a_backup_that_is_gone_is_replaced_among_others(self) -> None:
        first, other = due(stocked(3)), due(stocked())
        tick()
        gone = backup(first)
        Pin.objects.filter(pk=gone.pk).update(status=Pin.Status.GONE, give_up_at=timezone.now())
        later_one = due(stocked())
        tick()
        assert backup(first) not in (None, gone)
        assert CodePin.objects.get(pin=gone).ended_at is not None
        assert backup(other) is not None and backup(later_one) is not None

    def test_what_breaks_together_is_done_one_by_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def breaks(codes: object, at: object) -> None:
            raise RuntimeError("bug")

        codes = [due(stocked()) for _ in range(2)]
        monkeypatch.setattr(pulse, "cover_together", breaks)
        tick()
        assert all(backup(code) for code in codes)

    def test_the_same_tick_again_covers_nobody_twice(self) -> None:
        [due(stocked()) for _ in range(3)]
        tick()
        tick()
        assert BackupCode.objects.filter(drawn_at__isnull=False).count() == 3


@pytest.mark.django_db(transaction=True)
def test_who_holds_a_locks_row_delays_that_guest_alone() -> None:
    """On PostgreSQL the row is passed over and waited for afterwards; on SQLite one writer waits for the other."""
    held, free = due(stocked()), due(stocked())
    holding, let_go = Signal(), Signal()

    def hold() -> None:
        try:
            with transaction.atomic():
                Device.objects.select_for_update().get(pk=held.device_id)
                holding.set()
                let_go.wait(10)
        finally:
            connections.close_all()

    other = Thread(target=hold)
    other.start()
    assert holding.wait(10)
    if connection.vendor == "postgresql":
        left = cover_together([held, free], timezone.now())
        assert (left, backup(held), backup(free) is None) == ([held], None, False)
    let_go.set()
    tick()
    other.join()
    assert backup(held) and backup(free)


@pytest.mark.django_db
def test_groups_hold_one_of_a_lock_the_first_ones_first() -> None:
    one, two = factories.DeviceFactory.create_batch(2)
    codes = [AccessCode(device=device, name=name) for device, name in ((one, "a"), (one, "b"), (two, "c"), (one, "d"))]
    groups = [[code.name for code in group] for group in one_a_lock(codes, 2)]
    assert groups == [["a", "c"], ["b"], ["d"]]
    assert [len(group) for group in one_a_lock([codes[0], codes[2]], 1)] == [1, 1]


@pytest.mark.django_db
def test_a_pool_that_cannot_be_refilled_keeps_no_other_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = sorted((stocked(1) for _ in range(3)), key=lambda device: device.pk)
    real = tasks.refill

    def fails_for_the_first(device: Device) -> None:
        if device == devices[0]:
            raise RuntimeError("bug")
        real(device)

    monkeypatch.setattr(tasks, "refill", fails_for_the_first)
    with pytest.raises(RuntimeError):
        tasks.refill_pool(*(str(device.pk) for device in devices))
    assert [BackupCode.objects.filter(pool__device=device).count() for device in devices] == [1, 5, 5]
