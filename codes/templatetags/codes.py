"""Codes for templates of any app: a lock's list, the arrivals of the next days, the counts in the navigation."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from django import template
from django.template.context import RequestContext
from django.utils.safestring import SafeString

from backups.status import PoolStatus
from codes import arrival_words, at_risk, listing, taken_on
from codes.arrivals import Arrival, Removal, Watch, watch
from codes.at_risk import Attention
from codes.forecast import Forecast, forecast
from codes.listing import CodeList
from codes.lock_troubles import LockTroubles, lock_troubles
from codes.models import AccessCode
from codes.notice_findings import arrival_near_since
from codes.status import OVERDUE
from codes.taken_on import Mark, Marks
from devices.listing import Fact, Words
from devices.models import Device
from devices.trouble import Outage

register = template.Library()


@register.simple_tag
def code_list(device: Device, pool: PoolStatus, wanted: Mapping[str, str]) -> CodeList:
    """`{% code_list device pool filter as codes %}`: `wanted` holds `show` (a kind) and `q` (words)."""
    return listing.code_list(device, pool.codes, show=wanted.get("show", ""), words=wanted.get("q", ""))


@register.simple_tag
def slot_forecast(device: Device, pool: PoolStatus, codes: CodeList) -> Forecast | None:
    """`{% slot_forecast device pool codes as spaces %}`: whether the lock has room for what is planned."""
    return forecast(device, pool, codes.pins)


@register.simple_tag(takes_context=True)
def attention(context: RequestContext) -> Attention:
    """`{% attention as counts %}`: how many arrivals are at risk and how many warnings there are. Asked once a page."""
    request = context["request"]
    if not hasattr(request, "attention"):
        request.attention = at_risk.attention(request.membership.workspace)
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
    return attention(context).marks


@register.filter
def on_guest(taken: Marks, code: AccessCode) -> Mark | None:
    return taken.of_guest(code)


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
    return lock_troubles(device, codes, attention(context).marks)
