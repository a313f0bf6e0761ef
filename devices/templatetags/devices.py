"""Words about a lock, for templates."""

from django import template
from django.template.context import RequestContext

from devices import listing, trouble
from devices.listing import Fact, Words
from devices.models import Device, Hub
from devices.trouble import TroubledLocks

register = template.Library()


@register.filter
def connection(device: Device) -> Fact:
    return listing.connection(device)


@register.filter
def battery(device: Device) -> Fact:
    return listing.battery(device)


@register.filter
def confirmed(device: Device) -> Words:
    return listing.confirmed(device)


@register.filter
def last_seen(device: Device) -> Words:
    return listing.last_seen(device)


@register.filter
def unmanaged_places(device: Device) -> str:
    return listing.unmanaged_places(device)


@register.filter
def search_state(hub: Hub) -> Fact:
    return listing.search_state(hub)


@register.filter
def busy(device: Device) -> bool:
    return listing.busy(device)


@register.simple_tag(takes_context=True)
def troubled_locks(context: RequestContext) -> TroubledLocks:
    """`{% troubled_locks as locks %}`: the workspace's locks that are out of reach or low on battery."""
    return trouble.troubled_locks(context["request"].membership.workspace)
