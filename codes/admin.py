"""Access codes, and which PIN each was given, for staff to look at. Neither digits nor guest links are on a page."""

from django.contrib import admin

from codes.models import AccessCode, CodePin
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
    exclude = ["guest_token"]
    inlines = [CodePinInline]
