"""Pages about hubs: adding one and watching its locks being found, all hubs, changing, asking again, removing."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from devices import hubs
from devices.forms import HubForm, NewHubForm
from devices.models import Device, Hub
from portal.access import MemberRequest, may_change, member
from portal.forms import add_errors
from portal.live import Live, changed_parts


def hub_or_404(request: MemberRequest, pk: UUID) -> Hub:
    return get_object_or_404(hubs.hubs_of(request.membership.workspace).select_related("workspace", "property"), pk=pk)


@require_safe
@member
def hub_list(request: MemberRequest) -> HttpResponse:
    found = hubs.hubs_of(request.membership.workspace)
    return render(request, "devices/hub_list.html", {"hubs": found, "section": "devices"})


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def hub_add(request: MemberRequest) -> HttpResponse:
    workspace = request.membership.workspace
    form = NewHubForm(request.POST or None, workspace=workspace)
    if form.is_valid():
        try:
            hub = hubs.add_hub(workspace=workspace, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            return redirect("hub", hub.pk)
    return render(request, "devices/hub_add.html", {"form": form, "section": "devices"})


@require_safe
@member
def hub(request: MemberRequest, pk: UUID) -> HttpResponse:
    """How the search for its locks goes, and the locks as they appear."""
    return render(request, "devices/hub.html", {**_hub_context(request, pk), "live": Live()})


@require_safe
@member
def hub_live(request: MemberRequest, pk: UUID) -> HttpResponse:
    context = _hub_context(request, pk)
    return changed_parts(request, "devices/hub_live.html", context, zone=context["zone"])


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def hub_edit(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Its name, address and property. Saved, its locks are looked for there."""
    hub = hub_or_404(request, pk)
    initial = {"name": hub.name, "address": hub.address, "property": hub.property_id}
    form = HubForm(request.POST or None, workspace=request.membership.workspace, initial=initial)
    if form.is_valid():
        try:
            hubs.change_hub(hub, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            return redirect("hub", hub.pk)
    saved = hub_or_404(request, pk)
    return render(request, "devices/hub_edit.html", {"form": form, "hub": saved, "section": "devices"})


@require_POST
@may_change
def hub_search(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Look for its locks again."""
    hub = hub_or_404(request, pk)
    try:
        hubs.search(hub)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("hub_edit", hub.pk)
    return redirect("hub", hub.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def hub_remove(request: MemberRequest, pk: UUID) -> HttpResponse:
    hub = hub_or_404(request, pk)
    if request.method == "POST":
        try:
            hubs.remove_hub(hub, actor=request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect("hub", pk)
        messages.success(request, _("“%(hub)s” is removed.") % {"hub": hub})
        return redirect("hub_list")
    had_locks = Device.objects.filter(hub=hub).exists()
    return render(request, "devices/hub_remove.html", {"hub": hub, "had_locks": had_locks, "section": "devices"})


def _hub_context(request: MemberRequest, pk: UUID) -> dict[str, Any]:
    hub = hub_or_404(request, pk)
    found = list(Device.objects.filter(hub=hub).select_related("property", "hub").order_by("name", "pk"))
    return {
        "hub": hub,
        "zone": hub.property.time_zone if hub.property else "UTC",
        "devices": [device for device in found if device.removal != Device.Removal.REMOVED],
        "removed": [device for device in found if device.removal == Device.Removal.REMOVED],
        "section": "devices",
    }
