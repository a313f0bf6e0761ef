"""What happened to a workspace and its people, as `portal.journal` tells it."""

from typing import Any

from devices.models import Event
from portal.clock import now
from portal.models import User, Workspace


def record_team(workspace: Workspace, what: str, *, actor: User | None, **data: Any) -> Event:
    """Append an event that is about no lock. `what` is a type's value; `data` holds names and words."""
    return Event.objects.create(workspace=workspace, type=Event.Type(what), at=now(), actor=actor, data=data)
