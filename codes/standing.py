"""How codes stand, as queries: what `codes.status` says of one code from its rows, asked of the database for many."""

from datetime import datetime
from enum import StrEnum

from django.db.models import Case, Exists, F, FilteredRelation, OuterRef, Q, Value, When

from codes.models import AccessCode, AccessCodeQuerySet, CodePin
from codes.status import CLOSE, HARD, OVERDUE
from devices.models import MAYBE_ON_LOCK, Device, Pin
from portal.clock import now
from portal.models import Workspace


class Standing(StrEnum):
    """What a list of codes can be filtered by."""

    CURRENT = ""  # live, or over but perhaps still on the lock
    ATTENTION = "attention"
    WAITING = "waiting"  # scheduled, or on its way to the lock
    SET = "set"
    COVERED = "covered"
    UNCOVERED = "uncovered"
    FAILED = "failed"
    REMOVING = "removing"
    OVER = "over"
    ALL = "all"


LIVE = Q(ended_at=None)
BARE = LIVE & Q(covered=False)
WHERE = {
    Standing.CURRENT: LIVE | Q(on_lock=True),
    Standing.ATTENTION: Q(attention=True),
    Standing.WAITING: BARE & Q(uncovered_since=None, is_set=False, failed=False),
    Standing.SET: BARE & Q(uncovered_since=None, is_set=True),
    Standing.COVERED: LIVE & Q(covered=True),
    Standing.UNCOVERED: BARE & Q(uncovered_since__isnull=False),
    Standing.FAILED: BARE & Q(uncovered_since=None, is_set=False, failed=True),
    Standing.REMOVING: Q(ended_at__isnull=False, on_lock=True),
    Standing.OVER: Q(ended_at__isnull=False, on_lock=False),
    Standing.ALL: Q(),
}


def judged(workspace: Workspace) -> AccessCodeQuerySet:
    """Its codes, to be filtered by `WHERE` and ordered by `attention`: somebody should act, like `Status.attention`.

    Each is joined to the PIN and to the backup it holds now, of which there is one at most. Nothing is told by one more
    subquery for each question: PostgreSQL would plan and answer every one of them by itself.
    """
    at = now()
    held = AccessCode.objects.of(workspace).alias(own=_held(CodePin.Role.OWN), backup=_held(CodePin.Role.BACKUP))
    maybe_there = CodePin.objects.filter(code=OuterRef("pk"), pin__status__in=MAYBE_ON_LOCK)
    # The workspace once more: a database that answers it for all rows at once should not look at others'.
    maybe_there = maybe_there.filter(pin__device__property__workspace=workspace)
    return held.alias(
        covered=_flag(Q(backup__pin__status__in=MAYBE_ON_LOCK)),
        is_set=_flag(_SET),
        failed=_flag(Q(failed_at__isnull=False) | Q(own__pin__status=Pin.Status.REFUSED)),
        on_lock=Exists(maybe_there),
    ).alias(attention=_flag(_attention(at)))


def _held(role: CodePin.Role) -> FilteredRelation:
    return FilteredRelation("code_pins", condition=Q(code_pins__role=role, code_pins__ended_at=None))


def _flag(condition: Q) -> Case:
    """True or false, never unknown, so that it can be denied."""
    return Case(When(condition, then=Value(True)), default=Value(False))


_SET = (
    Q(own__pin__status__in=[Pin.Status.SET, Pin.Status.SENT])
    & (Q(own__pin__seen_from=None) | Q(own__pin__seen_from__lte=F("own__pin__wanted_from")))
    & (Q(own__pin__seen_until=None) | Q(own__pin__seen_until__gte=F("own__pin__wanted_until")))
)


def _attention(at: datetime) -> Q:
    overdue = Q(ended_at__lt=at - OVERDUE, on_lock=True)
    lost_backup = Q(backup__isnull=False) & ~Q(backup__pin__status__in=MAYBE_ON_LOCK)
    close_to_giving_up = _trying(at) & Q(own__pin__give_up_at__lte=at + CLOSE)
    hard = _trying(at) & Q(kind=AccessCode.Kind.ONGOING, own__pin__attempts__gte=HARD)  # nothing covers it
    not_set = Q(is_set=False) & (Q(failed=True) | close_to_giving_up | hard)
    helpless = Q(covered=False) & (Q(uncovered_since__isnull=False) | not_set)
    return overdue | LIVE & (lost_backup | helpless | Q(reported_at__isnull=False))


def _trying(at: datetime) -> Q:
    """Its own PIN meets trouble on its way to the lock."""
    trouble = (
        ~Q(own__pin__trouble=Pin.Trouble.NONE)
        | Q(device__failures__gt=0)
        | Q(device__online=Device.Online.NO)
        | Q(device__hub__down_since__isnull=False)
    )
    later = Q(own__pin__status=Pin.Status.PLANNED, own__pin__program_at__gt=at)
    return Q(own__isnull=False) & trouble & ~later & ~Q(own__pin__status=Pin.Status.UNKNOWN)
