"""What happened: append-only, readable by a manager, never with a PIN in it."""

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from devices.models.device import Device
from portal.kept import KeptQuerySet


class Event(models.Model):
    """One thing that happened in a workspace. `data` holds names, ids and reasons; never a PIN."""

    class Type(models.TextChoices):
        CODE_CREATED = "access_code.created", _("Code added")
        CODE_CHANGED = "access_code.changed", _("Code changed")
        CODE_CANCELLED = "access_code.cancelled", _("Code cancelled")
        CODE_SET = "access_code.set_on_device", _("Code set on lock")
        CODE_DELAYED = "access_code.delay_in_setting_on_device", _("Setting takes longer")
        CODE_FAILED = "access_code.failed_to_set_on_device", _("Code could not be set")
        CODE_REMOVED = "access_code.removed_from_device", _("Code removed from lock")
        CODE_REMOVAL_LATE = "access_code.delay_in_removing_from_device", _("Removal overdue")
        CODE_CHANGED_OUTSIDE = (
            "access_code.modified_external_to_seam",
            _("Code changed on the lock by somebody else"),
        )
        CODE_DELETED_OUTSIDE = (
            "access_code.deleted_external_to_seam",
            _("Code deleted on the lock by somebody else"),
        )
        CODE_REVEALED = "access_code.revealed", _("PIN shown")
        CODE_OPENED_BY_GUEST = "access_code.opened_by_guest", _("Guest opened the link")
        CODE_NOT_WORKING = "access_code.reported_by_guest", _("Guest says the PIN does not work")
        CODE_REPORT_SETTLED = "access_code.report_settled", _("Guest’s report settled")
        CODE_PIN_CHANGED = "access_code.pin_changed", _("Other PIN asked for")
        CODE_RETRIED = "access_code.retried", _("Setting tried again")
        CODE_LINK_RENEWED = "access_code.link_renewed", _("Guest’s link replaced")
        BACKUP_PULLED = "access_code.backup_access_code_pulled", _("Backup code pulled")
        UNCOVERED = "access_code.no_backup_available", _("No backup available")
        BACKUP_READY = "backup_code.ready", _("Backup code ready")
        POOL_ACTIVATED = "backup_pool.activated", _("Backup pool activated")
        POOL_REFILLED = "backup_pool.refilled", _("Backup pool full again")
        POOL_EXHAUSTED = "backup_pool.exhausted", _("Backup pool exhausted")
        POOL_ACKNOWLEDGED = "backup_pool.acknowledged", _("Warning taken on")
        SETTINGS_CHANGED = "workspace.settings_changed", _("Settings changed")
        PERSON_INVITED = "person.invited", _("Person invited")
        INVITATION_REVOKED = "person.invitation_revoked", _("Invitation taken back")
        PERSON_JOINED = "person.joined", _("Person joined")
        PERSON_ROLE_CHANGED = "person.role_changed", _("Role changed")
        PERSON_REMOVED = "person.removed", _("Person removed")
        WARNING_TAKEN_ON = "warning.taken_on", _("Somebody is on it")
        UNMANAGED_FOUND = "unmanaged.created", _("A code of somebody else's was found")
        UNMANAGED_GONE = "unmanaged.removed", _("A code of somebody else's is gone")
        DEVICE_ADDED = "device.added", _("Lock added")
        DEVICE_CONNECTED = "device.connected", _("Lock online")
        DEVICE_DISCONNECTED = "device.disconnected", _("Lock offline")
        DEVICE_LOW_BATTERY = "device.low_battery", _("Battery low")
        DEVICE_CHECKED = "device.checked", _("Lock check asked for")
        DEVICE_REMOVING = "device.removing", _("Lock is being removed")
        DEVICE_REMOVED = "device.removed", _("Lock removed")
        DEVICE_CHANGED = "device.changed", _("Lock renamed or moved")
        HUB_ADDED = "hub.added", _("Hub added")
        HUB_CHANGED = "hub.changed", _("Hub changed")
        HUB_SEARCHED = "hub.searched", _("Hub asked for its locks")
        HUB_REMOVED = "hub.removed", _("Hub removed")
        PROPERTY_ADDED = "property.added", _("Property added")
        PROPERTY_CHANGED = "property.changed", _("Property changed")
        PROPERTY_ZONE_CHANGED = "property.time_zone_changed", _("Property’s time zone changed")
        STRAY_REMOVED = "device.stray_removed", _("A former code was found on the lock and removed")
        STRAY_FOUND = "device.stray_found", _("A former code still opens the door")
        POOL_REFILL_ASKED = "backup_pool.refill_asked", _("Pool refill asked for")
        BACKUP_REPLACED = "backup_code.replaced", _("Backup code replaced")
        STAFF_LOOK_BEGAN = "staff.look_began", _("Our staff began a read-only look at the portal")
        STAFF_LOOK_ENDED = "staff.look_ended", _("Our staff ended their look at the portal")

    workspace = models.ForeignKey("portal.Workspace", on_delete=models.PROTECT, related_name="events")
    device = models.ForeignKey(  # null: about a hub, a property
        Device, null=True, blank=True, on_delete=models.PROTECT, related_name="events"
    )
    type = models.CharField(max_length=60, choices=Type)
    at = models.DateTimeField()
    actor = models.ForeignKey("portal.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    subject = models.UUIDField(null=True, blank=True)  # the access code it is about
    data = models.JSONField(default=dict)

    objects = KeptQuerySet["Event"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["device", "-at"], name="devices_event_of_device"),  # a lock's latest activity
            models.Index(fields=["workspace", "-at"], name="devices_event_of_workspace"),  # the activity page
            models.Index(fields=["subject", "-at"], name="devices_event_of_code"),  # a code's own history
            models.Index(fields=["at"], name="devices_event_by_day"),  # staff leaf through everybody's by day
        ]

    def __str__(self) -> str:
        return self.get_type_display()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise TypeError("an event is written once")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("an event is never deleted")
