"""What monitors ask: does this process answer, does the portal do its work, and how much of what."""

import hmac
from dataclasses import asdict
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from portal.exposition import exposition
from portal.readiness import DATABASE_AWAY, problems


@require_safe
@never_cache
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when everything does its work, else 503: what is wrong, since when (null: it never worked), what to do."""
    try:
        found = problems()
    except Error:
        found = [DATABASE_AWAY]
    status = 503 if found else 200
    return JsonResponse({"ready": not found, "problems": [asdict(one) for one in found]}, status=status)


@require_safe
@never_cache
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, for who brings METRICS_TOKEN or asks from METRICS_NETWORKS.

    Neither set: open under DEBUG, else 404. With a token set, a wrong one gets 401. Without the database, 503.
    """
    if not _may_read(request):
        if not settings.METRICS_TOKEN:
            raise Http404
        return HttpResponse("A bearer token is needed.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    try:
        return HttpResponse(exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    except Error:
        return HttpResponse("The database does not answer.\n", status=503, content_type="text/plain")


def _may_read(request: HttpRequest) -> bool:
    if not settings.METRICS_TOKEN and not settings.METRICS_NETWORKS:
        return bool(settings.DEBUG)
    return _brings_token(request) or _comes_from_allowed_network(request)


def _brings_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted: str = settings.METRICS_TOKEN
    right = hmac.compare_digest(token.strip().encode(), wanted.encode())
    return bool(wanted) and scheme.lower() == "bearer" and right


def _comes_from_allowed_network(request: HttpRequest) -> bool:
    """By the connection's own address. What came through a proxy has the proxy's, so that never counts."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:  # a Unix socket has none
        return False
    return any(address in network for network in settings.METRICS_NETWORKS)
