"""The pulse: twice a second, database only. Covers who must not wait, ends stays, wakes workers. And the full sweep."""

import logging
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from itertools import batched
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from backups.models import BackupCode
from backups.services import short_of_spares
from codes.cover import cover_if_due, cover_next, cover_together, due_for_cover
from codes.models import AccessCode, CodePin, leaves_by
from codes.services import end_code
from codes.status import OVERDUE
from devices.activity import record
from devices.hubs import resume_searches
from devices.models import MAYBE_ON_LOCK, Device, Event, Pin
from devices.services import REFILL_TASK, request_sync, wake_due
from portal.clock import now
from portal.context import about
from portal.queue import alive, beat, enqueue, oldest_waiting, room

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 500
A_BATCH = 5_000  # ids in a statement: databases take so many
TOGETHER = 50  # guests covered in one transaction: the first of many do not wait for the last
LANDED = timedelta(minutes=5)  # longer than any provider's late writes are under way
BEAT_EVERY = timedelta(seconds=20)
LATELY = timedelta(days=30)


def tick() -> None:
    """Cover codes past their give-up moment, end stays that are over, queue due locks as far as there is room."""
    at = now()
    for codes in one_a_lock(list(due_for_cover(at))[:MOST_AT_ONCE], TOGETHER):
        _cover_those(codes, at)
    end_stays(at)
    wake_due()
    beat("tick")


def one_a_lock(codes: Iterable[AccessCode], most: int) -> list[list[AccessCode]]:
    """The codes in groups of so many at most, none with two of one lock; the first ones stay first."""
    groups: list[dict[UUID, AccessCode]] = []
    for code in codes:
        open_ = (group for group in groups if len(group) < most and code.device_id not in group)
        group = next(open_, None)
        if group is None:
            groups.append(group := {})
        group[code.device_id] = code
    return [list(group.values()) for group in groups]


def _cover_those(codes: list[AccessCode], at: datetime) -> None:
    """All at once; one by one if that cannot be done."""
    if len(codes) > 1:
        try:
            codes = cover_together(codes, at)
        except OperationalError:
            raise
        except Exception as error:
            logger.error("%d codes are covered one by one: %s", len(codes), type(error).__name__)
    for code in codes:
        _by_itself(code, lambda code: cover_if_due(code, at))


def probe_workers() -> None:
    """Keep workers beating: when none has for a while and nothing else waits, queue a beat. How long it waits tells."""
    if not alive("worker", BEAT_EVERY) and oldest_waiting() is None:
        enqueue("codes.tasks.heartbeat")


def end_stays(at: datetime) -> None:
    """Close codes whose checkout and late access have passed, and those on a lock that is being removed."""
    past, leaving = Q(ends_at__lte=at) & leaves_by(at), Q(device__in=_leaving(at))
    over = AccessCode.objects.live().filter(past | leaving)

    def end(code: AccessCode) -> None:
        with transaction.atomic():
            Device.objects.select_for_update().get(pk=code.device_id)
            if over.filter(pk=code.pk).exists():  # not extended meanwhile
                end_code(code)
                request_sync(code.device, wake=False)

    for which in (past, leaving):  # each by its own index, which the order asks for; together they would read all codes
        live = AccessCode.objects.live().filter(which).select_related("device").order_by("ends_at")
        for code in live[:MOST_AT_ONCE]:
            _by_itself(code, end)


def _leaving(at: datetime) -> list[object]:
    """Locks that are being removed, or were lately. They are few, and found by their own index."""
    lately = Q(removal=Device.Removal.REMOVED, removed_at__gt=at - LATELY)
    going = Device.objects.exclude(removal=Device.Removal.KEPT).filter(Q(removal=Device.Removal.REMOVING) | lately)
    return list(going.values_list("pk", flat=True))


def _by_itself(code: AccessCode, work: Callable[[AccessCode], object]) -> None:
    """One code that cannot be dealt with must not keep the others waiting."""
    with about(code=code.pk, lock=code.device_id):
        try:
            work(code)
        except OperationalError:
            raise
        except Exception as error:
            logger.error("code %s was left for the next tick: %s", code.pk, type(error).__name__)


def sweep() -> None:
    """Once a minute: look at the PINs themselves, trusting neither due times nor the queue."""
    at = now()
    for some in batched(Pin.objects.perhaps_due_ids(at, may_land=LANDED), A_BATCH, strict=False):
        locks = set(_forgotten(some, at).values_list("device", flat=True))
        Device.objects.filter(pk__in=locks).update(next_sync_at=at)
    Device.objects.filter(next_sync_at=None).exclude(removal=Device.Removal.REMOVED).update(next_sync_at=at)
    for device in _with_uncovered():
        cover_next(device)
    resume_searches(at)
    note_late_removals(at)
    # Some of them at random if they are many: a full lock, which stays short, must not keep others from their turn.
    for device in short_of_spares().order_by("?")[: room()]:
        enqueue(REFILL_TASK, str(device.pk))


def _forgotten(pins: Collection[int], at: datetime) -> QuerySet[Pin]:
    """Those of them with work due, on a lock that rests from no failure and that nobody would come to by now."""
    return (
        Pin.objects.filter(_work_is_due(at), pk__in=pins, device__failures=0)
        .exclude(device__removal=Device.Removal.REMOVED)
        .filter(Q(device__next_sync_at=None) | Q(device__next_sync_at__gt=at))
    )


def note_late_removals(at: datetime) -> None:
    """Write down, once an ending, that a former guest's PIN has not left its lock in time."""
    for some in batched(Pin.objects.leaving_ids(), A_BATCH, strict=False):
        _note_late(some, at)


def _note_late(leaving: Collection[int], at: datetime) -> None:
    ended = OuterRef("code__ended_at")
    told = Event.objects.filter(subject=OuterRef("code"), type=Event.Type.CODE_REMOVAL_LATE, at__gte=ended)
    late = (
        CodePin.objects.filter(pin__in=leaving, code__ended_at__lte=at - OVERDUE)
        .exclude(code__device__removal=Device.Removal.REMOVED)
        .exclude(Exists(told))
        .select_related("code__device__property")
        .order_by("code")
    )
    for code in {one.code_id: one.code for one in late[:MOST_AT_ONCE]}.values():
        record(code.device, Event.Type.CODE_REMOVAL_LATE, subject=code.pk, name=code.name)


def _work_is_due(at: datetime) -> Q:
    """In the database what `devices.programming.plan` says of one PIN: to be written, or to be taken off, by now."""
    begun = Q(program_at=None) | Q(program_at__lte=at)
    not_over = Q(wanted_until=None) | Q(wanted_until__gt=at)
    rested = Q(next_attempt_at=None) | Q(next_attempt_at__lte=at)
    unwritten = Q(status__in=[Pin.Status.PLANNED, Pin.Status.GONE]) & begun
    unsettled = Q(status__in=[Pin.Status.UNKNOWN, Pin.Status.WRITING, Pin.Status.REMOVING])
    short = Q(seen_until__lt=F("wanted_until")) | Q(seen_until__isnull=False, wanted_until=None)
    late = Q(seen_from__gt=F("wanted_from")) | Q(seen_from__isnull=False, wanted_from=None)
    on_lock_wrongly = Q(status__in=[Pin.Status.SET, Pin.Status.SENT]) & (short | late)
    to_write = Q(wanted=Pin.Wanted.PRESENT) & not_over & (unwritten | unsettled | on_lock_wrongly)
    to_remove = Q(status__in=MAYBE_ON_LOCK) & (Q(wanted=Pin.Wanted.ABSENT) | Q(wanted_until__lte=at))
    in_doubt = Q(status=Pin.Status.SET, unknown_at__lte=at - LANDED)
    return rested & (to_write | to_remove | in_doubt)


def _with_uncovered() -> list[Device]:
    ready = BackupCode.objects.ready().filter(pool__device=OuterRef("pk"))
    waiting = AccessCode.objects.live().filter(uncovered_since__isnull=False).values("device")
    return list(Device.objects.filter(Exists(ready), pk__in=waiting).select_related("property"))
