"""What people type about properties."""

import zoneinfo
from functools import cache
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from devices.models import Property
from devices.models.property import known_zone

ODD = ("Etc/", "US/", "SystemV/", "posix/", "right/")  # kept in the zone database for old machines


@cache
def zones() -> list[str]:
    """Zones to choose from, by region and city."""
    return sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(ODD))


class ZoneInput(forms.TextInput):
    """A text field that suggests the zones: typing “lis” is faster than a list of five hundred."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        choices = f"{name}-choices"
        field = super().render(name, value, {**(attrs or {}), "list": choices, "autocomplete": "off"}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((zone,) for zone in zones()))
        return format_html('{}<datalist id="{}">{}</datalist>', field, choices, options)


class ZoneField(forms.CharField):
    widget = ZoneInput
    default_validators = [known_zone]

    def __init__(self, **kwargs: Any) -> None:
        words = {"label": _("Time zone"), "help_text": _("The nearest big city, like Europe/Lisbon.")}
        super().__init__(**{"max_length": 60, **words, **kwargs})


class PropertyForm(forms.ModelForm[Property]):
    """A place as its team knows it; its zone has a page of its own, for a change moves stays."""

    class Meta:
        model = Property
        fields = ["name", "address", "guest_phone", "if_nothing_works"]
        help_texts = {
            "guest_phone": _("Stands on the guest’s page, and is asked to be called when no PIN works."),
            "if_nothing_works": _(
                "For your team only: a key safe, a neighbour with a key. Stands on every code’s page."
            ),
        }
        widgets = {
            "guest_phone": forms.TextInput({"type": "tel", "autocomplete": "off"}),
            "if_nothing_works": forms.Textarea({"rows": 4}),
        }


class NewPropertyForm(PropertyForm):
    time_zone = ZoneField()

    field_order = ["name", "address", "time_zone", "guest_phone", "if_nothing_works"]
