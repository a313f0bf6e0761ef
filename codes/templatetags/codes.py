"""Codes for templates of any app: a lock's list, the arrivals of the next days, the counts in the navigation."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from django import template
from django.template.context import RequestContext
from django.utils.safestring import SafeString

from backups.status import PoolStatus
from codes import arrival_words, at_risk, listing
from codes.arrivals import Arrival, Removal, Watch, watch
from codes.at_risk import Attention
from codes.forecast import Forecast, forecast
from codes.listing import CodeList
from devices.listing import Fact
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
    """`{% attention as counts %}`: how many arrivals are at risk and how many warnings there are."""
    return at_risk.attention(context["request"].membership.workspace)


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
