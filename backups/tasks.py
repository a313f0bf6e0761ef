"""What the queue runs for pools."""

from django.db import OperationalError

from backups.services import refill
from devices.models import Device
from portal.work import task


@task("lock")
def refill_pool(*device_ids: str) -> None:
    """Want the spares that locks' pools lack, activating pools if need be. Never speaks to a lock itself.

    A lock that cannot be dealt with keeps no other from its turn; the task fails once the rest is done.
    """
    failed: Exception | None = None
    for device in Device.objects.filter(pk__in=device_ids).order_by("pk"):
        try:
            refill(device)
        except OperationalError:
            raise
        except Exception as error:
            failed = error
    if failed:
        raise failed
