"""Pages about locks: the list, one lock, what is written about one."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import UUIDField
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from devices import listing, removal, services
from devices.forms import LockForm
from devices.models import Device
from devices.month import activity_and_month
from portal.access import MemberRequest, may_change, may_reveal, member
from portal.changes import narrow_number_of
from portal.forms import add_errors
from portal.live import Live, OfLock, changed_parts, unless_unchanged
from portal.prepared import Given, Prepared

LOCK = Prepared(
    lambda: (
        Device.objects.filter(pk=Given("pk", UUIDField()), property__workspace=Given("workspace", UUIDField()))
        .select_related("property", "hub", "backup_pool__acknowledged_by")
        .annotate(changes=narrow_number_of("pk"))
    )
)


def device_or_404(request: MemberRequest, pk: UUID, *, removed: bool = False) -> Device:
    """The workspace's lock, with what its page needs; another workspace's is not found, nor a removed one."""
    for device in LOCK(pk=pk, workspace=request.membership.workspace_id):
        if removed or device.removal != Device.Removal.REMOVED:
            return device
    raise Http404


@require_safe
@member
def device_list(request: MemberRequest) -> HttpResponse:
    return render(request, "devices/device_list.html", {**_list_context(request), "live": Live()})


@require_safe
@member
@unless_unchanged
def device_list_live(request: MemberRequest) -> HttpResponse:
    return changed_parts(request, "devices/device_list_live.html", _list_context(request), zone="UTC")


@require_safe
@member
def device(request: MemberRequest, pk: UUID) -> HttpResponse:
    device = device_or_404(request, pk, removed=True)
    if device.removal == Device.Removal.REMOVED:
        return redirect("device_removed", pk)
    return render(request, "devices/device.html", {**_device_context(request, device), "live": Live()})


@require_safe
@member
@unless_unchanged
def device_live(request: MemberRequest, pk: UUID) -> HttpResponse:
    """What the page's poll asks for, and its filter. When the lock is gone, so is the page."""
    device = device_or_404(request, pk, removed=True)
    if device.removal == Device.Removal.REMOVED:
        return HttpResponseClientRedirect(resolve_url("device_removed", pk))
    context = _device_context(request, device)
    response = changed_parts(request, "devices/device_live.html", context, zone=listing.zone_of(device))
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
def device_edit(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Its name, and the property it is in."""
    device = device_or_404(request, pk)
    form = LockForm(request.POST or None, device=device)
    if form.is_valid():
        try:
            services.change_lock(device, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, _("“%(lock)s” is saved.") % {"lock": form.cleaned_data["name"]})
            return redirect("device", device.pk)
    return render(request, "devices/device_edit.html", {"form": form, "device": device, "section": "devices"})


def _list_context(request: MemberRequest) -> dict[str, object]:
    words = request.GET.get("q", "").strip()
    hubs = listing.hubs_to_mention(request.membership.workspace)
    return {
        "page": listing.page_of(request.membership.workspace, words, request.GET.get("page")),
        "q": words,
        "outages": [hub for hub in hubs if hub.down_since],
        "looking": [hub for hub in hubs if not hub.down_since],
        "searching": any(hub.searching_since for hub in hubs),
        "haunted": removal.haunted(request.membership.workspace),
        "section": "devices",
    }


def _device_context(request: MemberRequest, device: Device) -> dict[str, Any]:
    activity, month = activity_and_month(device)
    return {
        "device": device,
        "of_lock": OfLock(device.pk, device.changes),  # type: ignore[attr-defined]  # annotated
        "zone": listing.zone_of(device),
        "left": services.left_on(device) if device.removal == Device.Removal.REMOVING else [],
        "activity": activity,
        "month": month,
        "filter": {"q": request.GET.get("q", "").strip(), "show": request.GET.get("show", "")},
        "section": "devices",
    }
