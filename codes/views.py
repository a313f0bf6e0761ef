"""Pages about one access code: its own, its PIN, a backup for it, cancelling."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups.models import BackupCode
from codes import booking, services
from codes.cover import current, door_pin
from codes.forms import CancelCodeForm
from codes.guest import settle_report
from codes.listing import code_row
from codes.models import AccessCode, CodePin
from codes.page import page_of
from portal.access import MemberRequest, may_change, may_reveal, member
from portal.changes import narrow_number_of
from portal.clock import now
from portal.live import Live, OfLock, changed_parts, unless_unchanged


def code_or_404(request: MemberRequest, pk: UUID) -> AccessCode:
    """The workspace's code with its lock and PINs; another workspace's is not found."""
    given = CodePin.objects.select_related("pin__backup_code").order_by("pk")
    mine = AccessCode.objects.of(request.membership.workspace).annotate(changes=narrow_number_of("device"))
    mine = mine.select_related("device__property__workspace", "device__hub")
    return get_object_or_404(mine.prefetch_related(Prefetch("code_pins", given)), pk=pk)


@require_safe
@member
def code(request: MemberRequest, pk: UUID) -> HttpResponse:
    return render(request, "codes/code.html", {**_code_context(request, pk), "live": Live()})


@require_safe
@member
@unless_unchanged
def code_live(request: MemberRequest, pk: UUID) -> HttpResponse:
    context = _code_context(request, pk)
    return changed_parts(request, "codes/code_live.html", context, zone=str(context["zone"]))


@require_POST
@never_cache
@may_reveal
def code_reveal(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The PIN that works now, once, for this person: as a part of the list or as a page of its own."""
    code = code_or_404(request, pk)
    return _shown(request, code)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@may_reveal
def code_backup(request: MemberRequest, pk: UUID) -> HttpResponse:
    """ "Use a backup code now", asked once more first. Pressed twice it is the same backup."""
    code = code_or_404(request, pk)
    held = current(code, CodePin.Role.BACKUP)
    if request.method == "POST":
        return _pull(request, code)
    ready = BackupCode.objects.ready().filter(pool__device=code.device).count()
    context = {"code": code, "ready": ready, "held": held, "zone": code.device.property.time_zone}
    return render(request, "codes/code_backup.html", {**context, "section": "codes"})


@require_POST
@may_reveal
def code_settled(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Somebody made sure that the guest who reported the PIN is in."""
    code = code_or_404(request, pk)
    settle_report(code, actor=request.user)
    messages.success(request, _("Settled: %(name)s can open the door.") % {"name": code.name})
    return redirect("code", code.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def code_cancel(request: MemberRequest, pk: UUID) -> HttpResponse:
    code = code_or_404(request, pk)
    typed = request.POST if request.method == "POST" else None
    form = CancelCodeForm(typed, others=booking.other_doors(code))
    if request.method == "POST" and form.is_valid():
        codes = [code, *form.cleaned_data.get("also", ())]
        booking.cancel_codes(codes, actor=request.user)
        told = ngettext(
            "%(name)s’s code is cancelled. It leaves the lock.",
            "%(name)s’s codes are cancelled on %(count)d locks. They leave the locks.",
            len(codes),
        )
        messages.success(request, told % {"name": code.name, "count": len(codes)})
        return redirect("device", code.device_id)
    context = {
        "code": code,
        "form": form,
        "zone": code.device.property.time_zone,
        "staying": code.ended_at is None and bool(code.starts_at and code.starts_at <= now()),
        "section": "codes",
    }
    return render(request, "codes/code_cancel.html", context)


def _pull(request: MemberRequest, code: AccessCode) -> HttpResponse:
    try:
        backup = services.pull_backup(code, actor=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("code", code.pk)
    if backup is None:
        messages.error(request, _("No backup code is ready on this lock. Contact support, or let the guest in."))
        return redirect("code", code.pk)
    told = {"backup": backup, "name": code.name}
    messages.success(request, _("%(backup)s now opens the door for %(name)s.") % told)
    if "show" in request.POST:  # at the phone every press counts
        return _shown(request, code_or_404(request, code.pk))
    return redirect("code", code.pk)


def _shown(request: MemberRequest, code: AccessCode) -> HttpResponse:
    secret = services.reveal(code, actor=request.user)
    pin = door_pin(code)
    context = {
        "code": code,
        "zone": code.device.property.time_zone,
        "digits": secret.reveal() if secret else "",
        "pin_id": pin.pk if pin else None,
        "section": "codes",
    }
    return render(request, "codes/pin.html#shown" if request.htmx else "codes/pin.html", context)


def _code_context(request: MemberRequest, pk: UUID) -> dict[str, object]:
    code = code_or_404(request, pk)
    return {
        "code": code,
        "device": code.device,
        "of_lock": OfLock(code.device_id, code.changes),  # type: ignore[attr-defined]  # annotated
        "zone": code.device.property.time_zone,
        "row": code_row(code, code.device),
        "about": page_of(code),
        "link": request.build_absolute_uri(resolve_url("guest_page", code.guest_token)),
        "section": "codes",
    }
