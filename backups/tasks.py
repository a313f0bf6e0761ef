"""What the queue runs for pools."""

from backups.services import refill
from devices.models import Device
from portal.work import task


@task("lock")
def refill_pool(device_id: str) -> None:
    """Want the spares a lock's pool lacks, activating the pool if need be. Never speaks to the lock itself."""
    device = Device.objects.filter(pk=device_id).first()
    if device is not None:
        refill(device)
