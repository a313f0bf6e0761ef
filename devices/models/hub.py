"""One account or gateway of a provider."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from devices.models.property import Property
from portal.secret import SecretField


class Hub(models.Model):
    """Where a group of locks is reached. Its address belongs to one workspace only, so a lock has one writer."""

    class Provider(models.TextChoices):
        SIMULATOR = "simulator", _("Simulated locks")
        ZWAVE = "zwave", _("Z-Wave JS")

    class Silence(models.TextChoices):
        """Why the last search found nothing out, in words a manager reads."""

        NONE = "", ""
        UNREACHABLE = "unreachable", _("it could not be reached")
        NO_ANSWER = "no_answer", _("it did not answer in time")
        FAILED = "failed", _("its system has errors")

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
    property = models.ForeignKey(  # null: nobody has said so yet
        Property,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="hubs",
        verbose_name=_("property"),
        help_text=_("New locks are added to this property."),
    )
    calls_at_once = models.PositiveSmallIntegerField(
        _("calls at once"), default=16, help_text=_("How many of its locks are spoken to at the same time.")
    )
    down_since = models.DateTimeField(null=True, blank=True)  # nothing behind it has answered since then
    probe_at = models.DateTimeField(null=True, blank=True)  # while down: the next single attempt
    probes = models.PositiveIntegerField(default=0)  # attempts in a row that failed

    searching_since = models.DateTimeField(null=True, blank=True)  # its locks are being looked for
    searched_at = models.DateTimeField(null=True, blank=True)  # the last search ended
    found = models.PositiveIntegerField(null=True, blank=True)  # locks it had then; null: it did not say
    search_silence = models.CharField(max_length=20, choices=Silence, default=Silence.NONE, db_default="", blank=True)

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
            models.CheckConstraint(
                condition=models.Q(search_silence__in=["", "unreachable", "no_answer", "failed"]),
                name="devices_hub_search_silence_known",
            ),
        ]
        indexes = [
            # The sweep: whose search was lost with its task?
            models.Index(
                fields=["searching_since"],
                name="devices_hub_searching",
                condition=models.Q(searching_since__isnull=False),
            ),
            # Warnings: which hubs are down?
            models.Index(fields=["down_since"], name="devices_hub_down", condition=models.Q(down_since__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name
