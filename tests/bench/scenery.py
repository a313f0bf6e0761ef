"""One lock with a hundred codes on it, as its page and the admin's list show them."""

from datetime import timedelta

from django.utils import timezone

from codes.models import CodePin
from devices.models import Device, Event, Pin
from portal.models import Membership, User
from tests import factories

CODES = 100
ONGOING = 5
COVERED = 3
SPARES = 5


def full_lock() -> tuple[Device, User]:
    """A hundred codes: 97 set, three of them covered by a backup, five ongoing; five spares are ready."""
    owner = factories.MembershipFactory(role=Membership.Role.OWNER)
    device = factories.DeviceFactory(
        property__workspace=owner.workspace, next_sync_at=timezone.now() + timedelta(hours=5), name="Front door"
    )
    pool = factories.BackupPoolFactory(device=device)
    factories.BackupCodeFactory.create_batch(SPARES, pool=pool)
    for number in range(CODES):
        code = factories.AccessCodeFactory(
            device=device,
            name=f"Guest Number {number}",
            ongoing=number < ONGOING,
            **_stay(number) if number >= ONGOING else {},
            booking_reference=f"RES-{20400 + number}",
        )
        covered = number >= CODES - COVERED
        on_lock = {"pin__status": Pin.Status.SET, "pin__seen_from": code.starts_at, "pin__seen_until": code.ends_at}
        trouble = {"pin__trouble": Pin.Trouble.OFFLINE, "pin__attempts": 3, "pin__wanted": Pin.Wanted.ABSENT}
        factories.CodePinFactory(
            code=code, pin__slot=None if covered else 1000 + number, **(trouble if covered else on_lock)
        )
        if covered:
            spare = factories.BackupCodeFactory(pool=pool, drawn_at=timezone.now())
            factories.CodePinFactory(code=code, pin=spare.pin, role=CodePin.Role.BACKUP)
        _event(device, code.name, str(code.pk))
    return device, owner.user


def _stay(number: int) -> dict[str, object]:
    starts_at = timezone.now() + timedelta(hours=4 + 6 * number)
    return {"starts_at": starts_at, "ends_at": starts_at + timedelta(days=2)}


def _event(device: Device, name: str, subject: str) -> None:
    Event.objects.create(
        workspace=device.property.workspace,
        device=device,
        type=Event.Type.CODE_SET,
        at=timezone.now(),
        subject=subject,
        data={"name": name, "tries": 1},
    )
