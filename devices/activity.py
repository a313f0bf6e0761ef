"""What happened, written down once and for good."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from devices.models import Device, Event, Property
from portal.clock import now
from portal.models import User, Workspace
from portal.prepared import PreparedInsert

APPEND = PreparedInsert(Event)


def record(
    device: Device, type: Event.Type, *, actor: User | None = None, subject: UUID | None = None, **data: Any
) -> Event:
    """Append an event about a lock. `subject` is the access code's id; `data` holds names and reasons, never a PIN."""
    happened = event(device, type, actor=actor, subject=subject, **data)
    APPEND(happened)
    return happened


def event(
    device: Device, type: Event.Type, *, actor: User | None = None, subject: UUID | None = None, **data: Any
) -> Event:
    """What `record` appends, for `record_all`."""
    return Event(
        workspace_id=device.property.workspace_id,
        device=device,
        type=type,
        at=now(),
        actor=actor,
        subject=subject,
        data=data,
    )


def record_all(events: Iterable[Event]) -> None:
    """Append several at once."""
    Event.objects.bulk_create(events)


def record_place(place: Property, type: Event.Type, *, actor: User | None = None, **data: Any) -> Event:
    """Append an event about a property. Its name, its id and its zone of that time stand in `data`."""
    about = {"name": place.name, "property": str(place.pk), "zone": place.time_zone}
    return record_in(place.workspace, type, actor=actor, **{**about, **data})


def record_in(workspace: Workspace, type: Event.Type, *, actor: User | None = None, **data: Any) -> Event:
    """Append an event about no lock in particular."""
    return Event.objects.create(workspace=workspace, type=type, at=now(), actor=actor, data=data)
