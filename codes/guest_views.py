"""The guest's page: no sign-in, an unguessable address, nothing cached, indexed or passed on."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from codes.guest import Booking, booking_of, not_working, opened_by_guest
from codes.models import AccessCode
from portal.context import bind
from portal.guessing import slow_to_guess
from portal.live import Live, changed_parts


@require_safe
@never_cache
@login_not_required
@slow_to_guess
def guest_page(request: HttpRequest, token: str) -> HttpResponse:
    """The PINs that open the guest's doors now, or when they will be here, or whom to call."""
    booking = _booking_or_404(token)
    refreshed = bool(request.htmx)  # type: ignore[attr-defined]
    opened_by_guest(booking.doors, page=not refreshed)
    place = booking.opened.device.property
    context = {"booking": booking, "place": place, "zone": place.time_zone, "token": token}
    if refreshed:
        response = changed_parts(request, "codes/guest.html#parts", context, zone=place.time_zone)
    else:
        response = render(request, "codes/guest.html", {**context, "live": Live()})
    return _private(response)


@csrf_exempt  # whoever knows the address may press it; and a page that sends no referrer cannot pass the check
@require_POST
@never_cache
@login_not_required
@slow_to_guess
def guest_not_working(request: HttpRequest, token: str) -> HttpResponse:
    """ "My code is not working", for one door."""
    booking = _booking_or_404(token)
    for door in booking.doors:
        if str(door.code.pk) == request.POST.get("door"):
            not_working(door)
    return _private(redirect("guest_page", token))


def _booking_or_404(token: str) -> Booking:
    codes = AccessCode.objects.select_related("device__property__workspace")
    code = codes.by_guest_token(token)
    if code is None:
        raise Http404
    bind(code=code.pk, lock=code.device_id)
    return booking_of(code)


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
