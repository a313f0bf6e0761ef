"""People and the workspaces that everything else belongs to."""

import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.random_id import RandomId


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})


class User(AbstractBaseUser, PermissionsMixin):
    """A person, who signs in by e-mail."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()
    read_memberships: "list[Membership] | None" = None  # where they were read along: see `portal.backends`

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="portal_user_email_once",
                violation_error_message=_("Somebody with this e-mail address is here already."),
            )
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        """What the admin calls the person."""
        return str(self)


class MailKind(models.TextChoices):
    """What a workspace's people are warned of by e-mail, the gravest first."""

    UNCOVERED = "uncovered", _("A guest has no working code")
    REPORTED = "reported", _("A guest says that the PIN does not work")
    PIN_CHANGED = "pin_changed", _("A PIN changed after it was seen")
    EXHAUSTED = "exhausted", _("No backup codes are left on a lock")
    OFFLINE = "offline", _("A lock is offline and a guest arrives within 24 hours")
    OVERDUE = "overdue", _("An old code may still open a door")
    SEVERAL = "several", _("Several backup codes were pulled on a lock in 7 days")


def usual_mail_roles() -> dict[str, list[str]]:
    """Owners and managers hear of everything; night staff of what cannot wait."""
    roles = {kind.value: ["owner", "manager"] for kind in MailKind}
    for kind in (MailKind.UNCOVERED, MailKind.REPORTED, MailKind.PIN_CHANGED):
        roles[kind].append("night")
    return roles


class Workspace(models.Model):
    """A company or team. Everything but people belongs to one. Leads are how long before check-in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100)
    cover_lead_native = models.DurationField(
        _("cover lead, locks that keep schedules"),
        default=timedelta(hours=36),
        help_text=_("A code that is not on the lock this long before check-in is covered by a backup."),
    )
    cover_lead = models.DurationField(
        _("cover lead, other locks"),
        default=timedelta(minutes=30),
        help_text=_("A code that is not on the lock this long before check-in is covered by a backup."),
    )
    programming_lead_native = models.DurationField(
        _("programming lead, locks that keep schedules"), default=timedelta(hours=72)
    )
    programming_lead = models.DurationField(_("programming lead, other locks"), default=timedelta(minutes=60))
    reveal_lead = models.DurationField(
        _("reveal time"),
        default=timedelta(hours=24),
        help_text=_("A guest's link shows the PIN from this long before check-in."),
    )
    early_access = models.DurationField(
        _("early access"),
        default=timedelta(0),
        help_text=_("A PIN that works at once is not shown earlier than this before check-in."),
    )
    late_access = models.DurationField(
        _("late access"),
        default=timedelta(0),
        db_default=timedelta(0),
        help_text=_("A guest’s PIN stays on the lock so much longer than the checkout."),
    )
    mail_roles = models.JSONField(_("warning e-mails"), default=usual_mail_roles)  # a MailKind's: the roles it goes to

    def __str__(self) -> str:
        return self.name

    def mail_roles_of(self, kind: MailKind) -> list[str]:
        """The roles that hear of it; the usual ones of a kind that is newer than what was chosen."""
        chosen: list[str] = self.mail_roles.get(kind, usual_mail_roles()[kind])
        return chosen


class Membership(models.Model):
    """A person's role in a workspace."""

    one_of_several = False  # whether the person has others too: pages then say which one this is
    changes: int  # the workspace's number of changes, where it was read along: see `portal.backends`
    wide_changes: int  # of those that concern no single lock

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        MANAGER = "manager", _("Manager")
        NIGHT = "night", _("Night")  # reveals, pulls, checks; removes nothing, sets nothing
        VIEWER = "viewer", _("Viewer")

    public_id = models.UUIDField(unique=True, editable=False, db_default=RandomId())  # what URLs say: nobody guesses it
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.MANAGER)
    unwanted_mails = models.JSONField(_("warning e-mails turned off"), null=True, blank=True)  # MailKinds; null: none

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "workspace"],
                name="portal_membership_once",
                violation_error_message=_("This person is in the workspace already."),
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["owner", "manager", "night", "viewer"]),
                name="portal_membership_role_known",
            ),
        ]

    def __str__(self) -> str:
        told = {"person": self.user, "workspace": self.workspace, "role": self.get_role_display()}
        return gettext("%(person)s in %(workspace)s: %(role)s") % told

    def wants(self, kind: MailKind) -> bool:
        """Whether this warning is to come by e-mail, if the role is to hear of it."""
        return kind not in (self.unwanted_mails or [])

    @property
    def may_reveal(self) -> bool:
        """Sees PINs, pulls backups, checks locks."""
        return self.role != self.Role.VIEWER

    @property
    def may_change(self) -> bool:
        """Adds, edits and cancels codes; adds and removes locks. Looks at the settings."""
        return self.role in (self.Role.OWNER, self.Role.MANAGER)

    @property
    def may_own(self) -> bool:
        """Changes the settings; invites and removes people."""
        return self.role == self.Role.OWNER


class ChangeCount(models.Model):
    """One of the counters whose sum tells how often a workspace's pages changed. By triggers: `portal.changes`."""

    pk = models.CompositePrimaryKey("workspace_id", "part")  # its index serves the sum
    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    part = models.PositiveSmallIntegerField()
    number = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.workspace_id}: {self.number}"


class LockChangeCount(models.Model):
    """The same of one lock; by the workspace's id of what concerns no single lock. By triggers: `portal.changes`."""

    pk = models.CompositePrimaryKey("subject", "part")  # its index serves the sum
    subject = models.UUIDField()
    part = models.PositiveSmallIntegerField()
    number = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.subject}: {self.number}"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> "InvitationQuerySet":
        """Neither accepted nor taken back; those that have expired included: they can be sent again."""
        return self.filter(accepted_at=None, revoked_at=None)

    def open(self) -> "InvitationQuerySet":
        """Those that can be accepted now."""
        return self.pending().filter(expires_at__gt=timezone.now())


class Invitation(models.Model):
    """A person asked by e-mail to join a workspace. The secret stands in the mail, only its digest here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail"))
    role = models.CharField(_("role"), max_length=10, choices=Membership.Role, default=Membership.Role.MANAGER)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                "workspace",
                condition=models.Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="portal_invitation_once",
                violation_error_message=_("This person has been invited already."),
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["owner", "manager", "night", "viewer"]),
                name="portal_invitation_role_known",
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(email)s to %(workspace)s") % {"email": self.email, "workspace": self.workspace}


class OutgoingMail(models.Model):
    """A mail that is still to be sent: one row a person, written with the change it tells of, gone once sent."""

    to = models.EmailField()
    subject = models.CharField(max_length=250)
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now, db_index=True)  # a sender's claim moves it ahead

    def __str__(self) -> str:
        return gettext("%(subject)s to %(address)s") % {"subject": self.subject, "address": self.to}


class Heartbeat(models.Model):
    """The last sign of life of a part that works unseen: the tick, a worker."""

    name = models.CharField(max_length=40, primary_key=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.beat_at:%H:%M:%S}"


class Tally(models.Model):
    """One number of a counter or histogram that all processes add to. `portal.tally` alone writes it."""

    pk = models.CompositePrimaryKey("metric", "labels", "part")  # what an addition looks for
    metric = models.CharField(max_length=80)
    labels = models.CharField(max_length=200)  # their values, a JSON list
    part = models.CharField(max_length=10)  # "count", or of a histogram a bucket's upper bound or "sum"
    value = models.FloatField()

    class Meta:
        verbose_name_plural = _("tallies")

    def __str__(self) -> str:
        return f"{self.metric} {self.labels} {self.part}"
