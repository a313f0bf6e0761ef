"""All codes of the workspace: the list, its refreshed parts, and its export."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from codes import directory
from codes.directory import KINDS, SORTS, STANDINGS, Line, Wanted
from codes.listing import BACKUP, GUEST
from codes.standing import Standing
from devices.models import Property
from portal.access import MemberRequest, member
from portal.clock import now, wall_clock
from portal.export import csv_response
from portal.live import Live, changed_parts, unless_unchanged


class DayInput(forms.DateInput):
    input_type = "date"


class WantedForm(forms.Form):
    """The list's filter, from the page's address. What cannot be read is said, and filters nothing."""

    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Search"))
    kind = forms.ChoiceField(required=False, choices=list(KINDS.items()), label=gettext_lazy("Kind"))
    status = forms.ChoiceField(
        required=False, choices=[(s.value, words) for s, words in STANDINGS.items()], label=gettext_lazy("Status")
    )
    property = forms.ChoiceField(required=False, label=gettext_lazy("Property"))
    since = forms.DateField(
        required=False, label=gettext_lazy("Staying from"), widget=forms.DateInput({"type": "date"})
    )
    until = forms.DateField(
        required=False, label=gettext_lazy("Staying until"), widget=forms.DateInput({"type": "date"})
    )
    sort = forms.ChoiceField(required=False, choices=list(SORTS.items()), label=gettext_lazy("Sort by"))

    def __init__(self, *args: Any, places: list[Property], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {str(place.pk): place for place in places}
        names = [(key, place.name) for key, place in self.places.items()]
        choices = self.fields["property"]
        assert isinstance(choices, forms.ChoiceField)  # noqa: S101  declared above
        choices.choices = [("", _("All properties")), *names]

    def wanted(self) -> Wanted:
        self.is_valid()
        found = self.cleaned_data
        return Wanted(
            words=found.get("q", ""),
            kind=found.get("kind", ""),
            status=Standing(found.get("status", "")),
            place=self.places.get(found.get("property", "")),
            since=found.get("since"),
            until=found.get("until"),
            sort=found.get("sort", ""),
        )


@require_safe
@member
def code_list(request: MemberRequest) -> HttpResponse:
    return render(request, "codes/codes.html", {**_context(request), "live": Live()})


@require_safe
@member
@unless_unchanged
def code_list_live(request: MemberRequest) -> HttpResponse:
    return changed_parts(request, "codes/codes_live.html", _context(request), zone="UTC")


@require_safe
@never_cache
@member
def code_list_export(request: MemberRequest) -> StreamingHttpResponse:
    """What the list shows, all pages of it, as a file for a spreadsheet. Never a PIN."""
    places = _places(request)
    lines = directory.everything(request.membership.workspace, WantedForm(request.GET, places=places).wanted(), places)
    heads = [_("Name"), _("Kind"), _("Booking reference"), _("Property"), _("Lock"), _("Check-in"), _("Checkout")]
    heads += [_("Time zone"), _("Status"), _("Backup")]
    return csv_response(f"codes-{now():%Y-%m-%d}.csv", heads, map(_cells, lines))


def _context(request: MemberRequest) -> dict[str, Any]:
    places = _places(request)
    form = WantedForm(request.GET, places=places)
    wanted = form.wanted()
    number = request.GET.get("page", "")
    found = directory.page_of(
        request.membership.workspace, wanted, places, int(number) if number.isdecimal() and len(number) < 7 else 1
    )
    return {"form": form, "wanted": wanted, "found": found, "section": "codes"}


def _places(request: MemberRequest) -> list[Property]:
    return list(Property.objects.filter(workspace=request.membership.workspace).order_by("name", "pk"))


def _cells(line: Line) -> list[str]:
    row, zone = line.row, line.zone
    kind = _("Backup") if row.kind == BACKUP else _("Guest") if row.kind == GUEST else _("Ongoing")
    times = [_wall(instant, zone) for instant in (row.starts_at, row.ends_at)]
    place = [line.device.property.name, line.device.name]
    return [row.name, kind, row.reference, *place, *times, zone, strip_tags(str(row.status.words)), row.cover]


def _wall(instant: datetime | None, zone: str) -> str:
    return f"{wall_clock(instant, zone):%Y-%m-%d %H:%M}" if instant else ""
