"""Pages that refresh themselves: their live parts are sent again only when they changed.

A template marks its parts with `{% live "name" %}…{% endlive %}`. Each carries a digest of itself in a hidden field,
which the page's poll sends back; a poll that changed nothing answers 204. The time of the answer travels
in a header, for the page's "Updated 14:32".

Most polls are answered before any of that: the page's mark holds the workspace's number of changes (`portal.changes`),
and as long as that is the same, nothing has changed but the clock. What the clock alone changes is seen within a
minute, for then a poll is answered from the rows again; or at a moment that the page itself names. A page about one
lock has that lock's number in its mark, too: as long as that is the same, a change elsewhere in the workspace, which
moves a count in its navigation at most, may wait for LATER seconds since the page was drawn. A mark is good for one
session, or one guest's link; `portal.quick_polls` answers a member's by it alone.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, cast
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.crypto import constant_time_compare, salted_hmac

from portal.access import MemberRequest
from portal.clock import now
from portal.moments import clock_words

NEVER = datetime.fromtimestamp(0, UTC)
MARK = "seen-mark"  # the field that carries it
TRUSTED = timedelta(minutes=1)  # how long a page's mark is
SOON, LATER = 4, 20  # seconds between polls: while something is pending, and otherwise


@dataclass
class Live:
    """One rendering: what the page has seen already (None: it is the first), and which parts are sent."""

    seen: Mapping[str, str] | None = None
    sent: list[str] = field(default_factory=list)

    def wanted(self, name: str, digest: str) -> bool:
        """Whether this part is to be sent; remembers that it was."""
        if self.seen is not None and self.seen.get(f"seen-{name}") == digest:
            return False
        self.sent.append(name)
        return True


def digest(html: str) -> str:
    return hashlib.blake2b(html.encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True)
class Mark:
    """What a page was drawn from; and until when that alone tells whether it is still right.

    `source` stands for who has the page, workspace and number of changes. Guests see it, so it tells nothing of them;
    `workspace` and `lock` are told to members alone. `own` stands for the same with the lock's number.
    """

    source: str
    until: datetime
    zone: str
    workspace: UUID | None = None
    lock: UUID | None = None
    own: str = ""
    drawn_at: datetime = NEVER

    def __str__(self) -> str:
        space, lock = (one.hex if one else "" for one in (self.workspace, self.lock))
        drawn = f"{lock}_{self.own}_{_stamp(self.drawn_at)}_" if lock else ""
        return f"{self.source}_{_stamp(self.until)}_{self.zone.encode().hex()}_{drawn}{space}"

    @classmethod
    def of(cls, text: str) -> "Mark | None":
        """The mark that a poll brought; None if it is none."""
        try:
            source, until, zone, *drawn, space = text.split("_")
            lock, own, at = drawn or ("", "", "0")
            workspace, of_lock = (UUID(one) if one else None for one in (space, lock))
            zone = bytes.fromhex(zone).decode()
            return cls(source, _moment(until), zone, workspace, of_lock, own, _moment(at))
        except (ValueError, OverflowError, OSError):
            return None

    @property
    def is_trusted(self) -> bool:
        """The clock alone has changed nothing of the page since."""
        return timedelta(0) < self.until - now() <= TRUSTED

    def holds(self, who: str, workspace: UUID, number: int, own: int = 0) -> bool:
        """Nothing has changed since for this session or link, or on another lock and just now.

        `own`: the lock's number. A clock that was set back makes it void.
        """
        if not (self.is_trusted and _is_zone(self.zone)):
            return False
        if constant_time_compare(self.source, _source(who, workspace, number)):
            return True
        lately = timedelta(0) <= now() - self.drawn_at < timedelta(seconds=LATER)
        return (
            lately and self.lock is not None and constant_time_compare(self.own, _own(who, workspace, self.lock, own))
        )


@dataclass(frozen=True, slots=True)
class OfLock:
    """A lock that a page is about, and its number of changes, read before its rows."""

    lock: UUID
    changes: int


def mark(who: str, workspace: UUID, number: int, zone: str, until: datetime | None = None) -> Mark:
    """The mark of a page that is drawn now, given the number read before its rows. `until`: the clock's moment.

    `who`: the session's key or the guest's token.
    """
    trusted = now() + TRUSTED
    return Mark(_source(who, workspace, number), min(trusted, until) if until else trusted, zone)


def brought(request: HttpRequest) -> Mark | None:
    """The mark that a poll brought; None for what is no poll, or asks for something else by a filter."""
    if "HTTP_HX_REQUEST" not in request.META or request.META.get("HTTP_HX_TRIGGER") == "filter":
        return None
    # A page sends a dozen fields: this one, which needs no decoding, is found without taking all of them apart.
    _others, _name, found = request.META.get("QUERY_STRING", "").partition(f"{MARK}=")
    return Mark.of(found.partition("&")[0])


def nothing_new(found: Mark | None, who: str, workspace: UUID, number: int, own: int = 0) -> HttpResponse | None:
    """The answer to a poll of a page that nothing has changed, by the mark it brought; None if somebody has to look."""
    if found is None or not found.holds(who, workspace, number, own):
        return None
    return _refreshed(HttpResponse(status=204), found.zone)


def unless_unchanged[**P](
    view: Callable[Concatenate[MemberRequest, P], HttpResponse],
) -> Callable[Concatenate[MemberRequest, P], HttpResponse]:
    """For views that answer polls, inside the gate: they are spared those whose page nothing has changed."""

    @wraps(view)
    def spared(request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        used, who = request.membership, request.session.session_key or ""
        unchanged = nothing_new(brought(request), who, used.workspace_id, used.changes)
        return unchanged or view(request, *args, **kwargs)

    spared.answers_polls = True  # type: ignore[attr-defined]  # for `portal.quick_polls`
    return cast(Callable[Concatenate[MemberRequest, P], HttpResponse], spared)


def changed_parts(
    request: HttpRequest, template: str, context: dict[str, Any], *, zone: str, fresh: Mark | None = None
) -> HttpResponse:
    """The live parts of `template` that differ from those the page has; 204 when none does.

    `fresh`: the page's new mark, if it is not the one of the member's workspace.
    """
    live = Live(seen=request.GET)
    html = render_to_string(template, {**context, "live": live}, request)
    response = HttpResponse(html) if live.sent else HttpResponse(status=204)
    return _refreshed(response, zone, fresh or member_mark(request, zone, context.get("until"), context.get("of_lock")))


def member_mark(request: HttpRequest, zone: str, until: datetime | None = None, of_lock: OfLock | None = None) -> Mark:
    """The mark of a page of the member's workspace; `of_lock`: the lock that it is about."""
    asked = cast(MemberRequest, request)
    used, who = asked.membership, asked.session.session_key or ""
    drawn_from = mark(who, used.workspace_id, used.changes, zone, until)
    if asked.look:
        return drawn_from
    drawn_from = replace(drawn_from, workspace=used.workspace_id)
    if of_lock is None:
        return drawn_from
    own = _own(who, used.workspace_id, of_lock.lock, used.wide_changes + of_lock.changes)
    return replace(drawn_from, lock=of_lock.lock, own=own, drawn_at=now())


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return False


def _source(who: str, workspace: UUID, number: int) -> str:
    return salted_hmac("portal.live", f"{who}:{workspace}:{number}", algorithm="sha256").hexdigest()[:32]


def _own(who: str, workspace: UUID, lock: UUID, number: int) -> str:
    """`number`: the lock's and that of the workspace's changes that concern no single lock, together."""
    sealed = f"{who}:{workspace}:{lock}:{number}"
    return salted_hmac("portal.live.lock", sealed, algorithm="sha256").hexdigest()[:32]


def _stamp(instant: datetime) -> str:
    return f"{instant.timestamp() * 1000:.0f}"


def _moment(stamp: str) -> datetime:
    return datetime.fromtimestamp(int(stamp) / 1000, UTC)


def _refreshed(response: HttpResponse, zone: str, fresh: Mark | None = None) -> HttpResponse:
    instant = now()
    told = {"at": instant.isoformat(timespec="seconds"), "words": clock_words(instant, zone)}
    if fresh:
        told["mark"] = str(fresh)
    response["HX-Trigger"] = json.dumps({"refreshed": told})
    response["Cache-Control"] = "no-store"
    return response
