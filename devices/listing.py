"""What pages say about locks: reachable, battery, likely cause of trouble; the pages of the list. Reads only."""

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Window
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from devices.hubs import hubs_of
from devices.models import Device, Hub, Pin
from devices.providers.base import ReadBack
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
    """One page of the workspace's locks, all words found in lock, property, make or model.

    One query, but for a number past the end.
    """
    found: QuerySet[Device] = Device.objects.of(workspace).select_related("property", "hub")
    for word in words.split():
        found = found.filter(
            Q(name__icontains=word)
            | Q(property__name__icontains=word)
            | Q(make__icontains=word)
            | Q(model__icontains=word)
        )
    found = found.order_by("property__name", "name", "pk")
    pages = Paginator(found, A_PAGE)
    wanted = int(number) if number and number.isdecimal() and len(number) < 7 else 1
    rows = list(found.annotate(total=Window(Count("pk")))[max(wanted - 1, 0) * A_PAGE :][:A_PAGE])
    if not rows or not wanted:
        return pages.get_page(number)
    pages.count = rows[0].total  # so that it need not count once more
    return Page(rows, wanted, pages)


def hubs_to_mention(workspace: Workspace) -> list[Hub]:
    """Hubs that are down, that are being asked for their locks, or did not tell of any; each with `locks`."""
    untold = ~Exists(Device.objects.filter(hub=OuterRef("pk")))
    asked = Q(searching_since__isnull=False) | ~Q(search_silence=Hub.Silence.NONE)
    return list(hubs_of(workspace).filter(Q(down_since__isnull=False) | asked | untold).order_by("down_since", "name"))


def search_state(hub: Hub) -> Fact:
    """How the search for its locks goes, or went."""
    if hub.searching_since:
        return Fact(_("Looking for its locks"), "wait")
    if hub.search_silence:
        return Fact(_("Does not answer"), "bad")
    if hub.found is None:
        return Fact(_("Not asked yet"), "quiet")
    if not hub.found:
        return Fact(_("Has no locks"), "warn")
    return Fact(ngettext("%(count)d lock found", "%(count)d locks found", hub.found) % {"count": hub.found}, "ok")


def confirmed(device: Device) -> Words:
    """When all that is on the lock was last read from it."""
    if device.caps and device.caps.read_back is ReadBack.NONE:
        return _("This lock cannot confirm its codes")
    if device.read_at is None:
        return _("Codes not confirmed yet")
    return format_html(_("Codes confirmed {}"), clock(device.read_at, zone_of(device)))


def last_seen(device: Device) -> Words:
    """When it last answered; "" when nobody knows."""
    return format_html(_("Last seen {}"), clock(device.seen_at, zone_of(device))) if device.seen_at else ""


def unmanaged_places(device: Device) -> str:
    """`7`, `3 and 7`: where on the lock codes are that are not ours, as far as places have names people know."""
    return get_text_list([str(place) for place in device.unmanaged], _("and"))
