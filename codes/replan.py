"""Planning stays anew when the workspace's leads, or its late access, have changed."""

from datetime import datetime

from django.db import transaction

from codes.cover import current
from codes.models import AccessCode, CodePin
from codes.schedule import AFTER_CHANGE, give_up_at, leads_of, program_at
from devices.models import MAYBE_ON_LOCK, Device, Pin
from devices.services import request_sync
from portal.clock import now


def replan_workspace(workspace_id: str) -> None:
    """The queue's call: when codes are programmed and given up, and when their PINs leave the lock."""
    devices = Device.objects.filter(property__workspace_id=workspace_id).exclude(removal=Device.Removal.REMOVED)
    for device in devices.order_by("pk"):
        replan_lock(device)


def replan_lock(device: Device) -> None:
    """Plan one lock's stays by the settings of now.

    A stay that runs keeps the leads it was planned with, and so does a covered one; the late access is for all.
    """
    with transaction.atomic():
        device = Device.objects.select_for_update(of=("self",)).select_related("property__workspace").get(pk=device.pk)
        at, changed = now(), False
        stays = AccessCode.objects.live().filter(device=device, kind=AccessCode.Kind.TIME_BOUND)
        for code in stays.select_for_update():
            code.device = device
            changed |= _leaves_anew(code)
            if code.starts_at and code.starts_at > at and code.uncovered_since is None:
                changed |= _replan(code)
        if changed:
            request_sync(device, wake=False)


def _leaves_anew(code: AccessCode) -> bool:
    """Its PINs stay as long as the late access says: like a stay that is extended, or shortened, by a little."""
    moved = False
    for given in CodePin.objects.filter(code=code, ended_at=None).exclude(pin__wanted=Pin.Wanted.ABSENT):
        pin, until = given.pin, given.pin.wanted_until
        if until == code.leaves_at:
            continue
        values: dict[str, object] = {"wanted_until": code.leaves_at}
        if given.role == CodePin.Role.OWN and pin.confirmed and pin.wanted == Pin.Wanted.PRESENT:
            values["give_up_at"] = _given_up(code, pin, until)
        Pin.objects.filter(pk=pin.pk).update(**values)
        moved = True
    return moved


def _given_up(code: AccessCode, pin: Pin, until: datetime | None) -> datetime | None:
    """A PIN whose window on the lock ends too early is covered before it does, if the lock does not take the later."""
    lasts = pin.seen_until is None or (code.leaves_at is not None and pin.seen_until >= code.leaves_at)
    return None if lasts else give_up_at(leads_of(code.device), until, now())


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
