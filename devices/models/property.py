"""A place guests come to."""

import uuid
import zoneinfo

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


def known_zone(name: str) -> None:
    """Refuse a time zone that the zone database does not hold."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(name)s” is no time zone. Write one like Europe/Lisbon."), params={"name": name})


class Property(models.Model):
    """A place with locks. Its time zone is the one its stays' times are meant and shown in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("portal.Workspace", on_delete=models.PROTECT, related_name="properties")
    name = models.CharField(_("name"), max_length=100)
    address = models.CharField(_("address"), max_length=200, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, validators=[known_zone])
    guest_phone = models.CharField(_("phone for guests"), max_length=40, blank=True)
    if_nothing_works = models.TextField(
        _("if nothing works"),
        blank=True,
        help_text=_("For your team only: a key safe, a neighbour with a key."),
    )

    class Meta:
        verbose_name_plural = _("properties")

    def __str__(self) -> str:
        return self.name
