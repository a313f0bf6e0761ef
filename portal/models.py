"""People and the workspaces that everything else belongs to."""

import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


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

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in a workspace."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        MANAGER = "manager", _("Manager")
        NIGHT = "night", _("Night")  # reveals, pulls, checks; removes nothing, sets nothing
        VIEWER = "viewer", _("Viewer")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.MANAGER)

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
        return f"{self.user} in {self.workspace}: {self.get_role_display()}"

    @property
    def may_reveal(self) -> bool:
        """Sees PINs, pulls backups, checks locks."""
        return self.role != self.Role.VIEWER

    @property
    def may_change(self) -> bool:
        """Adds, edits and cancels codes; adds and removes locks."""
        return self.role in (self.Role.OWNER, self.Role.MANAGER)


class Heartbeat(models.Model):
    """The last sign of life of a part that works unseen: the tick, a worker."""

    name = models.CharField(max_length=40, primary_key=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.beat_at:%H:%M:%S}"
