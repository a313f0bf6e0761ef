"""Who belongs to a workspace: inviting people, letting them in, changing what they may do, removing them.

And what staff do for people: opening a workspace, shutting somebody out, a second factor whose phone is lost.
"""

import secrets
from collections.abc import Collection, Iterable
from datetime import timedelta
from hashlib import sha256

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from portal import journal
from portal.clock import now
from portal.journal import write_down
from portal.models import Invitation, MailKind, Membership, User, Workspace

VALID_FOR = timedelta(days=7)


def invite(*, workspace: Workspace, email: str, role: str, actor: User) -> tuple[Invitation, str]:
    """Ask somebody to join: the invitation, and the secret that goes into the mail and nowhere else.

    A person who was asked before is asked anew: the earlier link ends. Raises ValidationError for a member.
    """
    email = email.strip().lower()
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        if _members(workspace, email).exists():
            raise ValidationError({"email": _("This person is in the workspace already.")})
        Invitation.objects.pending().filter(workspace=workspace, email__iexact=email).update(revoked_at=now())
        token = secrets.token_urlsafe(32)
        invitation = Invitation(
            workspace=workspace,
            email=email,
            role=role,
            invited_by=actor,
            token_digest=_digest(token),
            expires_at=now() + VALID_FOR,
        )
        invitation.full_clean(exclude=["invited_by"])
        invitation.save()
        role_name = invitation.get_role_display()
        write_down(workspace, journal.INVITED, actor=actor, name=email, role=role_name)
    return invitation, token


def resend(invitation: Invitation, *, actor: User) -> tuple[Invitation, str]:
    """Ask once more, with a new secret. Raises ValidationError for an invitation that was accepted or taken back."""
    if invitation.accepted_at or invitation.revoked_at:
        raise ValidationError(_("It was accepted or taken back."))
    return invite(workspace=invitation.workspace, email=invitation.email, role=invitation.role, actor=actor)


def revoke(invitation: Invitation, *, actor: User | None = None) -> bool:
    """Take an invitation back. False: it was accepted, or taken back before."""
    with transaction.atomic():
        if not Invitation.objects.pending().filter(pk=invitation.pk).update(revoked_at=now()):
            return False
        write_down(invitation.workspace, journal.INVITATION_REVOKED, actor=actor, name=invitation.email)
    return True


def invited_by_token(token: str) -> Invitation | None:
    """The invitation this secret opens now; None: there is none, or not any more."""
    return (
        Invitation.objects.open().select_related("workspace", "invited_by").filter(token_digest=_digest(token)).first()
    )


def account_of(invitation: Invitation) -> User | None:
    """The person who has an account under the invited address."""
    return User.objects.filter(_has_address(invitation.email)).first()


def meant_for(invitation: Invitation, user: User) -> bool:
    """Whether the invited address is this person's."""
    return User.objects.filter(_has_address(invitation.email), pk=user.pk).exists()


def accept(invitation: Invitation, *, user: User) -> Membership:
    """Let the person in, once. Raises ValidationError when the invitation is used, taken back or expired."""
    with transaction.atomic():
        if not Invitation.objects.open().filter(pk=invitation.pk).update(accepted_at=now()):
            raise ValidationError(_("This invitation can no longer be used."))
        membership, new = Membership.objects.get_or_create(
            user=user, workspace_id=invitation.workspace_id, defaults={"role": invitation.role}
        )
        if new:
            told = {"name": str(user), "role": membership.get_role_display()}
            write_down(invitation.workspace, journal.JOINED, actor=user, **told)
    return membership


def accept_as_new(invitation: Invitation, *, name: str, password: str) -> User:
    """Make an account for the invited address and let it in. The mail proved that the address is theirs."""
    with transaction.atomic():
        user = User.objects.create_user(invitation.email, password, name=name.strip())
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        accept(invitation, user=user)
    return user


def change_role(membership: Membership, role: str, *, actor: User | None = None) -> None:
    """Raises ValidationError when the workspace would be left without an owner."""
    with transaction.atomic():
        row = _locked(membership)
        if row.may_own and role != Membership.Role.OWNER:
            _keep_an_owner(row)
        was, row.role = row.get_role_display(), role
        row.clean_fields(exclude=["user", "workspace"])
        row.save(update_fields=["role"])
        told = {"name": str(row.user), "role": row.get_role_display(), "was": was}
        if told["role"] != was:
            write_down(row.workspace, journal.ROLE_CHANGED, actor=actor, **told)


def remove(membership: Membership, *, actor: User | None = None) -> None:
    """End somebody's access at once. Raises ValidationError for the last owner."""
    with transaction.atomic():
        row = _locked(membership)
        if row.may_own:
            _keep_an_owner(row)
        row.delete()
        write_down(row.workspace, journal.REMOVED, actor=actor, name=str(row.user))


def choose_mails(membership: Membership, wanted: Collection[str], offered: Iterable[MailKind]) -> None:
    """Which of the warnings that were offered a person wants; what was not asked about stays as it is."""
    with transaction.atomic():
        row = _locked(membership)
        kept = set(row.unwanted_mails or []) - set(offered)
        row.unwanted_mails = sorted(kept | {kind.value for kind in offered if kind not in wanted})
        row.save(update_fields=["unwanted_mails"])


def rename(user: User, name: str) -> None:
    user.name = name.strip()
    user.save(update_fields=["name"])


def vouch_for(user: User) -> None:
    """Count the address of a person without a proven one as proven: staff made the account, nobody signs up here.

    Otherwise a change of address, which takes an unproven one away, would leave the person without any.
    """
    addresses = EmailAddress.objects.filter(user=user)
    if not addresses.filter(verified=True).exists():
        addresses.update_or_create(user=user, email=user.email.lower(), defaults={"verified": True, "primary": True})


def open_workspace(workspace: Workspace) -> None:
    """Save a new workspace. Raises ValidationError."""
    workspace.full_clean()
    workspace.save(force_insert=True)


def shut_out(user: User, *, actor: User) -> None:
    """End all of a person's sessions and let them sign in no more. Raises ValidationError."""
    if user.pk == actor.pk:
        raise ValidationError(_("You cannot shut yourself out."))
    _set_active(user, False, actor)


def let_in(user: User, *, actor: User) -> None:
    """Let a person sign in again. Raises ValidationError."""
    _set_active(user, True, actor)


def take_factor_away(factor: Authenticator) -> None:
    """Delete a second factor; with the last one go the codes that stand in for it."""
    with transaction.atomic():
        Authenticator.objects.filter(pk=factor.pk).delete()
        left = Authenticator.objects.filter(user=factor.user_id)
        if not left.exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
            left.delete()


def _set_active(user: User, active: bool, actor: User) -> None:
    if (user.is_staff or user.is_superuser) and not actor.is_superuser:
        raise ValidationError(_("Only a superuser decides about staff."))
    User.objects.filter(pk=user.pk).update(is_active=active)


def _locked(membership: Membership) -> Membership:
    """The row as it is now, while nobody else changes who is in the workspace."""
    Workspace.objects.select_for_update().get(pk=membership.workspace_id)
    return Membership.objects.get(pk=membership.pk)


def _keep_an_owner(leaving: Membership) -> None:
    others = Membership.objects.filter(workspace=leaving.workspace_id, role=Membership.Role.OWNER, user__is_active=True)
    if not others.exclude(pk=leaving.pk).exists():
        raise ValidationError(_("A workspace keeps one owner at least. Make somebody else an owner first."))


def _members(workspace: Workspace, email: str) -> QuerySet[Membership]:
    people = User.objects.filter(_has_address(email))
    return Membership.objects.filter(workspace=workspace, user__in=people)


def _has_address(email: str) -> Q:
    proven = EmailAddress.objects.filter(email__iexact=email, verified=True).values("user")
    return Q(email__iexact=email) | Q(pk__in=proven)


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
