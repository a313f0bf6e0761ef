"""The pool of spare codes on each lock."""

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from devices.models import Device, Pin
from portal.kept import KeptQuerySet


class BackupPool(models.Model):
    """A lock's safety net. Comes by itself, and stays until the lock is removed: it has no switch and no delete."""

    device = models.OneToOneField(Device, on_delete=models.PROTECT, related_name="backup_pool")
    size = models.PositiveSmallIntegerField(_("size"), default=5)
    complete = models.BooleanField(null=True, editable=False)  # by triggers: no spare is missing; null: some are
    activated_at = models.DateTimeField()
    filled_at = models.DateTimeField(null=True, blank=True)  # first time all spares were ready
    exhausted_since = models.DateTimeField(null=True, blank=True)  # none ready since then; null: some are
    acknowledged_at = models.DateTimeField(null=True, blank=True)  # "I'm on it"; a new pull clears it
    acknowledged_by = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = KeptQuerySet["BackupPool"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(size__gte=1, size__lte=5),
                name="backups_pool_size_1_to_5",
                violation_error_message=_("A pool holds one to five backup codes."),
            )
        ]
        indexes = [
            # The sweep: which pools are short of spares?
            models.Index(fields=["device"], name="backups_pool_short", condition=models.Q(complete=None)),
            # Warnings: which pools are exhausted?
            models.Index(
                fields=["exhausted_since"],
                name="backups_pool_exhausted",
                condition=models.Q(exhausted_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return gettext("Backup pool of %(lock)s") % {"lock": self.device}

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("a backup pool stays on: remove the lock instead")


class BackupCodeQuerySet(KeptQuerySet["BackupCode"]):
    def spare(self) -> "BackupCodeQuerySet":
        """Not given to anybody and still meant for use: ready, or on their way to the lock."""
        return self.filter(drawn_at=None, retired_at=None)

    def ready(self) -> "BackupCodeQuerySet":
        """Spares that are on the lock, as the lock itself said."""
        return self.spare().filter(pin__status=Pin.Status.SET, pin__wanted=Pin.Wanted.PRESENT)


class BackupCode(models.Model):
    """One spare. Once drawn it is one guest's for good; its name and PIN are the system's."""

    pool = models.ForeignKey(BackupPool, on_delete=models.PROTECT, related_name="codes")
    pin = models.OneToOneField(Pin, on_delete=models.PROTECT, related_name="backup_code")
    code_id = models.CharField(max_length=8)  # short, as in "Backup 7F3A (Seam)"
    position = models.PositiveSmallIntegerField()
    drawn_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = BackupCodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pool", "position"],
                condition=models.Q(drawn_at__isnull=True, retired_at__isnull=True),
                name="backups_code_position_once",
            ),
            models.UniqueConstraint(fields=["pool", "code_id"], name="backups_code_id_once"),
            models.CheckConstraint(
                condition=models.Q(position__gte=1, position__lte=5), name="backups_code_position_1_to_5"
            ),
        ]
        indexes = [
            # "Several pulled": the pool's recent draws.
            models.Index(
                fields=["pool", "drawn_at"],
                name="backups_code_drawn",
                condition=models.Q(drawn_at__isnull=False),
            ),
            # Warnings: where were several pulled lately?
            models.Index(
                fields=["drawn_at"], name="backups_code_drawn_lately", condition=models.Q(drawn_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return gettext("Backup %(id)s") % {"id": self.code_id}

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("a backup code is never deleted: its PIN is never to be given twice")
