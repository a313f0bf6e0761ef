"""Spares after the database came back from a back-up: each may be a guest's by now, and none may go to a second.

Which of them were drawn since the back-up was made is lost. So all are retired before anybody draws; they stay on the
lock for a while, because a guest may hold one, and then leave it.
"""

from datetime import datetime

from django.db import transaction

from backups.models import BackupCode
from devices.models import MAYBE_ON_LOCK, Device, Pin
from portal.clock import now


def undrawn() -> int:
    """How many spares of all locks are at stake."""
    return BackupCode.objects.spare().count()


def retire_all(*, stay_until: datetime) -> int:
    """Retire every spare that nobody had when the back-up was made. Gives how many.

    What is on a lock stays there until that moment, or until a guest's code finds no room (`make_way`).
    """
    with transaction.atomic():
        spares = list(BackupCode.objects.spare().select_for_update(of=("self",)).values_list("pk", "pin"))
        # TOLERATED: never written again, left there if found. One not tried yet may have been tried since.
        Pin.objects.filter(pk__in=[pin for _, pin in spares]).update(
            wanted=Pin.Wanted.TOLERATED, wanted_until=stay_until, next_attempt_at=None
        )
        return BackupCode.objects.filter(pk__in=[code for code, _ in spares]).update(retired_at=now())


def make_way(device: Device, count: int) -> bool:
    """Take so many of a restored lock's old spares off it, those confirmed longest ago first. Whether there was one."""
    retired = BackupCode.objects.filter(pool__device=device, drawn_at=None, retired_at__isnull=False)
    if retired.filter(pin__wanted=Pin.Wanted.ABSENT, pin__status__in=MAYBE_ON_LOCK).exists():
        return False  # one is on its way
    old = retired.filter(pin__wanted=Pin.Wanted.TOLERATED, pin__status__in=MAYBE_ON_LOCK)
    going = list(old.order_by("pin__confirmed_at", "pk").values_list("pin", flat=True)[:count])
    return bool(Pin.objects.filter(pk__in=going).update(wanted=Pin.Wanted.ABSENT, next_attempt_at=None))
