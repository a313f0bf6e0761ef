"""A lock's code list, for the lock's page."""

from collections.abc import Mapping

from django import template

from backups.status import PoolStatus
from codes import listing
from codes.listing import CodeList
from devices.models import Device

register = template.Library()


@register.simple_tag
def code_list(device: Device, pool: PoolStatus, wanted: Mapping[str, str]) -> CodeList:
    """`{% code_list device pool filter as codes %}`: `wanted` holds `show` (a kind) and `q` (words)."""
    return listing.code_list(device, pool.codes, show=wanted.get("show", ""), words=wanted.get("q", ""))
