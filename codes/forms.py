"""What people type about codes. Times are wall-clock times in the property's zone."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from codes.models import AccessCode
from devices.models import Device
from devices.pins import rules_of
from portal.clock import from_wall_clock, now, wall_clock
from portal.moments import zone_name
from portal.once import new_token
from portal.secret import Secret

CHECK_IN, CHECKOUT = time(15), time(11)
SHARED = gettext_lazy(
    "Codes at this property with the same reference and overlapping dates share the guest’s link, which shows all "
    "their PINs. With another reference this door leaves that link. Links already sent stay valid."
)


class WallClockField(forms.Field):
    """A date and time as a clock on the property's wall shows it: naive, without a zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            return datetime.fromisoformat(str(value).strip()).replace(tzinfo=None)
        except ValueError:
            raise ValidationError(_("Write a date and a time like 2026-11-23 15:00.")) from None


class PinField(forms.CharField):
    """Digits somebody chose, as a `Secret`; None if nobody did. Spaces between them do not matter."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"label": gettext_lazy("PIN"), "required": False, "max_length": 12, **kwargs})

    def clean(self, value: Any) -> Secret | None:
        digits = str(super().clean(value)).replace(" ", "")
        if digits and not (digits.isascii() and digits.isdigit()):
            raise ValidationError(_("A PIN has digits only."))
        return Secret(digits) if digits else None


class AddCodeForm(forms.Form):
    """A new code for a lock, and others of its property. `values()` are the arguments of `codes.booking.add_codes`."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[
            (AccessCode.Kind.TIME_BOUND, gettext_lazy("Time-bound: a guest’s stay")),
            (AccessCode.Kind.ONGOING, gettext_lazy("Ongoing: staff or a resident, until cancelled")),
        ],
        initial=AccessCode.Kind.TIME_BOUND,
        widget=forms.RadioSelect,
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    booking_reference = forms.CharField(label=gettext_lazy("Booking reference"), max_length=60, required=False)
    starts_at = WallClockField(label=gettext_lazy("Check-in"), required=False)
    ends_at = WallClockField(label=gettext_lazy("Checkout"), required=False)
    also = forms.ModelMultipleChoiceField(
        Device.objects.none(),
        label=gettext_lazy("Also on"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Each lock gets a code of its own, under one booking reference. "
            "The guest’s link says which PIN opens which door."
        ),
    )
    pin = PinField()
    once = forms.CharField(widget=forms.HiddenInput, max_length=64, initial=new_token)

    def __init__(self, *args: Any, device: Device, others: Sequence[Device] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.device = device
        self.offer_others(others)
        self.zone = device.property.time_zone
        today = wall_clock(now(), self.zone).date()
        self.fields["starts_at"].initial = datetime.combine(today, CHECK_IN)
        self.fields["ends_at"].initial = datetime.combine(today + timedelta(days=1), CHECKOUT)
        for name in ("starts_at", "ends_at"):
            self.fields[name].help_text = zone_name(self.zone)
        lengths = rules_of(device).lengths
        self.fields["pin"].help_text = length_hint(lengths)

    def offer_others(self, others: Sequence[Device]) -> None:
        """The property's other locks, as boxes to tick; no field where there are none."""
        if not others:
            del self.fields["also"]
            return
        field = self.fields["also"]
        assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101  declared above
        field.queryset = Device.objects.filter(pk__in=[other.pk for other in others]).order_by("name")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") == AccessCode.Kind.TIME_BOUND:
            for name, label in (("starts_at", _("check-in")), ("ends_at", _("checkout"))):
                if name not in self.errors and cleaned.get(name) is None:
                    self.add_error(name, _("A guest’s code needs a %(time)s.") % {"time": label})
        return cleaned

    def values(self) -> dict[str, Any]:
        cleaned = {name: value for name, value in self.cleaned_data.items() if name not in ("once", "also")}
        cleaned["devices"] = [self.device, *self.cleaned_data.get("also", ())]
        starts_at, ends_at = cleaned.pop("starts_at"), cleaned.pop("ends_at")
        if cleaned["kind"] == AccessCode.Kind.ONGOING:
            return cleaned
        return {
            **cleaned,
            "starts_at": from_wall_clock(starts_at, self.zone),
            "ends_at": from_wall_clock(ends_at, self.zone, end=True),
        }


class DoorsField(forms.ModelMultipleChoiceField[AccessCode]):
    """Codes of the same booking, by their doors."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(AccessCode.objects.none(), required=False, **kwargs)

    def label_from_instance(self, obj: AccessCode) -> str:
        return str(obj.device)


class CancelCodeForm(forms.Form):
    """Which of the booking's other codes end as well."""

    also = DoorsField(label=gettext_lazy("Cancel as well, on"))

    def __init__(self, *args: Any, others: QuerySet[AccessCode], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_doors(self, others, checked=[])


class EditCodeForm(forms.Form):
    """A code's name, its reference and, for a guest's, its stay. `values()` are arguments of
    `codes.booking.change_codes`.
    """

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    booking_reference = forms.CharField(label=gettext_lazy("Booking reference"), max_length=60, required=False)
    starts_at = WallClockField(label=gettext_lazy("Check-in"))
    ends_at = WallClockField(label=gettext_lazy("Checkout"))
    also = DoorsField(
        label=gettext_lazy("The same for"),
        help_text=gettext_lazy(
            "Doors of the same booking. Those that are ticked get this name, this reference and these dates too."
        ),
    )

    def __init__(self, *args: Any, code: AccessCode, others: QuerySet[AccessCode], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        together = [o.pk for o in others if (o.starts_at, o.ends_at) == (code.starts_at, code.ends_at)]
        _offer_doors(self, others, checked=together)
        self.zone = code.device.property.time_zone
        self.fields["name"].initial = code.name
        self.fields["booking_reference"].initial = code.booking_reference
        if code.time_bound:
            self.fields["booking_reference"].help_text = SHARED
        for name, instant in (("starts_at", code.starts_at), ("ends_at", code.ends_at)):
            if instant is None:
                del self.fields[name]
                continue
            self.fields[name].initial = wall_clock(instant, self.zone).replace(second=0, microsecond=0, tzinfo=None)
            self.fields[name].help_text = zone_name(self.zone)
        self.code = code

    def values(self) -> dict[str, Any]:
        return {
            "name": self.cleaned_data["name"],
            "booking_reference": self._reference(),
            "starts_at": self._instant("starts_at", self.code.starts_at),
            "ends_at": self._instant("ends_at", self.code.ends_at, end=True),
        }

    def _reference(self) -> str | None:
        """None from a page that has no such field: it was opened before there was one."""
        reference: str = self.cleaned_data["booking_reference"]
        return reference if "booking_reference" in self.data else None

    def _instant(self, name: str, before: datetime | None, *, end: bool = False) -> datetime | None:
        """What was typed. A time left as it was stays the same instant, to the second and on either side of a fold."""
        if before is None:
            return None
        return from_wall_clock(self.cleaned_data[name], self.zone, end=end) if name in self.changed_data else before


def _offer_doors(form: forms.Form, others: QuerySet[AccessCode], *, checked: Sequence[object]) -> None:
    """Boxes to tick, or no field where the booking has one door."""
    if not others:
        del form.fields["also"]
        return
    field = form.fields["also"]
    assert isinstance(field, DoorsField)  # noqa: S101  declared above
    field.queryset, field.initial = others, checked


class ChangePinForm(forms.Form):
    """Other digits for a code."""

    pin = PinField(label=gettext_lazy("New PIN"), required=True)

    def __init__(self, *args: Any, device: Device, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pin"].help_text = _("%(lengths)s digits.") % {"lengths": _spoken(rules_of(device).lengths)}


def length_hint(lengths: tuple[int, ...]) -> str:
    return _("%(lengths)s digits. Leave it empty and a safe one is chosen for you.") % {"lengths": _spoken(lengths)}


def _spoken(lengths: tuple[int, ...]) -> str:
    if len(lengths) == 1:
        return str(lengths[0])
    if lengths == tuple(range(lengths[0], lengths[-1] + 1)):
        return _("%(least)d to %(most)d") % {"least": lengths[0], "most": lengths[-1]}
    return ", ".join(str(length) for length in lengths)
