"""Planning stays anew when the workspace's leads have changed."""

from django.db import transaction

from codes.cover import current
from codes.models import AccessCode, CodePin
from codes.schedule import AFTER_CHANGE, leads_of, program_at
from devices.models import MAYBE_ON_LOCK, Device, Pin
from devices.services import request_sync
from portal.clock import now


def replan_workspace(workspace_id: str) -> None:
    """The queue's call: when codes of stays that have not begun are programmed, and when they are given up."""
    devices = Device.objects.filter(property__workspace_id=workspace_id).exclude(removal=Device.Removal.REMOVED)
    for device in devices.order_by("pk"):
        replan_lock(device)


def replan_lock(device: Device) -> None:
    """Plan one lock's coming stays by the leads of now. Stays that run, and covered ones, stay as they are."""
    with transaction.atomic():
        device = Device.objects.select_for_update(of=("self",)).select_related("property__workspace").get(pk=device.pk)
        coming = AccessCode.objects.live().filter(device=device, starts_at__gt=now(), uncovered_since=None)
        changed = False
        for code in coming.select_for_update():
            code.device = device
            changed |= _replan(code)
        if changed:
            request_sync(device, wake=False)


def _replan(code: AccessCode) -> bool:
    own = current(code, CodePin.Role.OWN)
    if own is None or code.starts_at is None or own.pin.wanted != Pin.Wanted.PRESENT:
        return False
    if current(code, CodePin.Role.BACKUP) is not None:
        return False
    leads, at = leads_of(code.device), now()
    values: dict[str, object] = {}
    if own.pin.status not in MAYBE_ON_LOCK:
        values["program_at"] = program_at(leads, code.starts_at)
    if own.pin.give_up_at is not None and own.pin.give_up_at > at:
        soonest = at if code.failed_at else at + AFTER_CHANGE  # time for one try at least
        values["give_up_at"] = max(code.starts_at - leads.cover, min(own.pin.give_up_at, soonest))
    return bool(values) and bool(Pin.objects.filter(pk=own.pin_id).exclude(**values).update(**values))
