"""The embedded default lock: a lock's own truth, apart from what the portal believes of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SimulatedLock(models.Model):
    """A lock that exists in this table alone. Only its provider and `simulate_lock` touch it."""

    class Fault(models.TextChoices):
        NONE = "", _("none")
        UNREACHABLE = "unreachable", _("unreachable: nothing gets through")
        MUTE = "mute", _("mute: takes the message, never applies it, never answers")
        APPLY_THEN_SILENT = "apply_then_silent", _("applies a write, and its answer is lost")
        LATE = "late", _("a write gets no answer and lands `late_ms` later")
        REJECT_SET = "reject_set", _("refuses every write and removal without a reason")
        REJECT_DUPLICATE = "reject_duplicate", _("refuses digits it already has")
        FULL = "full", _("refuses every new code: no space")
        IGNORE_SET = "ignore_set", _("says yes to writes and removals, does neither")
        MASK_CODES = "mask_codes", _("shows asterisks instead of digits")

    hub = models.ForeignKey("devices.Hub", on_delete=models.CASCADE, related_name="simulated_locks")
    lock_ref = models.CharField(max_length=100)
    name = models.CharField(max_length=100)
    make = models.CharField(max_length=60)
    model = models.CharField(max_length=60)
    capabilities = models.JSONField()
    battery = models.PositiveSmallIntegerField(null=True, blank=True)
    fault = models.CharField(max_length=20, choices=Fault, default=Fault.NONE, blank=True)
    latency_ms = models.PositiveIntegerField(default=0)  # of each call
    late_ms = models.PositiveIntegerField(default=0)  # with the fault `late`: when the write lands
    # By slot or code id: {"3": {"pin": sealed token, "label": "…", "from": iso or null, "until": iso or null}}
    codes = models.JSONField(default=dict)
    pending = models.JSONField(
        default=list
    )  # writes that will still land: [{"at": iso, "place": "3", "code": {...} or null}]
    next_code_id = models.PositiveIntegerField(default=1)
    writer = models.CharField(max_length=40, blank=True)  # the call that is writing now
    two_writers = models.PositiveIntegerField(default=0)  # how often a second call came in meanwhile
    writes = models.PositiveIntegerField(default=0)
    reads = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hub", "lock_ref"], name="devices_simulatedlock_once")]

    def __str__(self) -> str:
        return self.name
