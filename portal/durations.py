"""Lengths of time as people type and read them: `36 h`, `1 h 30 min`, `2 days`."""

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
UNITS = {"d": DAY, "h": HOUR, "m": MINUTE}
NUMBER = r"\d{1,5}(?:[.,]\d{1,2})?"
UNIT = r"d|days?|h|hrs?|hours?|m|mins?|minutes?"
PART = re.compile(rf"({NUMBER})\s*({UNIT})(?![a-z])", re.IGNORECASE)
WHOLE = re.compile(rf"(?:{NUMBER}\s*(?:{UNIT})(?![a-z])[\s,]*)+", re.IGNORECASE)
CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)")


def words(length: timedelta) -> str:
    """`1 h 30 min`; whole days from three on as days."""
    minutes = round(length / MINUTE)
    hours, minutes = divmod(minutes, 60)
    if hours > 48 and not minutes and hours % 24 == 0:
        return _("%(days)d days") % {"days": hours // 24}
    parts = [_("%(hours)d h") % {"hours": hours}] if hours else []
    if minutes or not parts:
        parts.append(_("%(minutes)d min") % {"minutes": minutes})
    return " ".join(parts)


def parse(text: str) -> timedelta:
    """What was typed, to the minute. Raises ValueError for anything without a unit, save 0 and `1:30`."""
    text = text.strip()
    if text == "0":
        return timedelta(0)
    if clock := CLOCK.fullmatch(text):
        return int(clock[1]) * HOUR + int(clock[2]) * MINUTE
    if not WHOLE.fullmatch(text):
        raise ValueError(text)
    total = sum((_amount(number) * UNITS[unit[0].lower()] for number, unit in PART.findall(text)), timedelta(0))
    return round(total / MINUTE) * MINUTE


class HoursField(forms.Field):
    """A length of time between `least` and `most`, both included."""

    widget = forms.TextInput(attrs={"autocomplete": "off", "maxlength": "30"})
    default_error_messages = {
        "invalid": gettext_lazy("Write hours or minutes, like 36 h, 30 min or 1 h 30 min."),
    }

    def __init__(self, *, least: timedelta, most: timedelta, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most = least, most

    def prepare_value(self, value: Any) -> Any:
        return words(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> timedelta | None:
        if value in self.empty_values:
            return None
        try:
            return parse(str(value))
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is None or self.least <= value <= self.most:
            return
        limits = {"least": words(self.least), "most": words(self.most)}
        raise ValidationError(_("Choose between %(least)s and %(most)s.") % limits, code="limits")

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


def _amount(number: str) -> float:
    return float(number.replace(",", "."))
