"""Pages about properties: the list, adding one, what is written about one."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from devices import properties
from devices.models import Property
from devices.property_forms import NewPropertyForm, PropertyForm
from portal.access import MemberRequest, may_change, member
from portal.forms import add_errors


@require_safe
@member
def property_list(request: MemberRequest) -> HttpResponse:
    found = properties.properties_of(request.membership.workspace)
    return render(request, "devices/property_list.html", {"places": found, "section": "devices"})


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def property_add(request: MemberRequest) -> HttpResponse:
    workspace = request.membership.workspace
    initial = {"time_zone": properties.usual_zone(workspace)} if request.method != "POST" else None
    form = NewPropertyForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            place = properties.add_property(workspace, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, _("“%(place)s” is added. Now add its locks.") % {"place": place})
            return redirect("property_list")
    return render(request, "devices/property_edit.html", {"form": form, "section": "devices"})


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def property_edit(request: MemberRequest, pk: UUID) -> HttpResponse:
    place = get_object_or_404(Property, pk=pk, workspace=request.membership.workspace)
    form = PropertyForm(request.POST or None, instance=place)
    if form.is_valid():
        try:
            properties.change_property(place, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, _("“%(place)s” is saved.") % {"place": place})
            return redirect("property_list")
    saved = get_object_or_404(Property, pk=pk)
    return render(request, "devices/property_edit.html", {"form": form, "place": saved, "section": "devices"})
