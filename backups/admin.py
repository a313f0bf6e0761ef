"""Backup pools and their spares, for staff: to look at, and to refill."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from backups.models import BackupCode, BackupPool
from backups.services import refill
from portal.admin import LookingAdmin


@admin.register(BackupPool)
class BackupPoolAdmin(LookingAdmin):
    list_display = ["device", "size", "activated_at", "filled_at", "exhausted_since", "acknowledged_by"]
    list_select_related = ["device", "acknowledged_by"]
    search_fields = ["device__name"]
    actions = ["refill_now"]

    @admin.action(description=_("Refill the chosen pools now"), permissions=["view"])
    def refill_now(self, request: HttpRequest, chosen: QuerySet[BackupPool]) -> None:
        count = 0
        for pool in chosen.select_related("device"):
            refill(pool.device)
            count += 1
        told = ngettext("%(count)d pool is being refilled.", "%(count)d pools are being refilled.", count)
        self.message_user(request, told % {"count": count}, messages.SUCCESS)


@admin.register(BackupCode)
class BackupCodeAdmin(LookingAdmin):
    list_display = ["code_id", "lock", "position", "status", "drawn_at", "retired_at"]
    list_select_related = ["pool__device", "pin"]
    search_fields = ["code_id", "pool__device__name"]

    @admin.display(description=_("lock"))
    def lock(self, code: BackupCode) -> str:
        return code.pool.device.name

    @admin.display(description=_("status"))
    def status(self, code: BackupCode) -> str:
        return code.pin.get_status_display()
