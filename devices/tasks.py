"""What the queue runs for hubs."""

import logging

from devices.discovery import NoAnswer, Unreachable, discover
from devices.models import Hub, Property
from portal.work import task

logger = logging.getLogger(__name__)


@task("hub")
def discover_hub(hub_id: str, property_id: str) -> None:
    """Find a new hub's locks. One that does not answer is left as it is: adding it again asks again."""
    hub = Hub.objects.filter(pk=hub_id).first()
    place = Property.objects.filter(pk=property_id).first()
    if hub is None or place is None:
        return
    try:
        discover(hub, place)
    except (Unreachable, NoAnswer) as error:
        logger.warning("hub %s was not discovered: %s", hub.pk, type(error).__name__)
