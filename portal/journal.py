"""What happens to a workspace itself goes into its activity, which is kept on a higher floor: joined by name alone."""

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from portal.models import User, Workspace

SETTINGS_CHANGED = "workspace.settings_changed"
INVITED = "person.invited"
INVITATION_REVOKED = "person.invitation_revoked"
JOINED = "person.joined"
ROLE_CHANGED = "person.role_changed"
REMOVED = "person.removed"


def write_down(workspace: Workspace, what: str, *, actor: User | None, **data: Any) -> None:
    """Append to the workspace's activity, in the transaction that is open. `data` holds names and reasons."""
    import_string(settings.ACTIVITY_JOURNAL)(workspace, what, actor=actor, **data)
