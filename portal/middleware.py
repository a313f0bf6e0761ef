"""What every request gets: a readable address, its membership, and a whole sign-in page when its session is over."""

from collections.abc import Callable
from typing import cast
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.functional import SimpleLazyObject
from django_htmx.http import HttpResponseClientRedirect

from portal.access import membership_of

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


def membership(get_response: Handler) -> Handler:
    """Put `request.membership` there, read from the database when first asked for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.membership = SimpleLazyObject(lambda: membership_of(request))  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


def _back_to(request: HttpRequest) -> str:
    path = cast(str | None, request.htmx.current_url_abs_path)  # type: ignore[attr-defined]
    return f"?next={quote(path)}" if path else ""
