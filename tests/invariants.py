"""I1–I11 of DESIGN §3 and the guest's promise, held against the portal's tables and the simulated locks' own truth.

`broken()` and the others look once, repair nothing, and give a sentence for each thing that is not as promised. They
show no PIN. I9 can only be told of PINs so long that no date or id looks like one: those of eight digits.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.db.models import Prefetch
from django_q.models import OrmQ

from backups.models import BackupCode, BackupPool
from codes.cover import door_pin
from codes.guest import Stage, at_the_door
from codes.models import AccessCode, CodePin, Notice
from devices.models import MAYBE_ON_LOCK, Device, Event, Pin, SimulatedLock
from devices.providers.simulated_lock import Content, lets_in
from devices.providers.simulator import contents, touched
from portal.models import OutgoingMail

SAID_GONE = {Pin.Status.PLANNED, Pin.Status.REFUSED, Pin.Status.GONE, Pin.Status.REMOVED, Pin.Status.WITHDRAWN}
LOOKS_LIKE_A_PIN = re.compile(r"(?<![0-9A-Fa-f])\d{8}(?![0-9A-Fa-f])")

type Findings = Iterator[str]


@dataclass
class Look:
    """All there is to know of some locks, read once: rows first, then what is truly on the locks.

    `unread`: locks that somebody changed behind the portal's back and that were not read since.
    """

    devices: dict[UUID, Device]
    unread: frozenset[UUID] = frozenset()
    pins: list[Pin] = field(init=False)
    locks: dict[UUID, SimulatedLock] = field(init=False)

    def __post_init__(self) -> None:
        self.pins = list(Pin.objects.filter(device__in=self.devices).order_by("pk"))
        self.given = list(
            CodePin.objects.filter(pin__device__in=self.devices)
            .select_related("code__device__property__workspace", "pin")
            .order_by("pk")
        )
        self.backups = list(BackupCode.objects.filter(pool__device__in=self.devices).select_related("pool", "pin"))
        found = SimulatedLock.objects.filter(hub__in={device.hub_id for device in self.devices.values()})
        by_ref = {(lock.hub_id, lock.lock_ref): lock for lock in found}
        self.locks = {
            pk: touched(lock) if (lock := by_ref[device.hub_id, device.lock_ref]).pending else lock
            for pk, device in self.devices.items()
            if (device.hub_id, device.lock_ref) in by_ref
        }

    @cached_property
    def truth(self) -> dict[UUID, dict[str, Content]]:
        """What is truly on each lock: digits to what stands there."""
        return {pk: {true.pin.reveal(): true for true in contents(lock)} for pk, lock in self.locks.items()}

    @cached_property
    def on_lock(self) -> list[Pin]:
        return [pin for pin in self.pins if pin.status in MAYBE_ON_LOCK]


def look(*devices: Device, unread: Iterable[Device] = ()) -> Look:
    """A look at these locks, or at all."""
    chosen = devices or tuple(Device.objects.exclude(removal=Device.Removal.REMOVED))
    return Look({device.pk: device for device in chosen}, frozenset(device.pk for device in unread))


def broken(seen: Look, *, secrecy: bool = True) -> list[str]:
    """Which of I1–I11 do not hold. `secrecy=False` leaves out I9, which reads everything that was ever written."""
    checks = [given_twice, alike_on_lock, beyond_their_place, ongoing_covered, unbound, pools, said_wrongly]
    checks += [left_behind, two_writers, *([in_clear] if secrecy else [])]
    return [finding for check in checks for finding in check(seen)]


def given_twice(seen: Look) -> Findings:
    """I1: a PIN is one guest's, a backup's digits never come to another, and each draw has its one guest."""
    for pin in _doubles(given.pin_id for given in seen.given):
        yield f"I1: PIN {pin} was given twice"
    owners = defaultdict(set)
    for given in seen.given:
        owners[given.pin.device_id, given.pin.digest].add(given.code_id)
    backups = {(given.pin.device_id, given.pin.digest) for given in seen.given if given.role == CodePin.Role.BACKUP}
    for device_id, digest in backups:
        if len(owners[device_id, digest]) > 1:
            yield f"I1: a backup's digits on {seen.devices[device_id]} came to {len(owners[device_id, digest])} guests"
    drawn = {backup.pin_id for backup in seen.backups if backup.drawn_at}
    pulled = {given.pin_id for given in seen.given if given.pin_id in {backup.pin_id for backup in seen.backups}}
    if drawn != pulled:
        yield f"I1: {len(drawn - pulled)} spares were drawn for nobody, {len(pulled - drawn)} given without a draw"


def alike_on_lock(seen: Look) -> Findings:
    """I2: no two PINs alike where either may open the door."""
    for device_id, _digest in _doubles((pin.device_id, pin.digest) for pin in seen.on_lock):
        yield f"I2: two PINs alike on {seen.devices[device_id]}"
    for device_id, lock in seen.locks.items():
        if len(seen.truth[device_id]) < len(lock.codes):
            yield f"I2: {seen.devices[device_id]} itself holds the same digits twice"


def beyond_their_place(seen: Look) -> Findings:
    """I3: two PINs never share a place."""
    places = [(pin.device_id, pin.slot, pin.code_id) for pin in seen.on_lock if pin.slot is not None or pin.code_id]
    for device_id, slot, code_id in _doubles(places):
        yield f"I3: two PINs at {slot or code_id} of {seen.devices[device_id]}"


def ongoing_covered(seen: Look) -> Findings:
    """I4: an ongoing code never has a backup."""
    for given in seen.given:
        if given.role == CodePin.Role.BACKUP and not given.code.time_bound:
            yield f"I4: the ongoing code {given.code} was given a backup"


def unbound(seen: Look) -> Findings:
    """I5: time-bound codes have both ends, in order; ongoing ones none."""
    for code in {given.code_id: given.code for given in seen.given}.values():
        ends = [code.starts_at, code.ends_at]
        fits = code.starts_at < code.ends_at if code.time_bound and all(ends) else not code.time_bound and not any(ends)
        if not fits:
            yield f"I5: {code} is {code.kind} from {code.starts_at} until {code.ends_at}"


def pools(seen: Look) -> Findings:
    """I6: no more spares than the pool's size. I7: a pool that was activated is there."""
    spares = Counter(backup.pool_id for backup in seen.backups if not backup.drawn_at and not backup.retired_at)
    there = {pool.pk: pool for pool in BackupPool.objects.filter(device__in=seen.devices)}
    for pk, count in spares.items():
        if count > min(there[pk].size, 5):
            yield f"I6: {count} spares in {there[pk]}"
    activated = Event.objects.filter(device__in=seen.devices, type=Event.Type.POOL_ACTIVATED)
    for device_id in set(activated.values_list("device", flat=True)) - {pool.device_id for pool in there.values()}:
        yield f"I7: the pool of {seen.devices[device_id]} is gone"


def said_wrongly(seen: Look) -> Findings:
    """I8: "set" is there, in its place and for its window; "removed" opens nothing."""
    rightly_there = {(pin.device_id, pin.digest) for pin in seen.on_lock}
    for pin in seen.pins:
        device = seen.devices[pin.device_id]
        if pin.device_id not in seen.truth:
            continue
        true = seen.truth[pin.device_id].get(pin.secret.reveal())
        if pin.status == Pin.Status.SET and pin.device_id not in seen.unread:
            if true is None or true.place != (pin.code_id or str(pin.slot)):
                yield f"I8: {pin} on {device} is said to be set at {pin.code_id or pin.slot}, and is not there"
            elif pin.unknown_at is None and not true.window.covers(pin.seen_window):  # else it is looked at again
                yield f"I8: {pin} on {device} opens for less than is said"
        if pin.status in SAID_GONE and true and (pin.device_id, pin.digest) not in rightly_there:
            yield f"I8: {pin} on {device} is said to be {pin.status}, and is there"


def in_clear(seen: Look) -> Findings:
    """I9: a PIN is in no event, task, mail, notice or name."""
    digits = {pin.secret.reveal() for pin in seen.pins}
    for where, text in _written_down():
        if digits.intersection(LOOKS_LIKE_A_PIN.findall(text)):
            yield f"I9: {where} shows a PIN"


def left_behind(seen: Look) -> Findings:
    """I10: what a live code holds follows its window; what an ended one held is wanted no more."""
    for given in seen.given:
        code, pin = given.code, given.pin
        if code.ended_at is not None:
            if pin.wanted != Pin.Wanted.ABSENT:
                yield f"I10: {pin} outlives {code}"
        elif given.ended_at is None and pin.wanted != Pin.Wanted.ABSENT and not _follows(pin, code):
            yield f"I10: {pin} did not follow {code}"


def _follows(pin: Pin, code: AccessCode) -> bool:
    return (pin.wanted_from, pin.wanted_until) == (code.starts_at, code.leaves_at)


def two_writers(seen: Look) -> Findings:
    """I11, by the locks' own count: one at a time speaks to a lock."""
    for device_id, lock in seen.locks.items():
        if lock.two_writers:
            yield f"I11: {seen.devices[device_id]} saw two writers at once, {lock.two_writers} times"


# The promise


def outside(seen: Look, at: datetime) -> list[str]:
    """Guests who stand outside now though their own PIN was confirmed, or a spare was ready when it was needed.

    To be asked after a tick. A lock that nobody could have known to be changed is not asked.
    """
    ready = {backup.pool.device_id for backup in seen.backups if _ready(backup)}
    findings = []
    for code in _staying(seen, at):
        findings += _outside(seen, code, at, spare=code.device_id in ready)
    return findings


def inside(seen: Look, at: datetime) -> list[str]:
    """Former guests who still get in with a PIN of their stay."""
    theirs = {(pin.device_id, pin.digest) for pin in seen.on_lock if pin.wanted != Pin.Wanted.ABSENT}
    return [
        f"{given.code} is over, and {given.pin} ({given.pin.status}) still opens {seen.devices[given.pin.device_id]}"
        for given in seen.given
        if given.code.ended_at is not None
        and (given.pin.device_id, given.pin.digest) not in theirs
        and _opens(seen, given.pin, at)
    ]


def _outside(seen: Look, code: AccessCode, at: datetime, *, spare: bool) -> Findings:
    pins = {given.role: given.pin for given in code.code_pins.all() if given.ended_at is None}
    own, backup = pins.get(CodePin.Role.OWN), pins.get(CodePin.Role.BACKUP)
    confirmed = any(pin and _works(pin, at) for pin in (own, backup))
    given_up = own is not None and own.give_up_at is not None and own.give_up_at <= at
    if not confirmed and spare and given_up and own.wanted == Pin.Wanted.PRESENT and not own.confirmed:
        yield f"{code} is not covered though a spare is ready"
    if not confirmed:
        return
    door, pin = at_the_door(code), door_pin(code)
    if door.stage != Stage.PIN or pin is None:
        yield f"{code} stays, has a PIN that works, and is shown none ({door.stage})"
    elif pin.status != Pin.Status.SENT and not _opens(seen, pin, at):
        yield f"{code} stays and their {pin.status} PIN {pin} does not open"


def _works(pin: Pin, at: datetime) -> bool:
    begun = pin.seen_from is None or pin.seen_from <= at
    return pin.status == Pin.Status.SET and begun and (pin.seen_until is None or pin.seen_until > at)


def _ready(backup: BackupCode) -> bool:
    is_spare = backup.drawn_at is None and backup.retired_at is None
    return is_spare and backup.pin.status == Pin.Status.SET and backup.pin.wanted == Pin.Wanted.PRESENT


def _staying(seen: Look, at: datetime) -> Iterable[AccessCode]:
    stays = {given.code_id for given in seen.given if given.code.time_bound and given.code.ended_at is None}
    running = {given.code_id for given in seen.given if given.code_id in stays and _runs(given.code, at)}
    codes = AccessCode.objects.filter(pk__in=running).exclude(device__in=seen.unread)
    given = CodePin.objects.select_related("pin__backup_code").order_by("pk")
    full = codes.select_related("device__property__workspace").prefetch_related(Prefetch("code_pins", given))
    return full if running else ()


def _runs(code: AccessCode, at: datetime) -> bool:
    return code.starts_at is not None and code.leaves_at is not None and code.starts_at <= at < code.leaves_at


def _opens(seen: Look, pin: Pin, at: datetime) -> bool:
    return pin.device_id in seen.locks and lets_in(seen.locks[pin.device_id], pin.secret.reveal(), at)


def _written_down() -> Iterator[tuple[str, str]]:
    for event in Event.objects.all().only("pk", "data").iterator():
        yield f"event {event.pk}", json.dumps(event.data)
    for task in OrmQ.objects.all():
        yield f"task {task.pk}", str(task.task)
    for mail in OutgoingMail.objects.all():
        yield f"mail {mail.pk}", f"{mail.subject}\n{mail.body}"
    for notice in Notice.objects.all():
        yield f"notice {notice.pk}", f"{notice.subject}\n{notice.key}"
    for label, slot in Pin.objects.values_list("label", "slot"):
        yield "a label", f"{label} {slot}"


def _doubles[T: Hashable](things: Iterable[T]) -> list[T]:
    return [thing for thing, count in Counter(things).items() if count > 1]
