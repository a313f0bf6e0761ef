"""What may be wanted of locks. Writes what is wanted, and wakes the worker; never speaks to a lock."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from devices.activity import record
from devices.lease import MAX_QUEUE_MARK, free, speakable, unqueued
from devices.models import Device, Event, Hub, Pin, Property
from devices.providers.base import LockInfo
from portal.clock import now
from portal.models import User
from portal.moments import zone_name
from portal.queue import enqueue, room

SYNC_TASK = "codes.tasks.sync_lock"
AT_ONCE = 500  # rows of one statement
REFILL_TASK = "backups.tasks.refill_pool"


def add_lock(*, hub: Hub, property: Property, info: LockInfo, actor: User | None = None) -> Device:
    """Add a lock found on a hub; one that was removed earlier comes back to life. Its backups come by themselves."""
    with transaction.atomic():
        device, added = Device.objects.select_for_update().get_or_create(
            hub=hub,
            lock_ref=info.lock_ref,
            defaults={"property": property, "name": info.name, "make": info.make, "model": info.model},
        )
        if not added and device.removal == Device.Removal.KEPT:
            return device
        device.property = property
        if info.capabilities:
            device.capabilities = info.capabilities.to_json()
        device.battery = info.battery
        device.save(update_fields=["property", "capabilities", "battery"])
        _use(device, actor)
    return device


def restore_lock(device: Device, *, actor: User | None = None) -> None:
    """Take back a removal, begun or done: the lock is in use again. Codes that ended with it stay ended."""
    with transaction.atomic():
        device = Device.objects.select_for_update(of=("self",)).select_related("property").get(pk=device.pk)
        if device.removal == Device.Removal.KEPT:
            return
        _use(device, actor)


def change_lock(device: Device, *, name: str, property: Property, actor: User | None = None) -> None:
    """Rename a lock, or put it into another property of its workspace. Raises ValidationError, and changes nothing.

    Stays are meant in their property's zone: a lock goes into another zone only while no guest's code is planned.
    """
    with transaction.atomic():
        device = Device.objects.select_for_update(of=("self",)).select_related("property").get(pk=device.pk)
        old_name, old_place = device.name, device.property
        if property.time_zone != old_place.time_zone and _stays(device):
            raise ValidationError({"property": _other_zone(old_place, property)})
        device.name, device.property = name.strip(), property
        device.full_clean(validate_constraints=False)
        if (device.name, device.property) == (old_name, old_place):
            return
        device.save(update_fields=["name", "property"])
        record(
            device,
            Event.Type.DEVICE_CHANGED,
            actor=actor,
            lock=device.name,
            was=old_name,
            place=property.name,
            place_was=old_place.name,
        )


def add_new_locks(locks: Sequence[tuple[Hub, Property, LockInfo]]) -> None:
    """Add locks that are not there yet, many at once. Their first turns and their pools are left to the tick.

    Raises IntegrityError if somebody adds one of them at the same moment.
    """
    at = now()
    with transaction.atomic():
        new = [_new_lock(*lock, at) for lock in locks]
        devices = Device.objects.bulk_create(new, batch_size=AT_ONCE)
        events = (
            Event(workspace_id=device.property.workspace_id, device=device, type=Event.Type.DEVICE_ADDED, at=at)
            for device in devices
        )
        Event.objects.bulk_create(events, batch_size=AT_ONCE)


def _new_lock(hub: Hub, place: Property, info: LockInfo, due: datetime) -> Device:
    told = {"lock_ref": info.lock_ref, "name": info.name, "make": info.make, "model": info.model}
    return Device(hub=hub, property=place, **told, version=1, next_sync_at=due)


def request_sync(device: Device, *, read: bool = False, wake: bool = True) -> None:
    """Something new is wanted of this lock: it is due now. `read`: read it in full first.

    `wake=False` leaves the waking to the next tick, for those who ask for many locks at once.
    """
    values: dict[str, object] = {"version": F("version") + 1, "next_sync_at": now()}
    if read:
        values["read_wanted"] = True
    with transaction.atomic():
        Device.objects.filter(pk=device.pk).update(**values)
        if wake:
            wake_worker(device.pk)


def request_syncs(device_ids: Collection[UUID]) -> None:
    """Something new is wanted of these locks: they are due now. Their waking is left to the next tick."""
    Device.objects.filter(pk__in=device_ids).update(version=F("version") + 1, next_sync_at=now())


def sync_now(device: Device, *, read: bool = False, wake: bool = True) -> None:
    """Somebody asks for this lock: it is due now, and its hub is spoken to at once, even if it was down."""
    with transaction.atomic():
        request_sync(device, read=read, wake=wake)  # the lock's row before its hub's, as everywhere
        Hub.objects.filter(pk=device.hub_id, probe_at__isnull=False).update(probe_at=None)


def wake_worker(device_id: UUID) -> bool:
    """Put the lock's turn on the queue, unless a task for it is on its way already."""
    with transaction.atomic():
        marked = Device.objects.filter(unqueued(), pk=device_id).update(queued_until=Now() + MAX_QUEUE_MARK)
        if marked:
            enqueue(SYNC_TASK, str(device_id))
    return bool(marked)


def wake_due() -> int:
    """Queue the locks that are due and held by nobody, longest due first, as many as the queue has room for."""
    places = room()
    if not places:
        return 0
    due = (
        Device.objects.filter(unqueued(), free(), speakable(), next_sync_at__lte=now())
        .exclude(removal=Device.Removal.REMOVED)
        .order_by("next_sync_at")
        .values_list("pk", flat=True)[:places]
    )
    return sum(wake_worker(device_id) for device_id in due)


def check_lock(device: Device, *, actor: User | None = None) -> None:
    """ "Check lock now": a person wants to know what is on it. The next turn reads it in full, at once.

    Raises ValidationError for a lock that has been removed: nobody speaks to it any more.
    """
    if device.removal == Device.Removal.REMOVED:
        raise ValidationError(_("This lock has been removed. Add it again first."))
    with transaction.atomic():
        record(device, Event.Type.DEVICE_CHECKED, actor=actor)
        sync_now(device, read=True)


def remove_lock(device: Device, *, actor: User | None = None) -> None:
    """First step of removing a lock: no new codes, and everything of ours is taken off it. It ends by itself."""
    with transaction.atomic():
        removing = Device.objects.filter(pk=device.pk, removal=Device.Removal.KEPT).update(
            removal=Device.Removal.REMOVING, removing_since=now()
        )
        if not removing:
            return
        Pin.objects.filter(device=device).exclude(wanted=Pin.Wanted.ABSENT).update(
            wanted=Pin.Wanted.ABSENT, give_up_at=None, next_attempt_at=None
        )
        record(device, Event.Type.DEVICE_REMOVING, actor=actor)
        request_sync(device)


def mark_removed(device: Device, *, actor: User | None = None) -> list[Pin]:
    """Force the end of a removal, for a lock that will never answer. Gives the PINs that may still open the door."""
    with transaction.atomic():
        done = Device.objects.filter(pk=device.pk, removal=Device.Removal.REMOVING).update(
            removal=Device.Removal.REMOVED, removed_at=now(), next_sync_at=None
        )
        if not done:
            raise ValidationError(_("Remove the lock first: its codes are taken off before it goes."))
        left = left_on(device)
        record(device, Event.Type.DEVICE_REMOVED, actor=actor, left=[pin.label for pin in left])
    return left


def left_on(device: Device) -> list[Pin]:
    """Our PINs that may still open the door, guests' and staff's before spares."""
    return list(Pin.objects.filter(device=device).maybe_on_lock().defer("secret").order_by("priority", "label"))


def _use(device: Device, actor: User | None) -> None:
    """A lock that is new, or comes back: it is read in full, and its backups come by themselves."""
    device.removal, device.removed_at, device.removing_since = Device.Removal.KEPT, None, None
    device.save(update_fields=["removal", "removed_at", "removing_since"])
    record(device, Event.Type.DEVICE_ADDED, actor=actor)
    request_sync(device, read=True)
    enqueue(REFILL_TASK, str(device.pk))


def _stays(device: Device) -> bool:
    """Whether a guest's code is wanted on the lock now or later."""
    wanted = Pin.objects.filter(device=device, priority=Pin.Priority.PERSON).exclude(wanted=Pin.Wanted.ABSENT)
    return wanted.filter(wanted_until__gt=now()).exists()


def _other_zone(old: Property, new: Property) -> str:
    told = {"new": new.name, "old": old.name, "zone": zone_name(old.time_zone), "new_zone": zone_name(new.time_zone)}
    return (
        _(
            "%(new)s is on %(new_zone)s, and guests’ codes on this lock are meant in %(zone)s. "
            "Move it when no guest’s code is planned for it, or choose a property on %(zone)s."
        )
        % told
    )
