"""The pool's own life: it comes by itself, fills up, is drawn from, and never shrinks but for want of room.

Writes what is wanted and never speaks to a lock. Callers hold no lock row: each function takes the device's first.
"""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from backups.models import BackupCode, BackupPool
from backups.restored import make_way
from devices import pins
from devices.activity import record
from devices.models import Device, Event, Pin
from devices.pin_rules import NoPinLeft
from devices.services import REFILL_TASK, request_sync
from portal.clock import now
from portal.models import User
from portal.queue import enqueue

AHEAD = timedelta(hours=72)  # guests' codes that will want room on the lock by then
SETTING_UP = timedelta(minutes=10)  # for so long a new pool that is not full yet is no news
REFUSED_FIRST, REFUSED_MOST = timedelta(seconds=10), timedelta(minutes=30)
REFUSED_MOST_WITH_GUEST = timedelta(seconds=30)


def refill(device: Device, *, wake: bool = True) -> None:
    """Make the lock's pool what it should be: activate it, retire what is lost, want new spares, or make room.

    Database only. Does nothing on a lock that supports no backups, was not asked yet, or is being removed.
    """
    with transaction.atomic():
        device = Device.objects.select_for_update(of=("self",)).select_related("property").get(pk=device.pk)
        if device.removal != Device.Removal.KEPT or device.caps is None or not device.caps.backup_pool:
            return
        pool = _activated(device)
        changed = _retire_lost(pool)
        spares = list(pool.codes.spare().select_related("pin"))
        target = target_of(device, pool, have=len(spares))
        if target < 1:
            changed |= make_way(device, 1)
        if len(spares) > target:
            changed |= _withdraw(spares, len(spares) - target)
        elif len(spares) < target:
            changed |= _add(device, pool, {code.position for code in spares}, target - len(spares))
        changed |= _hurry(device, pool)
        note_state(pool)
        if changed:
            request_sync(device, wake=wake)


def short_of_spares() -> QuerySet[Device]:
    """Locks that support a pool and lack it, or have fewer spares than its size; `refill` knows if there is room."""
    poolless = Device.objects.filter(has_pool=None).values("pk")
    short = BackupPool.objects.filter(complete=None).values("device")
    found = poolless.union(short, all=True)
    return Device.objects.filter(removal=Device.Removal.KEPT, capabilities__backup_pool=True, pk__in=found)


def draw_for(devices: Collection[Device]) -> dict[UUID, BackupCode]:
    """Take, for good, each lock's ready spare with the latest confirmation, by lock; locks without one are left out.

    Asks for refills. The caller holds the locks' rows, so that nobody else draws there. As many statements for many
    locks as for one.
    """
    ready: dict[UUID, list[BackupCode]] = {}
    latest = BackupCode.objects.ready().order_by("-pin__confirmed_at", "pk").select_related("pin", "pool")
    for code in latest.filter(pool__device__in=devices):
        ready.setdefault(code.pool.device_id, []).append(code)
    if not ready:
        return {}
    at, drawn = now(), {device_id: codes[0] for device_id, codes in ready.items()}
    spare = BackupCode.objects.spare().filter(pk__in=[code.pk for code in drawn.values()])
    if spare.update(drawn_at=at) < len(drawn):
        raise RuntimeError("a spare was taken by somebody who does not hold its lock's row")
    BackupPool.objects.filter(device__in=drawn).update(acknowledged_at=None, acknowledged_by=None)
    for device in devices:
        if device.pk in drawn:
            code = drawn[device.pk]
            code.drawn_at, code.pool.device = at, device
            _note_one_less(code.pool, left=len(ready[device.pk]) - 1)
    enqueue(REFILL_TASK, *map(str, drawn))
    return drawn


def _note_one_less(pool: BackupPool, *, left: int) -> None:
    """A spare was drawn: news only if it was the last one, or the pool was thought to be exhausted."""
    if not left or pool.exhausted_since:
        note_state(pool)


def refill_now(pool: BackupPool, *, actor: User) -> None:
    """A person asks for a refill: recorded. Raises ValidationError for a lock that is being removed or was."""
    device = pool.device
    if device.removal != Device.Removal.KEPT:
        raise ValidationError(_("This lock is being removed: its pool is not filled any more."))
    with transaction.atomic():
        record(device, Event.Type.POOL_REFILL_ASKED, actor=actor)
        refill(device)


def replace_spare(code: BackupCode, *, actor: User) -> None:
    """Take one ready spare off the lock, and want another with other digits. For digits that somebody may know.

    It does to the pool what a lock does that loses a spare, no more: the pool fills up again by itself and is
    never emptied by this. Raises ValidationError where that cannot be promised, and for a spare that is a guest's.
    """
    with transaction.atomic():
        Device.objects.select_for_update().get(pk=code.pool.device_id)
        code = BackupCode.objects.select_related("pool__device__property", "pool__device__hub", "pin").get(pk=code.pk)
        if refusal := why_kept(code):
            raise ValidationError(refusal)
        _retire(code)
        record(code.pool.device, Event.Type.BACKUP_REPLACED, actor=actor, backup=code.code_id)
        note_state(code.pool)
        refill(code.pool.device)
        request_sync(code.pool.device)


def why_kept(code: BackupCode) -> str:
    """Why this spare cannot be replaced now, in words; "" when it can."""
    device = code.pool.device
    if code.drawn_at is not None:
        return _("A guest has it: it stays theirs until checkout.")
    if code.retired_at is not None:
        return _("It has been replaced already.")
    if device.removal != Device.Removal.KEPT:
        return _("Its lock is being removed.")
    if code.pin.status != Pin.Status.SET or code.pin.wanted != Pin.Wanted.PRESENT:
        return _("It is not ready: it is being set, or set again, by itself.")
    if device.online != Device.Online.YES or device.hub.down_since is not None:
        return _("Its lock does not answer: no other spare could be set in its place.")
    if device.trouble_count:
        return _("Its lock has trouble with its codes: another spare might not get onto it.")
    if _ready(code.pool) < 2:
        return _("It is the last one that is ready. Wait until the pool has refilled.")
    return ""


def spare_seen(code: BackupCode) -> None:
    """A spare's PIN changed on the lock: it became ready, was refused, or is gone."""
    device = code.pool.device
    if code.pin.status == Pin.Status.REFUSED:
        refill(device, wake=False)
        return
    note_state(code.pool)
    if code.pin.status == Pin.Status.SET and _ready(code.pool) == code.pool.size:
        record(device, Event.Type.POOL_REFILLED, ready=code.pool.size)


def acknowledge(pool: BackupPool, *, actor: User) -> None:
    """ "I'm on it": quiets the pool's warnings until another backup is pulled."""
    with transaction.atomic():
        done = BackupPool.objects.filter(pk=pool.pk, acknowledged_at=None).update(
            acknowledged_at=now(), acknowledged_by=actor
        )
        if done:
            record(pool.device, Event.Type.POOL_ACKNOWLEDGED, actor=actor)


def target_of(device: Device, pool: BackupPool, *, have: int) -> int:
    """How many spares the lock has room for: its slots less guests' codes of the next 72 h and what cannot leave.

    One spare that is there stays, unless an ongoing code would find no place: that one has no backup to fall back on.
    """
    slots = device.caps.slots if device.caps else None
    if slots is None:
        return pool.size
    at = now()
    alive = list(Pin.objects.filter(device=device).alive().exclude(backup_code__in=pool.codes.spare()))
    room = slots - len(device.unmanaged) - sum(_takes_room(pin, at) for pin in alive)
    starving = any(pin.wanted_until is None and not pin.maybe_on_lock and _takes_room(pin, at) for pin in alive)
    least = 1 if have and not starving else 0
    return min(pool.size, max(room, least))


def note_state(pool: BackupPool) -> None:
    """Keep when the pool was first full and since when it is exhausted. An event when it runs out."""
    at = now()
    ready = _ready(pool)
    if ready and pool.exhausted_since:
        BackupPool.objects.filter(pk=pool.pk).update(exhausted_since=None)
    if ready == pool.size and not pool.filled_at:
        BackupPool.objects.filter(pk=pool.pk).update(filled_at=at)
    settled = (
        pool.filled_at or pool.activated_at + SETTING_UP <= at or pool.codes.filter(drawn_at__isnull=False).exists()
    )
    in_use = pool.device.removal == Device.Removal.KEPT  # one that leaves is meant to have none
    if not ready and settled and in_use:
        newly = BackupPool.objects.filter(pk=pool.pk, exhausted_since=None).update(exhausted_since=at)
        if newly:
            record(pool.device, Event.Type.POOL_EXHAUSTED, reason=pool.device.trouble)
    pool.refresh_from_db()


def _takes_room(pin: Pin, at: datetime) -> bool:
    if pin.maybe_on_lock:
        return True
    begins = pin.program_at or pin.wanted_from
    soon = begins is None or begins <= at + AHEAD
    return pin.wanted == Pin.Wanted.PRESENT and soon and pin.status != Pin.Status.REFUSED


def _activated(device: Device) -> BackupPool:
    pool, new = BackupPool.objects.get_or_create(device=device, defaults={"activated_at": now()})
    if new:
        record(device, Event.Type.POOL_ACTIVATED)
    return pool


def _ready(pool: BackupPool) -> int:
    return BackupCode.objects.ready().filter(pool=pool).count()


def _retire_lost(pool: BackupPool) -> bool:
    """Spares that the lock refused, or that left with a removed lock, make place for new ones."""
    lost = [c for c in pool.codes.spare().select_related("pin") if not _fit(c.pin)]
    for code in lost:
        _retire(code)
    return bool(lost)


def _fit(pin: Pin) -> bool:
    return pin.wanted == Pin.Wanted.PRESENT and pin.status not in (
        Pin.Status.REFUSED,
        Pin.Status.REMOVED,
        Pin.Status.WITHDRAWN,
    )


def _retire(code: BackupCode) -> None:
    if BackupCode.objects.filter(pk=code.pk, drawn_at=None, retired_at=None).update(retired_at=now()):
        Pin.objects.filter(pk=code.pin_id).update(wanted=Pin.Wanted.ABSENT, next_attempt_at=None)


def _withdraw(spares: list[BackupCode], count: int) -> bool:
    """Make room: spares that are not on the lock go first, then the one confirmed longest ago."""

    def least_useful(code: BackupCode) -> tuple[bool, float]:
        confirmed = code.pin.confirmed_at
        return code.pin.status == Pin.Status.SET, confirmed.timestamp() if confirmed else 0.0

    for code in sorted(spares, key=least_useful)[:count]:
        _retire(code)
    return True


def _add(device: Device, pool: BackupPool, held: set[int], count: int) -> bool:
    """Want new spares at the free positions; later each time while the lock keeps refusing them."""
    program_at = _after_refusals(pool, guest_waits=_guest_waits(device))
    added = False
    for position in [p for p in range(1, pool.size + 1) if p not in held][:count]:
        try:
            secret = pins.pick(device)
        except NoPinLeft:
            return added
        code_id = _new_code_id(pool)
        pin = pins.insert(
            device,
            secret,
            label=f"Backup {code_id} ({settings.BACKUP_BRAND})",
            priority=Pin.Priority.SPARE,
            program_at=program_at,
        )
        BackupCode.objects.create(pool=pool, pin=pin, code_id=code_id, position=position)
        added = True
    return added


def _hurry(device: Device, pool: BackupPool) -> bool:
    """Spares that rest because the lock refused others are tried soon after all: a guest waits for one."""
    soon = now() + REFUSED_MOST_WITH_GUEST
    resting = Pin.objects.filter(backup_code__in=pool.codes.spare(), status=Pin.Status.PLANNED, program_at__gt=soon)
    return _guest_waits(device) and bool(resting.update(program_at=soon))


def _guest_waits(device: Device) -> bool:
    """Somebody's PIN was given up, and no spare was there to stand in for it."""
    given_up = Pin.objects.filter(device=device, give_up_at__lte=now(), priority=Pin.Priority.PERSON)
    return given_up.filter(wanted=Pin.Wanted.PRESENT, wanted_until__gt=now()).exists()


def _after_refusals(pool: BackupPool, *, guest_waits: bool) -> datetime | None:
    last_good = pool.codes.filter(pin__confirmed_at__isnull=False).aggregate(last=Max("pin__confirmed_at"))["last"]
    refused = pool.codes.filter(pin__status=Pin.Status.REFUSED, drawn_at=None)
    count = (refused.filter(retired_at__gt=last_good) if last_good else refused).count()
    if not count:
        return None
    most = REFUSED_MOST_WITH_GUEST if guest_waits else REFUSED_MOST
    rest: timedelta = min(REFUSED_FIRST * 2 ** min(count - 1, 10), most)
    return now() + rest


def _new_code_id(pool: BackupPool) -> str:
    """Four hex digits that no backup of this lock ever had."""
    used = set(pool.codes.values_list("code_id", flat=True))
    for digits in (2, 3, 4):
        for _try in range(20):
            code_id = secrets.token_hex(digits).upper()
            if code_id not in used:
                return code_id
    raise RuntimeError("no free backup id")
