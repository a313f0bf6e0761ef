"""The activity page and its export."""

from collections.abc import Iterator

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from devices import timeline
from devices.timeline import Filter, Line
from portal.access import MemberRequest, member
from portal.clock import wall_clock
from portal.export import csv_response


@require_safe
@member
def activity(request: MemberRequest) -> HttpResponse:
    workspace, wanted, before = request.membership.workspace, _wanted(request), request.GET.get("before", "")
    context = {
        "page": timeline.page_of(workspace, wanted, before),
        "filter": wanted,
        "before": before,
        "locks": timeline.locks(workspace),
        "kinds": {name: label for name, (label, _types) in timeline.KINDS.items()},
        "section": "activity",
    }
    return render(request, "devices/activity.html", context)


@require_safe
@member
def activity_export(request: MemberRequest) -> StreamingHttpResponse:
    """All that the filter finds, as CSV."""
    lines = timeline.all_of(request.membership.workspace, _wanted(request))
    header = [_("Time"), _("Time zone"), _("Property"), _("Lock"), _("Kind"), _("What happened"), _("Details"), _("By")]
    return csv_response(timeline.filename(), header, _rows(lines))


def _rows(lines: Iterator[Line]) -> Iterator[list[object]]:
    for line in lines:
        event, device = line.event, line.device
        yield [
            wall_clock(event.at, line.zone).isoformat(sep=" ", timespec="seconds"),
            line.zone,
            device.property.name if device else event.data["name"] if line.about_property else "",
            device.name if device else "",
            event.type,
            line.entry.sentence,
            line.entry.detail,
            event.actor or "",
        ]


def _wanted(request: MemberRequest) -> Filter:
    asked = request.GET
    return Filter(
        lock=asked.get("lock", ""),
        code=asked.get("code", ""),
        kind=asked.get("kind", ""),
        words=asked.get("q", "").strip()[:100],
    )
