"""Removing a lock: asking first, forcing the end where it never answers, what is left then, taking it back."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from devices import listing, removal, services
from devices.models import Device, Pin
from devices.views import device_or_404
from portal.access import MemberRequest, may_change, member


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


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def device_mark_removed(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The end of a removal, for a lock that will never answer: said beforehand is which codes may still open it."""
    device = device_or_404(request, pk, removed=True)
    if device.removal == Device.Removal.REMOVED:
        return redirect("device_removed", device.pk)
    if device.removal == Device.Removal.KEPT:
        messages.error(request, _("Remove the lock first: its codes are taken off before it goes."))
        return redirect("device", device.pk)
    if request.method == "POST":
        return _force(request, device)
    context = {"device": device, "left": services.left_on(device), "zone": listing.zone_of(device)}
    return render(request, "devices/device_mark_removed.html", {**context, "section": "devices"})


@require_safe
@member
def device_removed(request: MemberRequest, pk: UUID) -> HttpResponse:
    """What is known of a lock that was removed, and what may still open it."""
    device = device_or_404(request, pk, removed=True)
    if device.removal != Device.Removal.REMOVED:
        return redirect("device", device.pk)
    context = {"gone": removal.departure_of(device), "device": device, "zone": listing.zone_of(device)}
    return render(request, "devices/device_removed.html", {**context, "section": "devices"})


@require_POST
@may_change
def device_restore(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Take the removal back."""
    device = device_or_404(request, pk, removed=True)
    services.restore_lock(device, actor=request.user)
    told = _("“%(lock)s” is in use again. Its backup codes come by themselves; guests’ codes are to be added anew.")
    messages.success(request, told % {"lock": device})
    return redirect("device", device.pk)


def _force(request: MemberRequest, device: Device) -> HttpResponse:
    try:
        left = services.mark_removed(device, actor=request.user)
    except ValidationError:  # it ended by itself, or was taken back, a moment ago
        return redirect("device", device.pk)
    if left:
        told = ngettext(
            "“%(lock)s” is removed. %(count)d code may still open it.",
            "“%(lock)s” is removed. %(count)d codes may still open it.",
            len(left),
        )
        messages.warning(request, told % {"lock": device, "count": len(left)})
    return redirect("device_removed", device.pk)
