"""What may be done with hubs: add, change, have asked for their locks, remove. A task does the asking.

A search is wanted while `searching_since` is set; the sweep asks again for one whose task was lost.
"""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from django_stubs_ext import WithAnnotations

from devices import hub_address
from devices.activity import record_in
from devices.models import Device, Event, Hub, Property
from devices.properties import Locks
from portal.clock import now
from portal.models import User, Workspace
from portal.queue import enqueue

SEARCH_TASK = "devices.tasks.discover_hub"
LOST_AFTER = timedelta(seconds=90)  # longer than a search may take
T = Event.Type

type CountedHubs = QuerySet[WithAnnotations[Hub, Locks]]


def add_hub(
    *,
    workspace: Workspace,
    provider: str,
    name: str,
    address: str,
    property: Property,
    actor: User | None = None,
    discover: bool = True,
) -> Hub:
    """Add a hub; its locks are looked for by a task and put into `property`. Raises ValidationError.

    Adding the workspace's own hub once more looks for its locks again, and brings back those that were removed.
    `discover=False`: somebody lists them.
    """
    known = Hub.objects.filter(workspace=workspace, provider=provider, address=address.strip()).first()
    hub = known or Hub(workspace=workspace, provider=provider, name=name.strip(), address=address.strip())
    hub.property = property
    _check(hub)
    with transaction.atomic():
        hub.save()
        if known is None:
            _record(hub, T.HUB_ADDED, actor)
        if discover:
            search(hub, revive=True)
    return hub


def change_hub(hub: Hub, *, name: str, address: str, property: Property, actor: User | None = None) -> None:
    """Change what is known of a hub, and look for its locks there. Raises ValidationError, and changes nothing then."""
    hub.name, hub.address, hub.property = name.strip(), address.strip(), property
    _check(hub)
    with transaction.atomic():
        hub.save(update_fields=["name", "address", "property"])
        _record(hub, T.HUB_CHANGED, actor)
        search(hub)


def search(hub: Hub, *, revive: bool = False) -> None:
    """Have the hub asked for its locks; nothing more while it is being asked. Raises ValidationError.

    `revive`: locks of it that were removed from the portal come back.
    """
    if hub.property_id is None:
        raise ValidationError(_("Say first which property its locks are added to."))
    with transaction.atomic():
        if Hub.objects.filter(pk=hub.pk, searching_since=None).update(searching_since=now()) or revive:
            enqueue(SEARCH_TASK, str(hub.pk), int(revive))


def search_ended(
    hub: Hub, *, found: int | None = None, added: int = 0, silence: Hub.Silence = Hub.Silence.NONE
) -> None:
    """Write down what the hub said: how many locks it has and how many were new; or why it said nothing."""
    with transaction.atomic():
        ended = Hub.objects.filter(pk=hub.pk, searching_since__isnull=False).update(
            searching_since=None, searched_at=now(), found=found, search_silence=silence
        )
        if ended:
            _record(hub, T.HUB_SEARCHED, found=found, added=added, silence=silence.value)


def resume_searches(at: datetime) -> None:
    """Ask again for searches whose task was lost."""
    for hub in Hub.objects.filter(searching_since__lte=at - LOST_AFTER):
        if Hub.objects.filter(pk=hub.pk, searching_since=hub.searching_since).update(searching_since=at):
            enqueue(SEARCH_TASK, str(hub.pk))


def remove_hub(hub: Hub, *, actor: User | None = None) -> None:
    """Forget a hub that never had a lock. Raises ValidationError for any other: its locks' history needs it."""
    with transaction.atomic():
        hub = Hub.objects.select_for_update(of=("self",)).get(pk=hub.pk)
        if Device.objects.filter(hub=hub).exists():
            raise ValidationError(
                _("This hub has locks, or had some. Remove its locks one by one; the hub then rests.")
            )
        _record(hub, T.HUB_REMOVED, actor)
        hub.delete()


def hubs_of(workspace: Workspace) -> CountedHubs:
    """The workspace's hubs by name, each with `locks`, how many it has."""
    kept = Count("devices", filter=~Q(devices__removal=Device.Removal.REMOVED))
    found = Hub.objects.filter(workspace=workspace).annotate(locks=kept)
    return found.select_related("property").order_by("name", "pk")


def _record(hub: Hub, type: Event.Type, actor: User | None = None, **data: Any) -> None:
    """An event about the hub, at the time of the property that its locks go to."""
    zone = {"zone": hub.property.time_zone} if hub.property else {}
    record_in(hub.workspace, type, actor=actor, name=hub.name, **zone, **data)


def _check(hub: Hub) -> None:
    if hub.provider == Hub.Provider.ZWAVE:
        hub_address.check(hub.address)
    hub.full_clean()
