"""Who hears of a warning by e-mail: the roles that the workspace chose, less those who turned it off. Reads only."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_lazy as _

from portal.models import MailKind, Membership, Workspace

UNHEARD = _(
    "Everybody who was to hear of a guest without a working code has turned that e-mail off. The owners get it all the "
    "same: somebody has to."
)


def reachable(workspace: Workspace) -> list[Membership]:
    """The workspace's people who can get mail. One query."""
    members = Membership.objects.filter(workspace=workspace, user__is_active=True).exclude(user__email="")
    return list(members.select_related("user").order_by("pk"))


def meant(workspace: Workspace, members: Iterable[Membership], kind: MailKind) -> list[Membership]:
    """Of these people, those of a role that was chosen; the owners, if nobody has such a role."""
    people, chosen = list(members), workspace.mail_roles_of(kind)
    found = [member for member in people if member.role in chosen]
    return found if found or not chosen else _owners(people)


def wanting(workspace: Workspace, members: Iterable[Membership], kind: MailKind) -> list[Membership]:
    """Of those it is meant for, who has not turned it off."""
    return [member for member in meant(workspace, members, kind) if member.wants(kind)]


def hearers(workspace: Workspace, members: Sequence[Membership], kind: MailKind) -> list[Membership]:
    """Who gets it. Of a guest without a working code somebody always hears: the owners, if everybody turned it off."""
    found = wanting(workspace, members, kind)
    return found if found or kind != MailKind.UNCOVERED else _owners(members)


def unheard(workspace: Workspace) -> bool:
    """Everybody who was to hear of a guest without a working code has turned it off."""
    return not wanting(workspace, reachable(workspace), MailKind.UNCOVERED)


def _owners(members: Iterable[Membership]) -> list[Membership]:
    return [member for member in members if member.role == Membership.Role.OWNER]
