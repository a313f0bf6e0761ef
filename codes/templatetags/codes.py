"""Codes for templates of any app: a lock's list, the arrivals of the next days, the counts in the navigation."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import cast

from django import template
from django.template.context import Context, RequestContext
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from backups.status import PoolStatus
from codes import arrival_words, at_risk, listing, taken_on
from codes.arrivals import Arrival, Removal, Watch, watch
from codes.at_risk import Attention
from codes.cover import door_pin
from codes.forecast import Forecast, forecast
from codes.listing import CodeList, Row
from codes.lock_pins import LockPins
from codes.lock_pins import lock_pins as read_lock_pins
from codes.lock_troubles import LockTroubles, lock_troubles
from codes.models import AccessCode
from codes.notice_findings import arrival_near_since
from codes.status import OVERDUE
from codes.taken_on import Mark, Marks
from devices.listing import Fact, Words
from devices.models import Device
from devices.trouble import Outage
from portal.clock import now, wall_clock

register = template.Library()


@register.simple_tag
def lock_pins(device: Device) -> LockPins:
    """`{% lock_pins device as pins %}`: what is wanted on a lock and what was seen there, for pool and list."""
    return read_lock_pins(device)


@register.simple_tag
def code_list(device: Device, pins: LockPins, wanted: Mapping[str, str]) -> CodeList:
    """`{% code_list device pins filter as codes %}`: `wanted` holds `show` (a kind) and `q` (words)."""
    return listing.code_list(device, pins, show=wanted.get("show", ""), words=wanted.get("q", ""))


@register.simple_tag(takes_context=True)
def code_rows(context: RequestContext, rows: Iterable[Row], zone: str) -> SafeString:
    """`{% code_rows rows zone %}`: the lines of a lock's list."""
    may_reveal = bool(context["request"].membership.may_reveal)
    language, year = get_language(), wall_clock(now(), zone).year
    drawn = (drawn_row(row, zone, may_reveal, language, year) for row in rows)
    return mark_safe("".join(drawn))  # noqa: S308  rendered by the template engine


@lru_cache(maxsize=4096)  # some six megabytes in a process
def drawn_row(row: Row, zone: str, may_reveal: bool, language: str | None, year: int) -> SafeString:
    """A row as HTML. One that looks the same is not drawn twice: it is all of what a long list costs."""
    about = {"row": row, "zone": zone, "request": {"membership": {"may_reveal": may_reveal}}}
    return cast(SafeString, get_template("codes/_row.html").template.render(Context(about)))  # type: ignore[attr-defined]


@register.simple_tag
def slot_forecast(device: Device, pool: PoolStatus, codes: CodeList) -> Forecast | None:
    """`{% slot_forecast device pool codes as spaces %}`: whether the lock has room for what is planned."""
    return forecast(device, pool, codes.pins)


@register.simple_tag(takes_context=True)
def attention(context: RequestContext) -> Attention:
    """`{% attention as counts %}`: how many arrivals are at risk and how many warnings there are. Asked once a page.

    A poll takes counts that are a little older, for where much happens they are most of its cost. Then the page is
    marked as drawn from those changes, so that a later poll looks again.
    """
    request, live = context["request"], context.get("live")
    if hasattr(request, "attention") or live is None or live.seen is None:
        return _attention_now(context)
    used = request.membership
    lately = at_risk.attention_lately(used.workspace, used.changes, patient=True)
    used.changes = min(used.changes, lately.changes)
    return lately.counts


def _attention_now(context: RequestContext) -> Attention:
    request = context["request"]
    if not hasattr(request, "attention"):
        used = request.membership
        request.attention = at_risk.attention_lately(used.workspace, used.changes).counts
    found: Attention = request.attention
    return found


@register.simple_tag(takes_context=True)
def arrivals(context: RequestContext) -> Watch:
    """`{% arrivals as watch %}`: the workspace's arrivals of the next 72 hours and its overdue removals."""
    return watch(context["request"].membership.workspace)


@register.filter
def next_at(found: Watch, device: Device) -> Arrival | None:
    return found.next_by_lock.get(device.pk)


@register.filter
def at_risk_on(found: Watch, device: Device) -> list[Arrival]:
    """`{{ watch|at_risk_on:device }}`: guests of one lock who have no PIN that works, or soon will not."""
    return found.risky_by_lock.get(device.pk, [])


@register.filter
def by_arrival(outages: Iterable[Outage], found: Watch) -> list[Outage]:
    """Outages, that of the next arrival first, and so the locks of each."""
    sorted_inside = [replace(outage, devices=found.by_arrival(outage.devices)) for outage in outages]
    firsts = found.by_arrival(outage.devices[0] for outage in sorted_inside)
    place = {device.pk: number for number, device in enumerate(firsts)}
    return sorted(sorted_inside, key=lambda outage: place[outage.devices[0].pk])


@register.filter
def state(arrival: Arrival) -> Fact:
    return arrival_words.state(arrival)


@register.filter
def story(arrival: Arrival) -> SafeString:
    return arrival_words.story(arrival)


@register.filter
def age(removal: Removal) -> str:
    return arrival_words.age(removal)


@register.simple_tag(takes_context=True)
def marks(context: RequestContext) -> Marks:
    """`{% marks as taken %}`: which of the workspace's warnings somebody is on."""
    return _attention_now(context).marks


@register.filter
def on_uncovered(taken: Marks, code: AccessCode) -> Mark | None:
    """Who is on it that the guest has no working code."""
    return taken.of_uncovered(code)


@register.filter
def on_report(taken: Marks, code: AccessCode) -> Mark | None:
    """Who is on what the guest reported."""
    return taken.of_report(code)


@register.filter
def on_pin(taken: Marks, code: AccessCode) -> Mark | None:
    """Who is on it that the PIN which opens the door now is not the one that somebody saw."""
    opens = door_pin(code)
    return taken.of_pin(code, opens) if opens else None


@register.simple_tag
def on_arrival(taken: Marks, arrival: Arrival) -> Mark | None:
    """`{% on_arrival taken arrival as mark %}`: who is on what its row on home says."""
    if arrival.outdated and arrival.opens is not None:
        return taken.of_pin(arrival.code, arrival.opens)
    return taken.of_guest(arrival.code)


@register.simple_tag
def on_outage(taken: Marks, found: Watch, device: Device) -> Mark | None:
    """`{% on_outage taken watch device as mark %}`: who is on it that this lock, or its hub, is out of reach."""
    arrival = found.next_by_lock.get(device.pk)
    near = arrival_near_since(arrival.code) if arrival and arrival.soon else None
    return taken.of_outage(device, arrival_near_since=near)


@register.simple_tag
def on_removal(taken: Marks, found: Watch, device: Device) -> Mark | None:
    """`{% on_removal taken watch device as mark %}`: who is on it that old codes may still open this lock."""
    latest = max(removal.since for removal in found.removals if removal.code.device_id == device.pk)
    return taken.of_overdue(device, latest + OVERDUE)


@register.filter
def at_risk_alone(found: Watch, taken: Marks) -> int:
    """How many arrivals at risk nobody is on."""
    return sum(taken.of_guest(arrival.code) is None for arrival in found.risky)


@register.filter
def on_it(mark: Mark | None, zone: str) -> Words:
    """`Bob is on it since 14:02.`"""
    return taken_on.words(mark, zone)


@register.simple_tag(takes_context=True)
def troubles_of(context: RequestContext, device: Device, codes: CodeList) -> LockTroubles:
    """`{% troubles_of device codes as troubles %}`: what its page warns of besides the pool."""
    return lock_troubles(device, codes, lambda: _attention_now(context).marks)
