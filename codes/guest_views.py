"""The guest's page: no sign-in, an unguessable address, nothing cached, indexed or passed on."""

from functools import lru_cache
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from codes.guest import booking_of, not_working, opened_by_guest
from codes.guest_link import code_id_of
from codes.models import AccessCode
from portal.changes import number, number_of
from portal.context import bind
from portal.guessing import slow_to_guess
from portal.live import Live, Mark, changed_parts, mark, nothing_new

PLACE = "device__property__workspace"


@require_safe
@never_cache
@login_not_required
@slow_to_guess
def guest_page(request: HttpRequest, token: str) -> HttpResponse:
    """The PINs that open the guest's doors now, or when they will be here, or whom to call."""
    code, number = _code_or_404(token)
    refreshed = bool(request.htmx)  # type: ignore[attr-defined]
    workspace = code.device.property.workspace_id
    booking = booking_of(code)
    opened_by_guest(booking.doors, page=not refreshed)
    place = booking.opened.device.property
    drawn_from = mark(token, workspace, number, place.time_zone, booking.until)
    context = {"booking": booking, "place": place, "zone": place.time_zone, "token": token, "mark": drawn_from}
    if refreshed:
        response = changed_parts(request, "codes/guest.html#parts", context, zone=place.time_zone, fresh=drawn_from)
    else:
        response = render(request, "codes/guest.html", {**context, "live": Live()})
    return _private(response)


def _unchanged(brought: Mark, token: str) -> HttpResponse | None:
    """The answer to the page's own poll, if nothing has changed.

    Its mark was sealed for this link, so nobody guesses; another link for the code is a change.
    """
    claimed = code_id_of(token)
    if claimed is None:
        return None
    try:
        workspace = _workspace_of(claimed)
    except AccessCode.DoesNotExist:
        return None
    answer = nothing_new(brought, token, workspace, number(workspace))
    return _private(answer) if answer else None


guest_page.unchanged = _unchanged  # type: ignore[attr-defined]  # for `portal.quick_polls`


@lru_cache(maxsize=10_000)
def _workspace_of(code: UUID) -> UUID:
    """Raises AccessCode.DoesNotExist. A code stays in its workspace; and by another's number no mark would hold."""
    found: UUID = AccessCode.objects.values_list(PLACE, flat=True).get(pk=code)
    return found


@csrf_exempt  # whoever knows the address may press it; and a page that sends no referrer cannot pass the check
@require_POST
@never_cache
@login_not_required
@slow_to_guess
def guest_not_working(request: HttpRequest, token: str) -> HttpResponse:
    """ "My code is not working", for one door."""
    booking = booking_of(_code_or_404(token)[0])
    for door in booking.doors:
        if str(door.code.pk) == request.POST.get("door"):
            not_working(door)
    return _private(redirect("guest_page", token))


def _code_or_404(token: str) -> tuple[AccessCode, int]:
    """The code whose link it is, and its workspace's number of changes."""
    codes = AccessCode.objects.select_related(PLACE)
    code = codes.annotate(number=number_of(PLACE)).by_guest_token(token)
    if code is None:
        raise Http404
    bind(code=code.pk, lock=code.device_id)
    number: int = code.number  # type: ignore[attr-defined]  # annotated
    return code, number


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
