"""Guests' access codes, and which PIN each was ever given."""

import uuid
from datetime import datetime
from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from codes import guest_link
from codes.guest_link import new_nonce
from devices.models import Device, Hub, Pin
from portal.kept import KeptQuerySet
from portal.models import MailKind, User, Workspace


def leaves_by(at: datetime) -> models.Q:
    """Codes whose checkout and late access are over by then: `leaves_at <= at` in the database."""
    late = models.F("device__property__workspace__late_access")
    latest = models.ExpressionWrapper(models.Value(at) - late, output_field=models.DateTimeField())
    by_index, of_those = models.Q(ends_at__isnull=False, ends_at__lte=at), models.Q(ends_at__lte=latest)
    return by_index & of_those


class AccessCodeQuerySet(KeptQuerySet["AccessCode"]):
    def of(self, workspace: Workspace) -> "AccessCodeQuerySet":
        return self.filter(device__property__workspace=workspace)

    def by_guest_token(self, token: str) -> "AccessCode | None":
        """The guest's code whose link this is; None for one that was made up or taken back."""
        pk = guest_link.code_id_of(token)
        code = self.filter(pk=pk, kind=AccessCode.Kind.TIME_BOUND).first() if pk else None
        return code if code and guest_link.fits(token, code.pk, code.guest_nonce) else None

    def live(self) -> "AccessCodeQuerySet":
        """Not cancelled and not over."""
        return self.filter(ended_at=None)


class AccessCode(models.Model):
    """A person's right to open one lock. Its PINs stand in CodePin; it ends, it is never deleted."""

    class Kind(models.TextChoices):
        TIME_BOUND = "time_bound", _("Time-bound")  # a guest's stay; covered by backups
        ONGOING = "ongoing", _("Ongoing")  # staff, a long-term resident; never covered

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="access_codes")
    name = models.CharField(_("name"), max_length=60)
    booking_reference = models.CharField(_("booking reference"), max_length=60, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.TIME_BOUND)
    starts_at = models.DateTimeField(_("check-in"), null=True, blank=True)
    ends_at = models.DateTimeField(_("checkout"), null=True, blank=True)
    pin_chosen = models.BooleanField(default=False)  # a person chose the digits: we never change them by ourselves
    guest_nonce = models.CharField(
        max_length=40, default=new_nonce, editable=False
    )  # what its link's seal is made with
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField()  # last change of window, PIN or lock, by a person
    failed_at = models.DateTimeField(null=True, blank=True)  # its own PIN was refused for good
    uncovered_since = models.DateTimeField(null=True, blank=True)  # needed a backup, none was ready
    reported_at = models.DateTimeField(null=True, blank=True)  # the guest said the PIN does not work; null: settled
    another_pin = models.BooleanField(null=True, editable=False)  # given after its first: by a trigger; null: none
    cancelled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)  # cancelled or over

    objects = AccessCodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    kind="time_bound",
                    starts_at__isnull=False,
                    ends_at__isnull=False,
                    ends_at__gt=models.F("starts_at"),
                )
                | models.Q(kind="ongoing", starts_at__isnull=True, ends_at__isnull=True),
                name="codes_accesscode_window_fits_kind",
                violation_error_message=_(
                    "A time-bound code needs a check-in and a later checkout; an ongoing code has neither."
                ),
            )
        ]
        indexes = [
            # A lock's code list.
            models.Index(fields=["device", "starts_at"], name="codes_accesscode_of_device"),
            # Home and the navigation: a workspace's stays that run or come, lock by lock.
            models.Index(
                fields=["device", "starts_at"],
                name="codes_accesscode_live",
                condition=models.Q(ended_at__isnull=True),
            ),
            # The tick: which stays are over?
            models.Index(fields=["ends_at"], name="codes_accesscode_ending", condition=models.Q(ended_at__isnull=True)),
            # The tick: who needs a backup that was not there?
            models.Index(
                fields=["uncovered_since"],
                name="codes_accesscode_uncovered",
                condition=models.Q(uncovered_since__isnull=False),
            ),
            # Warnings: which guests say that their PIN does not work?
            models.Index(
                fields=["reported_at"], name="codes_accesscode_reported", condition=models.Q(reported_at__isnull=False)
            ),
            # Warnings: whose PIN is another one than before?
            models.Index(
                fields=["another_pin"],
                name="codes_accesscode_another",
                condition=models.Q(another_pin__isnull=False, ended_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def guest_token(self) -> str:
        """The secret part of the guest's link."""
        return guest_link.token_of(self.pk, self.guest_nonce)

    @property
    def time_bound(self) -> bool:
        return self.kind == self.Kind.TIME_BOUND

    @property
    def leaves_at(self) -> datetime | None:
        """When its PINs leave the lock: at checkout, or as much later as the workspace's late access. None: never."""
        return self.ends_at + self.device.property.workspace.late_access if self.ends_at else None

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("an access code ends, it is never deleted: its PINs are never to be given twice")


class CodePin(models.Model):
    """That an access code was given a PIN: its own, or a backup's. Append-only."""

    class Role(models.TextChoices):
        OWN = "own", _("Own")
        BACKUP = "backup", _("Backup")
        NEXT = "next", _("Next")  # on its way to the lock in place of one that opens the door: own once it is there

    code = models.ForeignKey(AccessCode, on_delete=models.PROTECT, related_name="code_pins")
    pin = models.OneToOneField(Pin, on_delete=models.PROTECT, related_name="code_pin")  # never given to two
    role = models.CharField(max_length=10, choices=Role)
    given_at = models.DateTimeField()
    revealed_at = models.DateTimeField(null=True, blank=True)  # first time anybody saw it
    ended_at = models.DateTimeField(null=True, blank=True)  # replaced, or the stay is over

    objects = KeptQuerySet["CodePin"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=["own", "backup", "next"]), name="codes_codepin_role_known"
            ),
            models.UniqueConstraint(
                fields=["code", "role"],
                condition=models.Q(ended_at__isnull=True),
                name="codes_codepin_one_of_a_role",
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(role)s PIN of %(code)s") % {"role": self.get_role_display(), "code": self.code}

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("a code's PIN is never deleted: it is never to be given twice")


class Notice(models.Model):
    """One cause of a warning by e-mail: told once while it lasts, and once more when it is resolved."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=20, choices=MailKind)
    key = models.CharField(max_length=120)  # the cause
    group = models.CharField(max_length=60)  # causes that belong together go into one mail
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="notices")
    code = models.ForeignKey(AccessCode, null=True, blank=True, on_delete=models.PROTECT, related_name="notices")
    subject = models.CharField(max_length=250, blank=True)  # of its mail
    opened_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    told_to = models.JSONField(null=True, blank=True)  # keys of the memberships its mails went to; None: not kept
    silent = models.BooleanField(default=False)  # another mail says it: none of its own, and no "Resolved"
    quieted_at = models.DateTimeField(null=True, blank=True)  # somebody is on it
    gone_since = models.DateTimeField(null=True, blank=True)  # not seen any more since then
    closed_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)  # nothing more will be said of it

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(closed_at__isnull=True), name="codes_notice_once_a_cause"
            )
        ]
        indexes = [
            # Every few seconds: what is still to be watched or told?
            models.Index(fields=["workspace"], name="codes_notice_undone", condition=models.Q(done_at__isnull=True))
        ]

    def __str__(self) -> str:
        return self.subject or self.key


class TakenOn(models.Model):
    """That somebody is on it: a warning that stays quiet until something new happens. One row a cause, the latest."""

    class About(models.TextChoices):
        GUEST = "guest", _("A guest needs somebody")  # no working code, a report, a PIN that changed after it was seen
        OFFLINE = "offline", _("A lock is out of reach")
        OUTAGE = "outage", _("A hub is out of reach")
        OVERDUE = "overdue", _("An old code may still open a door")

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    about = models.CharField(max_length=10, choices=About)
    code = models.ForeignKey(AccessCode, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    device = models.ForeignKey(Device, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    hub = models.ForeignKey(Hub, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    pin = models.ForeignKey(  # a guest's that opened the door then: another one is news
        Pin, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = _("taken on")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(about="guest", code__isnull=False, device=None, hub=None)
                | models.Q(about__in=["offline", "overdue"], code=None, device__isnull=False, hub=None)
                | models.Q(about="outage", code=None, device=None, hub__isnull=False),
                name="codes_takenon_about_one_thing",
            ),
            # Two people press at the same moment: one row.
            models.UniqueConstraint(fields=["code"], name="codes_takenon_once_a_guest"),
            models.UniqueConstraint(fields=["about", "device"], name="codes_takenon_once_a_lock"),
            models.UniqueConstraint(fields=["hub"], name="codes_takenon_once_a_hub"),
        ]

    def __str__(self) -> str:
        return self.get_about_display()
