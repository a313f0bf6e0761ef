"""The guest's page: no sign-in, an unguessable address, nothing cached, indexed or passed on."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from codes.guest import Stage, at_the_door, shown_to_guest
from codes.models import AccessCode
from portal.live import Live, changed_parts


@require_safe
@never_cache
@login_not_required
def guest_page(request: HttpRequest, token: str) -> HttpResponse:
    """The PIN that opens the guest's door now, or when it will be here, or whom to call."""
    codes = AccessCode.objects.select_related("device__property__workspace")
    code = codes.filter(guest_token=token, kind=AccessCode.Kind.TIME_BOUND).first()
    if code is None:
        raise Http404
    door = at_the_door(code)
    if door.stage == Stage.PIN:
        shown_to_guest(door)
    place = code.device.property
    context = {"door": door, "code": code, "place": place, "zone": place.time_zone}
    if request.htmx:  # type: ignore[attr-defined]
        response = changed_parts(request, "codes/guest.html#parts", context, zone=place.time_zone)
    else:
        response = render(request, "codes/guest.html", {**context, "live": Live()})
    response["Cache-Control"] = "no-store, private"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
