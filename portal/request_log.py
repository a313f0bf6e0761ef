"""One log line a request, and the ids that all lines of it carry: the request's own, the person's, lock and code."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from portal import scrub
from portal.context import bind, forget
from portal.tally import flush

logger = logging.getLogger("portal.access")

type Handler = Callable[[HttpRequest], HttpResponseBase]

HEADER, GIVEN = "X-Request-ID", "HTTP_X_REQUEST_ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
QUIET = {"/healthz", "/readyz", "/metrics"}  # asked every few seconds
KINDS = {"device": "lock", "pool": "lock", "code": "code", "property": "property"}  # what a page's id is of


class RequestLog:
    """Give each request its id, the caller's own if that is well-formed, and say how it went. The id is echoed."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        bind(request=_id_of(request))
        began = time.monotonic()
        try:
            response = self.get_response(request)
            response[HEADER] = _id_of(request)
            flush()  # what the request counted, a pull for one; mostly nothing
            if request.path not in QUIET:
                _say(request, response.status_code, time.monotonic() - began)
            return response
        finally:
            forget()


def bind_whom(get_response: Handler) -> Handler:
    """Bind the person where one must be signed in, and the lock or code that the page is of."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    def process_view(request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if getattr(view, "login_required", True) and request.user.is_authenticated:
            bind(user=request.user.pk)
        match = request.resolver_match
        kind = KINDS.get((match.url_name or "").partition("_")[0]) if match else None
        if "device_id" in kwargs:
            bind(lock=kwargs["device_id"])
        elif kind and "pk" in kwargs:
            bind(**{kind: kwargs["pk"]})

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware


def _id_of(request: HttpRequest) -> str:
    known: str | None = getattr(request, "id", None)
    if known is None:
        given = request.META.get(GIVEN, "")
        known = request.id = given if WELL_FORMED.fullmatch(given) else uuid.uuid4().hex  # type: ignore[attr-defined]
    return known


def _say(request: HttpRequest, status: int, seconds: float) -> None:
    path = scrub.text(request.path)
    said = {"method": request.method, "path": path, "status": status, "seconds": round(seconds, 3)}
    logger.info("%s %s %d", request.method, path, status, extra=said)
