"""What the queue runs for hubs."""

from devices.discovery import look_for_locks
from devices.models import Hub
from portal.work import task


@task("hub")
def discover_hub(hub_id: str, revive: int = 0) -> None:
    """Ask a hub for its locks. Running twice, or for a hub that is gone, does no harm."""
    hub = Hub.objects.filter(pk=hub_id).select_related("property", "workspace").first()
    if hub is not None:
        look_for_locks(hub, revive=bool(revive))
