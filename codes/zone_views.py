"""A property's time zone, changed after asking."""

from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from codes.models import AccessCode
from codes.zones import change_time_zone, moved_to, stays_to_move
from devices.models import Property
from devices.property_forms import ZoneField
from portal.access import MemberRequest, may_change
from portal.forms import add_errors
from portal.moments import zone_name

LISTED = 20  # stays named one by one


class ZoneForm(forms.Form):
    time_zone = ZoneField()


@dataclass(frozen=True, slots=True)
class Move:
    """A stay to come, before and after."""

    code: AccessCode
    window: tuple[object, object]


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def property_zone(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Asked for with `?time_zone=`, it says what would move; posted, it is done."""
    place = get_object_or_404(Property, pk=pk, workspace=request.membership.workspace)
    typed = request.POST if request.method == "POST" else request.GET if "time_zone" in request.GET else None
    form = ZoneForm(typed, initial={"time_zone": place.time_zone})
    zone = form.cleaned_data["time_zone"] if form.is_valid() else ""
    if zone and request.method == "POST":
        try:
            count = change_time_zone(place, zone, actor=request.user)
        except ValidationError as error:
            add_errors(form, error)
            zone = ""
        else:
            messages.success(request, _words(place, zone, count))
            return redirect("property_list")
    return render(request, "codes/property_zone.html", _context(place, form, zone))


def _context(place: Property, form: ZoneForm, zone: str) -> dict[str, object]:
    stays = stays_to_move(place) if zone and zone != place.time_zone else []
    moves = [Move(code, moved_to(code, place.time_zone, zone)) for code in stays[:LISTED]]
    more = len(stays) - len(moves)
    return {"place": place, "form": form, "zone": zone, "moves": moves, "more": more, "count": len(stays)} | {
        "section": "devices"
    }


def _words(place: Property, zone: str, count: int) -> str:
    told = {"place": place, "zone": zone_name(zone), "count": count}
    changed = _("“%(place)s” is on %(zone)s now.") % told
    if not count:
        return changed
    kept = ngettext("%(count)d stay to come was moved.", "%(count)d stays to come were moved.", count) % told
    return f"{changed} {kept}"
