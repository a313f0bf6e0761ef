"""Changing a code: its name and stay, its PIN, another try, the guest's link."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from codes import booking, change_pin, edit_words
from codes.cover import current, door_pin
from codes.forms import ChangePinForm, EditCodeForm
from codes.models import AccessCode, CodePin
from codes.suggestion import suggested
from codes.views import code_or_404
from devices import listing
from portal.access import MemberRequest, may_change
from portal.clock import now
from portal.forms import add_errors


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def code_edit(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Name, reference, stay. Says beforehand what carries over, and afterwards what an offline lock cannot know yet."""
    code = code_or_404(request, pk)
    points = edit_words.beforehand(code)
    form = EditCodeForm(request.POST or None, code=code, others=booking.other_doors(code))
    if code.cancelled_at is None and form.is_valid():
        codes = [code, *form.cleaned_data.get("also", ())]
        before = {one.pk: edit_words.Stay(one.starts_at, one.ends_at) for one in codes}
        try:
            booking.change_codes(codes, actor=request.user, **form.values())
        except ValidationError as error:
            code = code_or_404(request, pk)
            add_errors(form, error)
        else:
            changed = [code_or_404(request, one) for one in before]
            _say_changed(request, changed, before)
            if "booking_reference" in form.changed_data:
                _say_who_shares(request, changed)
            return redirect("code", code.pk)
    context = {"code": code, "form": form, "points": points, "zone": listing.zone_of(code.device)}
    return render(request, "codes/code_edit.html", {**context, "section": "codes"})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("pin", "offered")
@never_cache
@may_change
def code_pin(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Other digits. One that the lock would not take is answered with the rule it breaks and one that works."""
    code = code_or_404(request, pk)
    if request.method != "POST" or "suggest" in request.POST:
        return _pin_page(request, code, ChangePinForm(initial={"pin": suggested(code.device)}, device=code.device))
    form = ChangePinForm({"pin": request.POST.get("offered") or request.POST.get("pin", "")}, device=code.device)
    if form.is_valid():
        try:
            change_pin.change_pin(code, pin=form.cleaned_data["pin"], actor=request.user)
        except ValidationError as error:
            add_errors(form, error)
        else:
            code = code_or_404(request, pk)
            messages.success(request, _pin_words(code))
            return redirect("code", code.pk)
    return _pin_page(request, code, form)


@require_POST
@may_change
def code_retry(request: MemberRequest, pk: UUID) -> HttpResponse:
    code = code_or_404(request, pk)
    try:
        change_pin.try_again(code, actor=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.info(request, _("Trying again. What the lock answers appears on this page."))
    return redirect("code", code.pk)


@require_POST
@may_change
def code_link(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Another link for the guest; the old one leads nowhere from now on."""
    code = code_or_404(request, pk)
    booking.renew_link(code, actor=request.user)
    told = _("The old link leads nowhere from now on. Send %(name)s the new one.") % {"name": code.name}
    messages.success(request, told)
    return redirect("code", code.pk)


def _say_changed(request: MemberRequest, codes: Sequence[AccessCode], before: Mapping[UUID, edit_words.Stay]) -> None:
    """That it is done; and of each lock that cannot know yet, what that means."""
    changed = ngettext("%(name)s’s code is changed.", "%(name)s’s codes are changed on %(count)d locks.", len(codes))
    messages.success(request, changed % {"name": codes[0].name, "count": len(codes)})
    for code in codes:
        if words := edit_words.afterwards(code, before[code.pk]):
            told = format_html("{}: {}", code.device, words) if len(codes) > 1 else words
            messages.info(request, str(told))


def _say_who_shares(request: MemberRequest, codes: Sequence[AccessCode]) -> None:
    """Another guest has this reference too: each would see the other's PINs."""
    if others := booking.others_of_reference(codes):
        messages.warning(request, edit_words.one_link(codes[0].booking_reference, others))


def _pin_page(request: MemberRequest, code: AccessCode, form: ChangePinForm) -> HttpResponse:
    context = {
        "code": code,
        "form": form,
        "offer": suggested(code.device) if form.errors else "",
        "works": door_pin(code) is not None,
        "held": current(code, CodePin.Role.BACKUP),
        "staying": code.starts_at is None or code.starts_at <= now(),
        "offline": listing.unreachable(code.device),
        "section": "codes",
    }
    return render(request, "codes/code_pin.html", context)


def _pin_words(code: AccessCode) -> str:
    if current(code, CodePin.Role.NEXT) is None:
        return _("%(name)s gets the new PIN.") % {"name": code.name}
    return _("%(name)s gets the new PIN. The PIN from before opens the door until the lock has the new one.") % {
        "name": code.name
    }
