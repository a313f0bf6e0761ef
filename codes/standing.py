"""How codes stand, as queries: what `codes.status` says of one code from its rows, asked of the database for many."""

from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from codes.models import AccessCode, CodePin
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


def standing(which: Standing, workspace: Workspace) -> Q:
    """The condition on the workspace's access codes.

    Each part says the workspace once more: a database that answers it for all rows at once should not look at others'.
    """
    at = now()
    live = Q(ended_at=None)
    bare = live & ~_covered(workspace)
    trying = bare & Q(uncovered_since=None) & ~_set(workspace) & ~_failed(workspace)
    conditions = {
        Standing.CURRENT: live | _on_lock(workspace),
        Standing.ATTENTION: _attention(at, workspace),
        Standing.WAITING: trying,
        Standing.SET: bare & Q(uncovered_since=None) & _set(workspace),
        Standing.COVERED: live & _covered(workspace),
        Standing.UNCOVERED: bare & Q(uncovered_since__isnull=False),
        Standing.FAILED: bare & Q(uncovered_since=None) & ~_set(workspace) & _failed(workspace),
        Standing.REMOVING: ~live & _on_lock(workspace),
        Standing.OVER: ~live & ~_on_lock(workspace),
        Standing.ALL: Q(),
    }
    return conditions[which]


def _attention(at: datetime, workspace: Workspace) -> Q:
    """Somebody should act: like `Status.attention` of the code, or of the backup that covers it."""
    overdue = Q(ended_at__lt=at - OVERDUE) & _on_lock(workspace)
    lost_backup = Exists(_open(workspace, CodePin.Role.BACKUP).exclude(pin__status__in=MAYBE_ON_LOCK))
    bare = Q(ended_at=None) & ~_covered(workspace)
    helpless = bare & (
        Q(uncovered_since__isnull=False)
        | ~_set(workspace) & (_failed(workspace) | _close_to_giving_up(at, workspace) | _hard(at, workspace))
    )
    reported = Q(ended_at=None, reported_at__isnull=False)
    return overdue | Q(ended_at=None) & Q(lost_backup) | helpless | reported


def _close_to_giving_up(at: datetime, workspace: Workspace) -> Q:
    return Q(Exists(_trying(at, workspace).filter(pin__give_up_at__lte=at + CLOSE)))


def _hard(at: datetime, workspace: Workspace) -> Q:
    """An ongoing code, which nothing covers, after some tries."""
    tries = Q(pin__attempts__gte=HARD)
    return Q(kind=AccessCode.Kind.ONGOING) & Q(Exists(_trying(at, workspace).filter(tries)))


def _trying(at: datetime, workspace: Workspace) -> QuerySet[CodePin]:
    """Own PINs that meet trouble on their way to the lock."""
    trouble = (
        ~Q(pin__trouble=Pin.Trouble.NONE)
        | Q(code__device__failures__gt=0)
        | Q(code__device__online=Device.Online.NO)
        | Q(code__device__hub__down_since__isnull=False)
    )
    later = Q(pin__status=Pin.Status.PLANNED, pin__program_at__gt=at)
    return _open(workspace, CodePin.Role.OWN).filter(trouble).exclude(later).exclude(pin__status=Pin.Status.UNKNOWN)


def _covered(workspace: Workspace) -> Q:
    return Q(Exists(_open(workspace, CodePin.Role.BACKUP).filter(pin__status__in=MAYBE_ON_LOCK)))


def _set(workspace: Workspace) -> Q:
    begins_in_time = Q(pin__seen_from=None) | Q(pin__seen_from__lte=F("pin__wanted_from"))
    lasts = Q(pin__seen_until=None) | Q(pin__seen_until__gte=F("pin__wanted_until"))
    there = Q(pin__status__in=[Pin.Status.SET, Pin.Status.SENT])
    return Q(Exists(_open(workspace, CodePin.Role.OWN).filter(there, begins_in_time, lasts)))


def _failed(workspace: Workspace) -> Q:
    return Q(failed_at__isnull=False) | Q(
        Exists(_open(workspace, CodePin.Role.OWN).filter(pin__status=Pin.Status.REFUSED))
    )


def _on_lock(workspace: Workspace) -> Q:
    return Q(Exists(_given(workspace).filter(pin__status__in=MAYBE_ON_LOCK)))


def _open(workspace: Workspace, role: CodePin.Role) -> QuerySet[CodePin]:
    return _given(workspace).filter(role=role, ended_at=None)


def _given(workspace: Workspace) -> QuerySet[CodePin]:
    return CodePin.objects.filter(code=OuterRef("pk"), code__device__property__workspace=workspace)
