"""What pages say about locks: reachable, battery, likely cause of trouble; the pages of the list. Reads only."""

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from devices.models import Device, Hub, Pin
from portal.clock import now
from portal.models import Workspace
from portal.moments import clock

A_PAGE = 50
LOW_BATTERY = 20  # percent

type Words = str | SafeString | Promise


@dataclass(frozen=True, slots=True)
class Fact:
    """A few words and how they look: ok, info, wait, warn, bad or quiet."""

    words: Words
    tone: str


def zone_of(device: Device) -> str:
    return device.property.time_zone


def connection(device: Device) -> Fact:
    """Whether the lock can be reached, as last seen; a hub that is down speaks for its locks."""
    if device.hub.down_since:
        return Fact(format_html(_("Hub unreachable since {}"), clock(device.hub.down_since, zone_of(device))), "bad")
    if device.online == Device.Online.NO and device.online_since:
        return Fact(format_html(_("Offline since {}"), clock(device.online_since, zone_of(device))), "bad")
    if device.online == Device.Online.NO:
        return Fact(_("Offline"), "bad")
    if device.online == Device.Online.YES:
        return Fact(_("Online"), "ok")
    return Fact(_("Not reached yet"), "wait")


def battery(device: Device) -> Fact:
    if device.battery is None:
        return Fact(_("Battery not reported"), "quiet")
    if device.battery <= LOW_BATTERY:
        return Fact(_("Battery low: %(percent)d%%") % {"percent": device.battery}, "warn")
    return Fact(_("Battery %(percent)d%%") % {"percent": device.battery}, "quiet")


def busy(device: Device) -> bool:
    """Whether a turn is due or going on: the page is worth looking at again soon."""
    due = device.next_sync_at is not None and device.next_sync_at <= now()
    return due or device.removal == Device.Removal.REMOVING or device.caps is None


def unreachable(device: Device) -> bool:
    return device.hub.down_since is not None or device.online == Device.Online.NO


def full(device: Device, used: int) -> bool:
    """Whether every space on the lock is used. `used`: PINs of ours that may be on it."""
    slots = device.caps.slots if device.caps else None
    return slots is not None and used + len(device.unmanaged) >= slots


def likely_cause(device: Device, used: int) -> Words:
    """Why codes do not get onto this lock, as measured; "" when nothing was measured that would explain it."""
    zone = zone_of(device)
    if device.hub.down_since:
        return format_html(
            _("the hub “{}” has not answered since {}"), device.hub.name, clock(device.hub.down_since, zone)
        )
    if device.online == Device.Online.NO:
        if device.online_since:
            return format_html(_("offline since {}"), clock(device.online_since, zone))
        return _("offline")
    if full(device, used):
        slots = device.caps.slots if device.caps else 0
        return _("%(slots)d of %(slots)d spaces used") % {"slots": slots}
    return _failing_calls(device)


def _failing_calls(device: Device) -> Words:
    count = device.trouble_count
    if not device.trouble or not count:
        return ""
    if device.trouble == Pin.Trouble.PROVIDER:
        return ngettext(
            "%(count)d error of the lock maker’s system",
            "%(count)d errors of the lock maker’s system in a row",
            count,
        ) % {"count": count}
    reason = Pin.Trouble(device.trouble).label
    times = ngettext("%(count)d time", "%(count)d times in a row", count) % {"count": count}
    return _("%(reason)s (%(times)s)") % {"reason": reason, "times": times}


def page_of(workspace: Workspace, words: str, number: str | None) -> Page[Device]:
    """One page of the workspace's locks, all words found in lock, property, make or model."""
    found: QuerySet[Device] = Device.objects.of(workspace).select_related("property", "hub")
    for word in words.split():
        found = found.filter(
            Q(name__icontains=word)
            | Q(property__name__icontains=word)
            | Q(make__icontains=word)
            | Q(model__icontains=word)
        )
    return Paginator(found.order_by("property__name", "name", "pk"), A_PAGE).get_page(number)


def hubs_to_mention(workspace: Workspace) -> list[Hub]:
    """Hubs that are down, and those whose locks have not been found yet; each with `locks`, how many it has."""
    kept = Count("devices", filter=~Q(devices__removal=Device.Removal.REMOVED))
    return list(
        Hub.objects.filter(workspace=workspace)
        .annotate(locks=kept)
        .filter(Q(down_since__isnull=False) | ~Exists(Device.objects.filter(hub=OuterRef("pk"))))
        .order_by("down_since", "name")
    )
