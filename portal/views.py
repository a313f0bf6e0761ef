"""The front page."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from portal.access import MemberRequest, member
from portal.clock import now
from portal.live import Live, changed_parts, unless_unchanged
from portal.models import Heartbeat
from portal.readiness import TICK_STALE


@require_safe
@member
def home(request: MemberRequest) -> HttpResponse:
    return render(request, "home.html", {**_home_context(), "live": Live()})


@require_safe
@member
@unless_unchanged
def home_live(request: MemberRequest) -> HttpResponse:
    return changed_parts(request, "home_live.html", _home_context(), zone="UTC")


@require_safe
@login_not_required
def favicon(request: HttpRequest) -> HttpResponse:
    return redirect(static("favicon.svg"), permanent=False)


def _home_context() -> dict[str, object]:
    """The portal's own sign of life; the apps' tags bring the rest into the page."""
    beat = Heartbeat.objects.filter(name="tick").first()
    stale_at = beat.beat_at + TICK_STALE if beat else now()
    return {
        "beat": beat,
        "standing_still": stale_at <= now(),
        "until": stale_at,  # the clock tells this one; while it stands still every poll looks
        "section": "home",
    }
