"""The front page and what monitors ask."""

from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from portal.clock import now
from portal.models import Heartbeat

STALE = timedelta(minutes=1)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return redirect("device_list")


@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and the tick has beaten within a minute, else 503 and what is missing."""
    try:
        ticking = Heartbeat.objects.filter(name="tick", beat_at__gt=now() - STALE).exists()
    except DatabaseError:
        return JsonResponse({"database": False}, status=503)
    return JsonResponse({"database": True, "tick": ticking}, status=200 if ticking else 503)


@require_safe
@login_not_required
def favicon(request: HttpRequest) -> HttpResponse:
    return redirect(static("favicon.svg"), permanent=False)
