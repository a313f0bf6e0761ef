"""Replacing a spare whose digits somebody may know: its place is filled again, no guest loses anything by it."""

import pytest
from django.core.exceptions import ValidationError

from backups.models import BackupCode, BackupPool
from backups.services import refill_now, replace_spare, why_kept
from codes.services import pull_backup
from devices.models import Device, Event, Pin
from devices.services import remove_lock
from portal.models import User
from tests import factories
from tests.engine import draw, fault, fill_pool, guest, ready, settle, truth
from tests.raw import race


@pytest.fixture
def spare(device: Device) -> BackupCode:
    """One of five that are ready, as rows."""
    return factories.BackupCodeFactory.create_batch(5, pool=factories.BackupPoolFactory(device=device))[0]


def test_it_leaves_the_lock_and_another_takes_its_place(device: Device, alice: User) -> None:
    spare = fill_pool(device)[0]
    digits = spare.pin.secret.reveal()
    replace_spare(spare, actor=alice)
    settle(device)
    assert len(ready(device)) == 5
    assert digits not in truth(device).values()
    assert spare.code_id not in {code.code_id for code in ready(device)}
    spare.refresh_from_db()
    assert spare.retired_at is not None and spare.drawn_at is None


def test_it_is_recorded_with_a_name_and_without_a_pin(spare: BackupCode, alice: User) -> None:
    replace_spare(spare, actor=alice)
    event = Event.objects.get(type=Event.Type.BACKUP_REPLACED)
    assert (event.actor, event.data) == (alice, {"backup": spare.code_id})


def test_the_others_stay_ready_meanwhile(device: Device, spare: BackupCode, alice: User) -> None:
    replace_spare(spare, actor=alice)
    assert len(ready(device)) == 4
    assert BackupPool.objects.get().exhausted_since is None


def test_on_a_full_lock_no_other_spare_makes_room(device: Device, alice: User) -> None:
    Device.objects.update(capabilities=factories.TINY.to_json())
    device = Device.objects.get()
    spare = fill_pool(device)[0]
    replace_spare(spare, actor=alice)
    assert len(ready(device)) == 4
    settle(device)
    assert len(truth(device)) == 4
    refill_now(BackupPool.objects.get(), actor=alice)  # the sweep does the same
    settle(device)
    assert len(ready(device)) == 5


def refused(spare: BackupCode, actor: User) -> str:
    """Why it stays; asserts that nothing has changed."""
    before = list(BackupCode.objects.order_by("pk").values_list("drawn_at", "retired_at", "pin__wanted"))
    spare = BackupCode.objects.select_related("pool__device__hub", "pin").get(pk=spare.pk)
    with pytest.raises(ValidationError) as refusal:
        replace_spare(spare, actor=actor)
    assert refusal.value.messages == [why_kept(spare)]
    assert list(BackupCode.objects.order_by("pk").values_list("drawn_at", "retired_at", "pin__wanted")) == before
    assert not Event.objects.filter(type=Event.Type.BACKUP_REPLACED, data__backup=spare.code_id).exists()
    return refusal.value.messages[0]


def test_one_that_is_a_guests_stays(device: Device, spare: BackupCode, alice: User) -> None:
    drawn = pull_backup(guest(device))
    assert drawn is not None
    assert "A guest has it" in refused(drawn, alice)


def test_one_that_is_not_on_the_lock_yet_stays(device: Device, spare: BackupCode, alice: User) -> None:
    Pin.objects.filter(pk=spare.pin_id).update(status=Pin.Status.PLANNED)
    assert "not ready" in refused(spare, alice)


def test_the_last_ready_one_stays(device: Device, spare: BackupCode, alice: User) -> None:
    Pin.objects.exclude(pk=spare.pin_id).update(status=Pin.Status.GONE)
    assert "the last one" in refused(spare, alice)


@pytest.mark.parametrize("trouble", ["offline", "unknown", "hub", "refusing"])
def test_a_lock_that_could_not_take_another_keeps_it(
    device: Device, spare: BackupCode, alice: User, trouble: str
) -> None:
    at = device.added_at
    match trouble:
        case "hub":
            device.hub.__class__.objects.update(down_since=at)
        case "refusing":
            Device.objects.update(trouble=Pin.Trouble.REJECTED, trouble_count=1, trouble_since=at)
        case _:
            Device.objects.update(online="no" if trouble == "offline" else "unknown")
    assert "Its lock" in refused(spare, alice)


def test_not_on_a_lock_that_is_being_removed(device: Device, spare: BackupCode, alice: User) -> None:
    remove_lock(device)
    assert "being removed" in refused(spare, alice)


def test_twice_is_once(device: Device, spare: BackupCode, alice: User) -> None:
    replace_spare(spare, actor=alice)
    with pytest.raises(ValidationError, match="replaced already"):
        replace_spare(spare, actor=alice)
    settle(device)
    assert BackupCode.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_a_guest_and_a_replacement_at_the_same_moment_never_get_the_same_spare(device: Device, alice: User) -> None:
    spares = factories.BackupCodeFactory.create_batch(5, pool=factories.BackupPoolFactory(device=device))
    best = max(spares, key=lambda code: (code.pin.confirmed_at, -code.pk))

    def replaced() -> str:
        try:
            replace_spare(best, actor=alice)
        except ValidationError:
            return ""
        return best.code_id

    def drawn() -> str:
        code = draw(device)
        return code.code_id if code else ""

    taken: list[str] = []
    assert race(lambda: taken.append(replaced()), lambda: taken.append(drawn())) == 2
    assert len(set(taken)) == 2
    assert not BackupCode.objects.filter(drawn_at__isnull=False, retired_at__isnull=False).exists()


def test_refilling_now_is_recorded_with_a_name(device: Device, spare: BackupCode, alice: User) -> None:
    refill_now(BackupPool.objects.get(), actor=alice)
    assert Event.objects.get(type=Event.Type.POOL_REFILL_ASKED).actor == alice


def test_a_pool_is_not_refilled_on_a_lock_that_is_being_removed(device: Device, spare: BackupCode, alice: User) -> None:
    remove_lock(device)
    with pytest.raises(ValidationError, match="not filled any more"):
        refill_now(BackupPool.objects.get(), actor=alice)
    assert not Event.objects.filter(type=Event.Type.POOL_REFILL_ASKED).exists()


def test_a_fault_while_replacing_leaves_the_others_ready(device: Device, alice: User) -> None:
    spare = fill_pool(device)[0]
    replace_spare(spare, actor=alice)
    fault(device, "unreachable")
    settle(device)
    assert len(ready(device)) == 4
    fault(device)
    Device.objects.update(next_sync_at=device.added_at)
    settle(device)
    assert len(ready(device)) == 5
