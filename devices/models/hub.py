"""One account or gateway of a provider."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.secret import SecretField


class Hub(models.Model):
    """Where a group of locks is reached. Its address belongs to one workspace only, so a lock has one writer."""

    class Provider(models.TextChoices):
        SIMULATOR = "simulator", _("Simulated locks")
        ZWAVE = "zwave", _("Z-Wave JS")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("portal.Workspace", on_delete=models.PROTECT, related_name="hubs")
    provider = models.CharField(_("provider"), max_length=20, choices=Provider)
    name = models.CharField(_("name"), max_length=100)
    address = models.CharField(
        _("address"),
        max_length=200,
        help_text=_("For Z-Wave JS the server's address, like ws://127.0.0.1:3000."),
    )
    credentials = SecretField(_("credentials"), null=True, blank=True)  # type: ignore[misc]  # absent for most
    calls_at_once = models.PositiveSmallIntegerField(
        _("calls at once"), default=16, help_text=_("How many of its locks are spoken to at the same time.")
    )
    down_since = models.DateTimeField(null=True, blank=True)  # nothing behind it has answered since then
    probe_at = models.DateTimeField(null=True, blank=True)  # while down: the next single attempt
    probes = models.PositiveIntegerField(default=0)  # attempts in a row that failed

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "address"],
                name="devices_hub_address_once",
                violation_error_message=_("This hub has been added already."),
            ),
            models.CheckConstraint(
                condition=models.Q(provider__in=["simulator", "zwave"]), name="devices_hub_provider_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name
