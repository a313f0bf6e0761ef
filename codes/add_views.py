"""Adding a code: to one lock, or to several doors for one guest."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from codes import booking, edit_words
from codes.forms import AddCodeForm
from codes.models import AccessCode
from codes.suggestion import suggested
from devices.models import Device
from portal import once
from portal.access import MemberRequest, may_change
from portal.forms import add_errors


@require_safe
@may_change
def code_new(request: MemberRequest) -> HttpResponse:
    """From the list of all codes: the lock comes first."""
    mine = Device.objects.of(request.membership.workspace).filter(removal=Device.Removal.KEPT)
    devices = mine.select_related("property").order_by("property__name", "property", "name")
    return render(request, "codes/code_new.html", {"devices": devices, "section": "codes"})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("pin", "offered")
@never_cache
@may_change
def code_add(request: MemberRequest, device_id: UUID) -> HttpResponse:
    mine = Device.objects.of(request.membership.workspace).select_related("property")
    device = get_object_or_404(mine, pk=device_id)
    others = list(
        mine.filter(property=device.property_id, removal=Device.Removal.KEPT).exclude(pk=device.pk).order_by("name")
    )
    if "suggest" in request.POST:
        return _add_page(request, device, _with_suggestion(request, device, others))
    form = AddCodeForm(_typed(request), device=device, others=others)
    if not form.is_valid():
        return _add_page(request, device, form)
    try:
        with transaction.atomic():
            if not once.first_time(form.cleaned_data["once"]):
                return redirect("device", device.pk)
            codes = booking.add_codes(actor=request.user, **form.values())
    except ValidationError as error:
        add_errors(form, error)
        return _add_page(request, device, form)
    _say(request, codes)
    return redirect("device", device.pk)


def _typed(request: MemberRequest) -> dict[str, object] | None:
    """What was typed; with the PIN we offered in place of one that a lock would not take, if that was pressed."""
    if request.method != "POST":
        return None
    typed: dict[str, object] = {**request.POST.dict(), "also": request.POST.getlist("also")}
    return {**typed, "pin": typed["offered"]} if typed.get("offered") else typed


def _say(request: MemberRequest, codes: Sequence[AccessCode]) -> None:
    told = {"name": codes[0].name, "count": len(codes), "reference": codes[0].booking_reference}
    added = ngettext(
        "Code added for %(name)s.", "Codes added for %(name)s on %(count)d locks, reference %(reference)s.", len(codes)
    )
    messages.success(request, added % told)
    if shared := booking.others_of_reference(codes):
        messages.warning(request, edit_words.one_link(codes[0].booking_reference, shared))


def _add_page(request: MemberRequest, device: Device, form: AddCodeForm) -> HttpResponse:
    offer = suggested(device) if "pin" in form.errors else ""
    context = {"device": device, "form": form, "suggested": "suggest" in request.POST, "offer": offer}
    return render(request, "codes/code_add.html", {**context, "section": "devices"})


def _with_suggestion(request: MemberRequest, device: Device, others: Sequence[Device]) -> AddCodeForm:
    """The form as it was typed, with a PIN in it; nothing is complained about yet."""
    typed = {**(_typed(request) or {}), "pin": suggested(device)}
    if not typed["pin"]:
        messages.error(request, _("All PINs that keep this lock’s rules are taken. Remove codes it no longer needs."))
    form = AddCodeForm(initial=typed, device=device, others=others)
    for name in ("starts_at", "ends_at"):
        form.fields[name].initial = typed.get(name)
    return form
