"""A staff person's look at a workspace's portal: through a viewer's eyes, read-only, for half an hour.

It lives in the person's session alone. Its membership is never saved, and no page that shows a PIN, a guest's link or
the person's own account opens meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.http import HttpRequest

from portal.clock import now
from portal.models import Membership, User, Workspace

LASTS = timedelta(minutes=30)
KEY = "look"
PERMISSION = "portal.change_workspace"  # of staff who may act, see `portal.staff`

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ENDS = frozenset({"look_end", "account_logout"})
CLOSED = ("guest_", "join", "account_", "mfa_")  # a guest's own pages, and accounts


@dataclass(frozen=True, slots=True)
class Look:
    """Whose portal is looked at, and until when."""

    workspace_id: UUID
    until: datetime

    @property
    def over(self) -> bool:
        return self.until <= now()


def begin(request: HttpRequest, workspace: Workspace) -> Look:
    look = Look(workspace.pk, now() + LASTS)
    request.session[KEY] = {"workspace": str(look.workspace_id), "until": look.until.isoformat()}
    return look


def end(request: HttpRequest) -> Look | None:
    """Ends it; gives the look there was."""
    look = look_of(request)
    request.session.pop(KEY, None)
    return look


def look_of(request: HttpRequest) -> Look | None:
    """The look in this session, over or not."""
    kept = request.session.get(KEY)
    return Look(UUID(kept["workspace"]), datetime.fromisoformat(kept["until"])) if kept else None


def may_look(user: User) -> bool:
    return user.is_active and user.is_staff and user.has_perm(PERMISSION)


def membership_by(look: Look, user: User) -> Membership | None:
    """A viewer's membership for as long as the request lasts."""
    workspace = Workspace.objects.filter(pk=look.workspace_id).first()
    return Membership(user=user, workspace=workspace, role=Membership.Role.VIEWER) if workspace else None


def allowed(request: HttpRequest) -> bool:
    """Whether this request may go on during a look. The admin, whose pages ask for themselves, stays open."""
    match = request.resolver_match
    if match is None or "admin" in match.namespaces or match.view_name in ENDS:
        return True
    return request.method in SAFE and not (match.view_name or "").startswith(CLOSED)
