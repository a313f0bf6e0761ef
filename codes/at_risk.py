"""Which arrivals somebody should look at now, and how many things ask for attention in all. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value

from backups.status import causes
from codes.cover import NOT_THERE
from codes.models import AccessCode, AccessCodeQuerySet, CodePin
from devices.models import Device, Pin
from portal.clock import now
from portal.models import Workspace

AHEAD = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Attention:
    """The counts in the navigation: arrivals at risk, and causes of warnings that nobody has taken on."""

    arrivals: int
    warnings: int


def attention(workspace: Workspace) -> Attention:
    """Both counts in one query, for every page has them."""
    risky = at_risk(workspace).annotate(what=Value("arrival"), which=F("pk")).values_list("what", "which")
    warning = causes(workspace).annotate(what=Value("warning"), which=F("cause")).values_list("what", "which")
    found = [what for what, _ in {*risky.order_by().union(warning.order_by())}]
    return Attention(found.count("arrival"), found.count("warning"))


def soon(workspace: Workspace, at: datetime) -> AccessCodeQuerySet:
    """Stays that run, their late access included, or begin within 72 hours."""
    return (
        AccessCode.objects.of(workspace)
        .live()
        .filter(kind=AccessCode.Kind.TIME_BOUND, starts_at__lte=at + AHEAD, ends_at__gt=at - workspace.late_access)
    )


def at_risk(workspace: Workspace) -> AccessCodeQuerySet:
    """Stays that run or begin within 72 hours, and whose guest has no PIN that is known to work, or soon will not.

    Or says that it does not. In the database what `codes.arrivals.risk_of` says of one stay.
    """
    at = now()
    own = _given(CodePin.Role.OWN).filter(_due(at), _unconfirmed(), _troubled(at), pin__wanted=Pin.Wanted.PRESENT)
    backup = _given(CodePin.Role.BACKUP)
    lost, there = backup.filter(pin__status__in=NOT_THERE), backup.exclude(pin__status__in=NOT_THERE)
    bare = Q(uncovered_since__isnull=False) | Exists(own) | Exists(lost)
    reported = Q(reported_at__isnull=False)
    return soon(workspace, at).filter(reported | bare & ~Exists(there))


def _given(role: CodePin.Role) -> QuerySet[CodePin]:
    return CodePin.objects.filter(code=OuterRef("pk"), role=role, ended_at=None)


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
