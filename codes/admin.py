"""Codes, which PIN each was given and what was warned of, for staff to look at. No digits, no guest links."""

from django.contrib import admin

from codes.models import AccessCode, CodePin, Notice
from portal.admin import LookingAdmin


class CodePinInline(admin.TabularInline[CodePin, AccessCode]):
    model = CodePin
    fields = readonly_fields = ("role", "pin", "given_at", "revealed_at", "ended_at")
    extra = 0
    can_delete = False


@admin.register(AccessCode)
class AccessCodeAdmin(LookingAdmin):
    list_display = ["name", "device", "kind", "starts_at", "ends_at", "failed_at", "uncovered_since", "ended_at"]
    list_select_related = ["device"]
    list_filter = ["kind"]
    search_fields = ["name", "booking_reference", "device__name"]
    exclude = ["guest_nonce"]
    inlines = [CodePinInline]


@admin.register(Notice)
class NoticeAdmin(LookingAdmin):
    """Causes of warnings by e-mail."""

    list_display = ["subject", "kind", "device", "opened_at", "told_at", "closed_at", "done_at"]
    list_select_related = ["device"]
    list_filter = ["kind"]
    search_fields = ["subject", "device__name"]
