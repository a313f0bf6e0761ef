"""What is said when a page could not be made."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token

AWAY = 5  # seconds until another try makes sense


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """500; or, while the database is away, 503 and when to come back: browsers, proxies and monitors wait for that."""
    if isinstance(sys.exception(), (OperationalError, InterfaceError)):
        page = render_to_string("503.html")
        return HttpResponse(page, status=503, headers={"Retry-After": str(AWAY)})
    return HttpResponse(render_to_string("500.html"), status=500)
