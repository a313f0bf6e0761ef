"""What the portal must forget, and must ask, after its database came back from a back-up. Database only.

The locks are right and the tables are old: what was set, moved, drawn or cancelled since the back-up is on the locks
alone. So nothing is taken off or given out before each lock was read in full.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django_q.models import OrmQ

from backups import restored as spares
from backups.services import refill
from devices import pins
from devices.models import Device, DeviceQuerySet, Hub, Pin, PinQuerySet
from portal.clock import now
from portal.models import Heartbeat

TIME_TO_READ = timedelta(minutes=2)  # for which nobody is given up: the lock may say that all is well


@dataclass(frozen=True)
class Restored:
    """What is, or would be, put right."""

    locks: int  # to be read in full
    spares: int  # retired, replaced by new ones
    planned: int  # PINs not tried at the back-up's time, looked for on the lock before they are written
    tasks: int  # forgotten: the tables are the truth

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def wrong_keys() -> str:
    """Which of the keys in the settings is not this database's; "" if both are, or it holds no PIN.

    Raises ImproperlyConfigured when PIN_KEYS do not open a PIN.
    """
    pin = Pin.objects.select_related("device").last()
    if pin is None or pins.digest_of(pin.device, pin.secret) == pin.digest:
        return ""
    return "PIN_DIGEST_KEY"


def outlook() -> Restored:
    """What `forget` would do."""
    return Restored(
        locks=_locks().count(),
        spares=spares.undrawn(),
        planned=_planned().count(),
        tasks=OrmQ.objects.count(),
    )


def forget(*, spares_stay: timedelta) -> Restored:
    """Make a restored database fit to work on. Safe to do twice, at the price of new spares.

    New spares are wanted at once; should this end halfway, the tick's sweep asks for the rest of them.
    """
    at = now()
    with transaction.atomic():
        done = outlook()
        _planned().update(attempts=1)  # it may have been sent since: what is found is adopted, not taken for another's
        spares.retire_all(stay_until=at + spares_stay)
        _wait_for_the_read(at)
        Hub.objects.update(down_since=None, probe_at=None, probes=0)
        _locks().update(
            read_wanted=True,
            next_sync_at=at,
            version=F("version") + 1,
            queued_until=None,
            syncing_until=None,
            lease_token=None,
            failures=0,
        )
        OrmQ.objects.all().delete()
        Heartbeat.objects.all().delete()
    for device in _locks().filter(backup_pool__isnull=False).iterator():
        refill(device, wake=False)
    return done


def _locks() -> DeviceQuerySet:
    return Device.objects.exclude(removal=Device.Removal.REMOVED)


def _planned() -> PinQuerySet:
    return Pin.objects.filter(status=Pin.Status.PLANNED, attempts=0).exclude(wanted=Pin.Wanted.ABSENT)


def _wait_for_the_read(at: datetime) -> None:
    until = at + TIME_TO_READ
    Pin.objects.filter(give_up_at__lt=until, wanted=Pin.Wanted.PRESENT).update(give_up_at=until)
