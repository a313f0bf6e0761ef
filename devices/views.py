"""Pages about locks: the list, one lock, adding and removing."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from devices import listing, services
from devices.forms import HubForm
from devices.models import Device, Pin
from devices.month import activity_and_month
from portal.access import MemberRequest, may_change, may_reveal, member
from portal.forms import add_errors
from portal.live import Live, changed_parts


def device_or_404(request: MemberRequest, pk: UUID) -> Device:
    """The workspace's lock, with what its page needs; another workspace's, or a removed one, is not found."""
    found = Device.objects.of(request.membership.workspace)
    return get_object_or_404(found.select_related("property", "hub", "backup_pool__acknowledged_by"), pk=pk)


@require_safe
@member
def device_list(request: MemberRequest) -> HttpResponse:
    return render(request, "devices/device_list.html", {**_list_context(request), "live": Live()})


@require_safe
@member
def device_list_live(request: MemberRequest) -> HttpResponse:
    return changed_parts(request, "devices/device_list_live.html", _list_context(request), zone="UTC")


@require_safe
@member
def device(request: MemberRequest, pk: UUID) -> HttpResponse:
    return render(request, "devices/device.html", {**_device_context(request, pk), "live": Live()})


@require_safe
@member
def device_live(request: MemberRequest, pk: UUID) -> HttpResponse:
    """What the page's poll asks for, and its filter."""
    context = _device_context(request, pk)
    response = changed_parts(request, "devices/device_live.html", context, zone=listing.zone_of(context["device"]))
    if request.htmx.trigger == "filter":
        words = {name: value for name, value in context["filter"].items() if value}
        response["HX-Replace-Url"] = f"{resolve_url('device', pk)}?{urlencode(words)}"
    return response


@require_POST
@may_reveal
def device_check(request: MemberRequest, pk: UUID) -> HttpResponse:
    device = device_or_404(request, pk)
    services.check_lock(device, actor=request.user)
    messages.info(request, _("Checking the lock now. What it answers appears on this page."))
    return redirect("device", device.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def hub_add(request: MemberRequest) -> HttpResponse:
    workspace = request.membership.workspace
    form = HubForm(request.POST or None, workspace=workspace)
    if form.is_valid():
        try:
            hub = services.add_hub(workspace=workspace, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, _("“%(hub)s” is added. Its locks appear here as it answers.") % {"hub": hub})
            return redirect("device_list")
    return render(request, "devices/hub_add.html", {"form": form, "section": "devices"})


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def device_remove(request: MemberRequest, pk: UUID) -> HttpResponse:
    device = device_or_404(request, pk)
    if request.method == "POST":
        services.remove_lock(device, actor=request.user)
        messages.info(request, _("“%(lock)s” is being removed. Its codes are taken off first.") % {"lock": device})
        return redirect("device", device.pk)
    on_lock = Pin.objects.filter(device=device).maybe_on_lock()
    context = {
        "device": device,
        "guests": on_lock.filter(priority=Pin.Priority.PERSON).count(),
        "spares": on_lock.filter(priority=Pin.Priority.SPARE).count(),
        "offline": listing.unreachable(device),
        "section": "devices",
    }
    return render(request, "devices/device_remove.html", context)


def _list_context(request: MemberRequest) -> dict[str, object]:
    words = request.GET.get("q", "").strip()
    hubs = listing.hubs_to_mention(request.membership.workspace)
    return {
        "page": listing.page_of(request.membership.workspace, words, request.GET.get("page")),
        "q": words,
        "outages": [hub for hub in hubs if hub.down_since],
        "looking": [hub for hub in hubs if not hub.down_since],
        "section": "devices",
    }


def _device_context(request: MemberRequest, pk: UUID) -> dict[str, Any]:
    device = device_or_404(request, pk)
    activity, month = activity_and_month(device)
    return {
        "device": device,
        "zone": listing.zone_of(device),
        "activity": activity,
        "month": month,
        "filter": {"q": request.GET.get("q", "").strip(), "show": request.GET.get("show", "")},
        "section": "devices",
    }
