"""What every request gets: a readable address, its membership, and a whole sign-in page when its session is over.

And what staff get who look at a workspace's portal: pages, and nothing that changes anything.
"""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from portal import look
from portal.access import membership_of
from portal.models import User

Handler = Callable[[HttpRequest], HttpResponse]


def no_nul(get_response: Handler) -> Handler:
    """Refuse an address with a NUL character in it, which no text of ours has and PostgreSQL takes in none.

    In a form each field says so itself.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("NUL in an address")
        return get_response(request)

    return middleware


def full_page_sign_in(get_response: Handler) -> Handler:
    """Turn a part's redirect to sign-in into one of the whole page, back to where the person was."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        sign_in = resolve_url(settings.LOGIN_URL)
        if getattr(request, "htmx", False) and response.get("Location", "").startswith(sign_in):
            return HttpResponseClientRedirect(sign_in + _back_to(request))
        return response

    return middleware


class ReadOnlyLook:
    """Hold a staff person's look at a portal to reading, and end it when its time or the person's right is over."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.look = look.look_of(request)  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        looking = look.look_of(request)
        if looking is None:
            return None
        if looking.over or not look.may_look(cast(User, request.user)):
            return _look_is_over(request)
        if not look.allowed(request):
            raise PermissionDenied(
                _("You are only looking: nothing is changed or shown beyond that. End the look first.")
            )
        return None


def _look_is_over(request: HttpRequest) -> HttpResponse | None:
    """Whatever was asked for is not done, for it was meant for the workspace that was looked at."""
    look.end(request)
    request.look = None  # type: ignore[attr-defined]
    if request.resolver_match and "admin" in request.resolver_match.namespaces:
        return None
    messages.info(request, _("Your look at the portal is over."))
    way_out = resolve_url("admin:index" if cast(User, request.user).is_staff else "home")
    return HttpResponseClientRedirect(way_out) if getattr(request, "htmx", False) else redirect(way_out)


def membership(get_response: Handler) -> Handler:
    """Put `request.membership` there, read from the database when first asked for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.membership = SimpleLazyObject(lambda: membership_of(request))  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


def _back_to(request: HttpRequest) -> str:
    path = cast(str | None, request.htmx.current_url_abs_path)  # type: ignore[attr-defined]
    return f"?next={quote(path)}" if path else ""
