"""One lock, and the marks by which exactly one worker at a time gives it its turn."""

import uuid
from functools import cached_property
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from devices.models.hub import Hub
from devices.models.property import Property
from devices.providers.base import Capabilities
from portal.models import Workspace


class DeviceQuerySet(models.QuerySet["Device"]):
    def of(self, workspace: Workspace) -> "DeviceQuerySet":
        """The workspace's locks that have not been removed."""
        return self.filter(property__workspace=workspace).exclude(removal=Device.Removal.REMOVED)


class Device(models.Model):
    """A lock. What it can do is as last discovered; what is on it stands in its Pins."""

    class Online(models.TextChoices):
        YES = "yes", _("Online")
        NO = "no", _("Offline")
        UNKNOWN = "unknown", _("Not known yet")

    class Removal(models.TextChoices):
        KEPT = "kept", _("In use")
        REMOVING = "removing", _("Being removed")  # no new codes; all of ours is taken off first
        REMOVED = "removed", _("Removed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    property = models.ForeignKey(Property, on_delete=models.PROTECT, related_name="devices")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="devices")
    lock_ref = models.CharField(_("lock reference"), max_length=100)  # opaque: the provider's own name for it
    name = models.CharField(_("name"), max_length=100)
    make = models.CharField(_("make"), max_length=60, blank=True)
    model = models.CharField(_("model"), max_length=60, blank=True)
    capabilities = models.JSONField(null=True, blank=True)

    online = models.CharField(_("online"), max_length=10, choices=Online, default=Online.UNKNOWN)
    online_since = models.DateTimeField(null=True, blank=True)  # when `online` took its present value
    battery = models.PositiveSmallIntegerField(_("battery"), null=True, blank=True)  # percent
    unmanaged = models.JSONField(default=list, blank=True)  # slots or code ids on the lock that are not ours
    seen_at = models.DateTimeField(null=True, blank=True)  # end of the last turn in which the lock answered
    read_at = models.DateTimeField(null=True, blank=True)  # last full read
    read_wanted = models.BooleanField(default=True)  # the next turn reads in full first
    failures = models.PositiveIntegerField(default=0)  # turns in a row that ended without an answer
    trouble = models.CharField(max_length=40, blank=True)  # what the last failing call met: a Pin.Trouble
    trouble_count = models.PositiveIntegerField(default=0)  # how many failing calls in a row
    trouble_since = models.DateTimeField(null=True, blank=True)

    version = models.PositiveBigIntegerField(default=0)  # counts what services wanted of this lock
    next_sync_at = models.DateTimeField(null=True, blank=True)  # when a turn is due; null: nothing to do
    queued_until = models.DateTimeField(null=True, blank=True)  # database clock: a task is on its way
    syncing_until = models.DateTimeField(null=True, blank=True)  # database clock: the lease
    lease_token = models.UUIDField(null=True, blank=True)

    has_pool = models.BooleanField(null=True, editable=False)  # of backups: a trigger of theirs says so; null: none yet

    removal = models.CharField(max_length=10, choices=Removal, default=Removal.KEPT)
    removing_since = models.DateTimeField(null=True, blank=True)  # somebody asked for its removal then
    removed_at = models.DateTimeField(null=True, blank=True)
    added_at = models.DateTimeField(auto_now_add=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hub", "lock_ref"],
                name="devices_device_lock_once",
                violation_error_message=_("This lock has been added already."),
            ),
            models.CheckConstraint(
                condition=models.Q(online__in=["yes", "no", "unknown"]), name="devices_device_online_known"
            ),
            models.CheckConstraint(
                condition=models.Q(removal__in=["kept", "removing", "removed"]),
                name="devices_device_removal_known",
            ),
        ]
        indexes = [
            # The tick and a free worker: which locks are due now?
            models.Index(
                fields=["next_sync_at"],
                name="devices_device_due",
                condition=models.Q(next_sync_at__isnull=False),
            ),
            # A free worker: which locks did somebody ask for, whose tasks wait?
            models.Index(
                fields=["queued_until"],
                name="devices_device_queued",
                condition=models.Q(queued_until__isnull=False),
            ),
            # The sweep: which locks have no next turn?
            models.Index(fields=["removal"], name="devices_device_never_due", condition=models.Q(next_sync_at=None)),
            # The sweep: which locks may lack a pool of backups?
            models.Index(fields=["removal"], name="devices_device_no_pool", condition=models.Q(has_pool=None)),
            # Warnings: which locks are out of reach?
            models.Index(fields=["removal"], name="devices_device_offline", condition=models.Q(online="no")),
            # The tick: which locks are being removed, so that their codes end?
            models.Index(fields=["removal"], name="devices_device_leaving", condition=~models.Q(removal="kept")),
            # How many locks of this hub are being spoken to?
            models.Index(fields=["hub"], name="devices_device_leased", condition=models.Q(syncing_until__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def caps(self) -> Capabilities | None:
        """What the lock can do, as last discovered; None until it was asked."""
        return Capabilities.from_json(self.capabilities) if self.capabilities else None

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        self.__dict__.pop("caps", None)
        super().refresh_from_db(*args, **kwargs)
