"""Which arrivals somebody should look at now, and how many things ask for attention in all. Reads only."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import BigIntegerField, CharField, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Value

from backups.status import causes
from codes.cover import NOT_THERE
from codes.models import AccessCode, AccessCodeQuerySet, CodePin, TakenOn
from codes.taken_on import Marks, guests_taken_on, mark_rows
from devices.models import Device, Pin
from portal.clock import now
from portal.models import Workspace

AHEAD = timedelta(hours=72)
ARRIVING = timedelta(hours=24)  # so near that a lock out of reach is warned of
LATELY, PATIENTLY = timedelta(seconds=10), timedelta(seconds=2)
MOST = 10_000  # workspaces remembered


@dataclass(frozen=True, slots=True)
class Attention:
    """The counts in the navigation: arrivals at risk and causes of warnings, those that nobody has taken on; and who
    has taken on what.
    """

    arrivals: int
    warnings: int
    marks: Marks


@dataclass(frozen=True, slots=True)
class Lately:
    """What was counted at some moment, when the workspace's number of changes was this."""

    changes: int
    at: datetime
    counts: Attention


_lately: dict[UUID, Lately] = {}  # by workspace, in this process


def attention(workspace: Workspace) -> Attention:
    """All in one query, for every page has them."""
    none = {
        "who": Value(None, CharField()),
        "when": Value(None, DateTimeField()),
        "opens": Value(None, BigIntegerField()),
    }
    columns = ["what", "which", "who", "when", "opens"]
    alone = at_risk(workspace).filter(~Exists(guests_taken_on()))
    risky = alone.annotate(what=Value("arrival"), which=F("pk"), **none).values_list(*columns)
    warning = causes(workspace).annotate(what=Value("warning"), which=F("cause"), **none).values_list(*columns)
    taken = mark_rows(TakenOn.objects.filter(workspace=workspace))  # the first: its columns have types
    rows = {*taken.union(risky.order_by(), warning.order_by())}
    kinds = Counter(what for what, *_rest in rows)
    marked = [row for row in rows if row[0] in TakenOn.About.values]
    return Attention(kinds["arrival"], kinds["warning"], Marks(marked))


def attention_lately(workspace: Workspace, changes: int, *, patient: bool = False) -> Lately:
    """The same for a page, asked again when anything has changed in the workspace, or after ten seconds.

    `changes`: the workspace's number of them, as read for this page. `patient`: what was counted less than two seconds
    ago will do, though something changed.
    """
    at = now()
    known = _lately.get(workspace.pk)
    age = at - known.at if known else LATELY
    if known and timedelta(0) <= age < (LATELY if known.changes == changes else PATIENTLY if patient else timedelta(0)):
        return known
    if len(_lately) > MOST:
        _lately.clear()
    found = _lately[workspace.pk] = Lately(changes, at, attention(workspace))
    return found


def soon(workspace: Workspace, at: datetime, path: str = "") -> Q:
    """Stays that run, their late access included, or begin within 72 hours. `path` leads to the access code."""
    stay = {
        "ended_at": None,
        "kind": AccessCode.Kind.TIME_BOUND,
        "starts_at__lte": at + AHEAD,
        "ends_at__gt": at - workspace.late_access,
    }
    return Q(**{f"{path}{name}": value for name, value in {**stay, "device__property__workspace": workspace}.items()})


def at_risk(workspace: Workspace) -> AccessCodeQuerySet:
    """Stays that run or begin within 72 hours, and whose guest has no PIN that is known to work, or soon will not.

    Or says that it does not. In the database what `codes.arrivals.risk_of` says of one stay.
    """
    at = now()
    own = _given(workspace, CodePin.Role.OWN).filter(
        _due(at), _unconfirmed(), _troubled(at), pin__wanted=Pin.Wanted.PRESENT
    )
    backup = _given(workspace, CodePin.Role.BACKUP)
    lost, there = backup.filter(pin__status__in=NOT_THERE), backup.exclude(pin__status__in=NOT_THERE)
    bare = Q(uncovered_since__isnull=False) | Exists(own) | Exists(lost)
    reported = Q(reported_at__isnull=False)
    return AccessCode.objects.filter(soon(workspace, at)).filter(reported | bare & ~Exists(there))


def _given(workspace: Workspace, role: CodePin.Role) -> QuerySet[CodePin]:
    """Says the workspace once more: a database that answers this for all rows at once should not look at others'."""
    mine = CodePin.objects.filter(code__device__property__workspace=workspace)
    return mine.filter(code=OuterRef("pk"), role=role, ended_at=None)


def _due(at: datetime) -> Q:
    return Q(pin__program_at=None) | Q(pin__program_at__lte=at)


def _unconfirmed() -> Q:
    begins_late = Q(pin__seen_from__gt=F("pin__wanted_from"))
    ends_early = Q(pin__seen_until__lt=F("pin__wanted_until"))
    return ~Q(pin__status__in=[Pin.Status.SET, Pin.Status.SENT]) | begins_late | ends_early


def _troubled(at: datetime) -> Q:
    return (
        ~Q(pin__trouble=Pin.Trouble.NONE)
        | Q(pin__give_up_at__lte=at)
        | Q(code__device__failures__gt=0)
        | Q(code__device__online=Device.Online.NO)
        | Q(code__device__hub__down_since__isnull=False)
    )
