"""Backup pools and their spares, for staff: to look at, to refill, and to replace a spare somebody may know."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backups import services
from backups.models import BackupCode, BackupPool
from backups.status import counted
from portal.staff import LookingAdmin, SeeAlso, Words, asks, link_to, person


@admin.register(BackupPool)
class BackupPoolAdmin(LookingAdmin):
    """A pool has no switch and no delete: it goes with its lock."""

    list_display = [
        "__str__",
        link_to("device", _("lock")),
        "ready",
        "pulled",
        "activated_at",
        "filled_at",
        "exhausted_since",
        link_to("acknowledged_by", _("somebody is on it")),
    ]
    list_select_related = ["device__property", "acknowledged_by"]
    list_filter = [("exhausted_since", admin.EmptyFieldListFilter), "size"]
    followed = frozenset({"device"})
    search_fields = ["device__name", "device__property__name", "device__id__startswith", "codes__code_id"]
    date_hierarchy = "activated_at"
    see_also = [SeeAlso(_("Spares"), "backups_backupcode", "pool")]
    readonly_fields = ["ready", "pulled"]
    actions = ["refill_now"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return counted(super().get_queryset(request))

    @admin.display(description=_("ready"))
    def ready(self, pool: Any) -> str:
        return f"{pool.ready_count} / {pool.size}"

    @admin.display(description=_("pulled in 7 days"))
    def pulled(self, pool: Any) -> int:
        return int(pool.pulled_count)

    @asks(
        _("Refill now"),
        will=_("Spares that were lost are retired, and as many new ones are wanted as the lock has room for."),
    )
    def refill_now(self, request: HttpRequest, pool: BackupPool) -> None:
        services.refill_now(pool, actor=person(request))


@admin.register(BackupCode)
class BackupCodeAdmin(LookingAdmin):
    list_display = [
        "code_id",
        link_to("pool__device", _("lock")),
        link_to("pool", _("pool")),
        link_to("pin", _("PIN")),
        "position",
        "status",
        "drawn_at",
        "retired_at",
    ]
    list_select_related = ["pool__device__property", "pool__device__hub", "pin"]
    list_filter = [
        ("drawn_at", admin.EmptyFieldListFilter),
        ("retired_at", admin.EmptyFieldListFilter),
        "pin__status",
    ]
    followed = frozenset({"pool", "pool__device", "pin"})
    search_fields = ["code_id", "pin__label", "pool__device__name", "pool__device__id__startswith"]
    readonly_fields = ["status"]
    actions = ["replace"]

    @admin.display(description=_("status"), ordering="pin__status")
    def status(self, code: BackupCode) -> str:
        return code.pin.get_status_display()

    @asks(
        _("Replace"),
        will=_(
            "For a spare whose digits somebody may know. It leaves the lock, and another with other digits is set in "
            "its place; meanwhile the pool has one less. A spare that is a guest’s is never touched."
        ),
        foresee=lambda code: _foreseen(code),
        danger=True,
    )
    def replace(self, request: HttpRequest, code: BackupCode) -> None:
        services.replace_spare(code, actor=person(request))


def _foreseen(code: BackupCode) -> Words:
    refusal = services.why_kept(code)
    place = f"{code.pool.device.property}, {code.pool.device}"
    return _("%(place)s. Stays: %(why)s") % {"place": place, "why": refusal} if refusal else place
