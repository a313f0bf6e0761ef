"""Warnings by e-mail: one for a cause while it lasts, one when it is resolved. Database and outbox only.

`notify()` may be called as often as one likes, by several processes: the open notice of a cause is unique, and what
was told stands in its row. Causes of one lock, or of one hub that is down, go into one mail.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from codes.models import Notice
from codes.notice_findings import Finding, findings, still_away
from codes.notice_words import body_of, resolved_body, resolved_subject, subject_for, subject_of
from portal.clock import now
from portal.hearing import hearers, reachable
from portal.models import MailKind, Membership
from portal.outbox import post

K = MailKind
GRAVITY = {kind: place for place, kind in enumerate(K)}
# How long a cause must last before it is told: what belongs together comes together, a guest's open page sees a PIN.
DELAY = {
    K.UNCOVERED: timedelta(seconds=3),
    K.REPORTED: timedelta(0),
    K.PIN_CHANGED: timedelta(seconds=60),
    K.EXHAUSTED: timedelta(seconds=15),
    K.OFFLINE: timedelta(seconds=30),
    K.OVERDUE: timedelta(seconds=30),
    K.SEVERAL: timedelta(seconds=30),
}
# How long it must be gone before it counts as resolved: a lock that comes and goes is one cause.
STEADY = {K.EXHAUSTED: timedelta(seconds=20), K.OFFLINE: timedelta(minutes=2)}
STANDING = {K.UNCOVERED, K.EXHAUSTED, K.OFFLINE}  # "Resolved" waits a little for the rest of these
PATIENCE = timedelta(minutes=2)
SAID_BY = {
    K.SEVERAL: {K.UNCOVERED, K.EXHAUSTED},
    K.OFFLINE: {K.OFFLINE},
    K.PIN_CHANGED: {K.REPORTED},
}  # told while one of these is: nothing more


def notify() -> None:
    """See what is to be warned of, and write the mails."""
    at, found = now(), findings()
    notices = _undone()
    _open(found, {one.key for one in notices if one.closed_at is None}, at)
    for one in notices:
        _watch(one, found.get(one.key), at)
    groups: dict[str, list[Notice]] = defaultdict(list)
    for one in _undone():
        groups[one.group].append(one)
    for group in groups.values():
        _tell(group, found, at)
        _resolve(group, at)


def _undone() -> list[Notice]:
    few = Notice.objects.filter(done_at=None).values("pk")  # by themselves: SQLite would begin with all workspaces
    rows = Notice.objects.filter(pk__in=few).select_related("workspace", "device__property", "device__hub", "code")
    return sorted(rows, key=_gravity)


def _gravity(notice: Notice) -> tuple[int, float, int]:
    starts = notice.code.starts_at.timestamp() if notice.code and notice.code.starts_at else 0.0
    return GRAVITY[K(notice.kind)], starts, notice.pk


def _open(found: dict[str, Finding], known: set[str], at: datetime) -> None:
    Notice.objects.bulk_create(
        (
            Notice(
                workspace=finding.device.property.workspace,
                kind=finding.kind,
                key=key,
                group=finding.group,
                device=finding.device,
                code=finding.code,
                opened_at=at,
            )
            for key, finding in found.items()
            if key not in known
        ),
        ignore_conflicts=True,  # another process was faster
    )


def _watch(notice: Notice, finding: Finding | None, at: datetime) -> None:
    """Keep whether the cause is there, gone for good, or somebody's who is on it."""
    if notice.closed_at is not None:
        return
    if finding is not None or (notice.kind == K.OFFLINE and still_away(notice.device)):
        _still_there(notice, finding)
    elif notice.gone_since is None:
        _update(notice, gone_since=at)
        _close_if_steady(notice, at, at)
    else:
        _close_if_steady(notice, notice.gone_since, at)


def _still_there(notice: Notice, finding: Finding | None) -> None:
    if notice.gone_since is not None:
        _update(notice, gone_since=None)
    if finding is None or notice.told_at is None:
        return
    if finding.quiet and notice.quieted_at is None:
        _update(notice, quieted_at=now())
    elif not finding.quiet and notice.quieted_at is not None:  # something new happened: it is told again
        old = finding.news_at is not None and finding.news_at <= notice.quieted_at  # a pull is no news of an outage
        _update(notice, quieted_at=None, **({} if old else {"told_at": None, "silent": False}))


def _close_if_steady(notice: Notice, gone_since: datetime, at: datetime) -> None:
    if at - gone_since < STEADY.get(K(notice.kind), timedelta(0)):
        return
    nothing_to_say = notice.told_at is None or notice.silent
    _update(notice, closed_at=at, done_at=at if nothing_to_say else None)


def _update(notice: Notice, **values: object) -> None:
    Notice.objects.filter(pk=notice.pk, closed_at=None).update(**values)


def _tell(group: Sequence[Notice], found: dict[str, Finding], at: datetime) -> None:
    """One mail about what is new in this group, once the gravest of it has lasted long enough."""
    told = {K(one.kind) for one in group if one.told_at and not one.silent and one.closed_at is None}
    fresh = [
        one
        for one in group
        if one.told_at is None and one.closed_at is None and one.key in found and not found[one.key].quiet
    ]
    said = [one for one in fresh if told & SAID_BY.get(K(one.kind), set())]
    fresh = [one for one in fresh if one not in said]
    if said:
        Notice.objects.filter(pk__in=[one.pk for one in said]).update(told_at=at, silent=True)
    if not any(one.opened_at + DELAY[K(one.kind)] <= at for one in fresh):
        return
    with transaction.atomic():
        ours = _claim(fresh, at)
        hearing = _hearing(ours)
        for one in ours:
            one.subject = subject_of(found[one.key])[:250]
            one.silent = one.kind == K.SEVERAL and one is not ours[0]
            one.told_to = sorted({*(one.told_to or ()), *(member.pk for member in hearing[one.pk])})
            one.save(update_fields=["subject", "silent", "told_to"])
        _post(ours, hearing, subject_for, lambda some: body_of([(one, found[one.key]) for one in some]))


def _claim(fresh: Iterable[Notice], at: datetime) -> list[Notice]:
    """Those of them that no other process tells of; in this transaction they are ours."""
    return [one for one in fresh if Notice.objects.filter(pk=one.pk, told_at=None).update(told_at=at)]


def _resolve(group: Sequence[Notice], at: datetime) -> None:
    """One "Resolved" about what ended, together with what ends within moments, to those who were told of it."""
    ended = [one for one in group if one.closed_at is not None]
    if not ended:
        return
    standing = any(one.told_at and not one.closed_at and K(one.kind) in STANDING for one in group)
    if standing and min(one.closed_at for one in ended if one.closed_at) > at - PATIENCE:
        return
    with transaction.atomic():
        ours = [one for one in ended if Notice.objects.filter(pk=one.pk, done_at=None).update(done_at=at)]
        hearing = _hearing(ours)
        for one in ours:
            if one.told_to is not None:
                hearing[one.pk] = [member for member in hearing[one.pk] if member.pk in one.told_to]
        _post(ours, hearing, resolved_subject, resolved_body)


def _hearing(notices: Sequence[Notice]) -> dict[int, list[Membership]]:
    """Who is to hear of each, by its key."""
    if not notices:
        return {}
    workspace = notices[0].workspace
    members = reachable(workspace)
    kinds = {kind: hearers(workspace, members, kind) for kind in {K(one.kind) for one in notices}}
    return {one.pk: kinds[K(one.kind)] for one in notices}


def _post(
    notices: Sequence[Notice],
    hearing: Mapping[int, Sequence[Membership]],
    subject: Callable[[Sequence[Notice]], str],
    body: Callable[[Sequence[Notice]], str],
) -> None:
    """To each person what is theirs to hear of; those who hear the same get the same."""
    theirs: dict[Membership, list[Notice]] = defaultdict(list)
    for one in notices:
        for member in hearing[one.pk]:
            theirs[member].append(one)
    mails: dict[tuple[Notice, ...], list[str]] = defaultdict(list)
    for member, told in theirs.items():
        mails[tuple(told)].append(member.user.email)
    for told_together, people in mails.items():
        post(people, subject(told_together), body(told_together))
