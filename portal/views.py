"""The front page and what monitors ask."""

from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from portal.access import MemberRequest, member
from portal.clock import now
from portal.live import Live, changed_parts
from portal.models import Heartbeat

STALE = timedelta(minutes=1)


@require_safe
@member
def home(request: MemberRequest) -> HttpResponse:
    return render(request, "home.html", {**_home_context(), "live": Live()})


@require_safe
@member
def home_live(request: MemberRequest) -> HttpResponse:
    return changed_parts(request, "home_live.html", _home_context(), zone="UTC")


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


def _home_context() -> dict[str, object]:
    """The portal's own sign of life; the apps' tags bring the rest into the page."""
    beat = Heartbeat.objects.filter(name="tick").first()
    return {
        "beat": beat,
        "standing_still": beat is None or beat.beat_at <= now() - STALE,
        "section": "home",
    }
