"""Words about a lock, for templates."""

from django import template

from devices import listing
from devices.listing import Fact
from devices.models import Device

register = template.Library()


@register.filter
def connection(device: Device) -> Fact:
    return listing.connection(device)


@register.filter
def battery(device: Device) -> Fact:
    return listing.battery(device)


@register.filter
def busy(device: Device) -> bool:
    return listing.busy(device)
