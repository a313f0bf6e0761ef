"""Codes, which PIN each was given and what was warned of, for staff to look at. No digits, no guest links."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from codes.models import AccessCode, CodePin, Notice
from portal.staff import LookingAdmin, SeeAlso, link_to


@admin.register(AccessCode)
class AccessCodeAdmin(LookingAdmin):
    list_display = [
        "name",
        link_to("device", _("lock")),
        "kind",
        "booking_reference",
        "starts_at",
        "ends_at",
        "failed_at",
        "uncovered_since",
        "ended_at",
    ]
    list_select_related = ["device"]
    list_filter = [
        "kind",
        ("uncovered_since", admin.EmptyFieldListFilter),
        ("failed_at", admin.EmptyFieldListFilter),
        ("ended_at", admin.EmptyFieldListFilter),
    ]
    followed = frozenset({"device", "device__property", "device__property__workspace"})
    search_fields = ["name", "booking_reference", "device__name", "id__startswith", "code_pins__pin__label"]
    date_hierarchy = "starts_at"
    ordering = ["-created_at"]
    exclude = ["guest_nonce"]
    readonly_fields = ["id", "created_at"]
    see_also = [
        SeeAlso(_("PINs given"), "codes_codepin", "code"),
        SeeAlso(_("Events"), "devices_event", "subject"),
        SeeAlso(_("Warnings"), "codes_notice", "code"),
    ]


@admin.register(CodePin)
class CodePinAdmin(LookingAdmin):
    list_display = [
        "__str__",
        link_to("code", _("code")),
        link_to("pin", _("PIN")),
        link_to("pin__device", _("lock")),
        "role",
        "given_at",
        "revealed_at",
        "ended_at",
    ]
    list_select_related = ["code", "pin__device"]
    list_filter = ["role", ("ended_at", admin.EmptyFieldListFilter)]
    followed = frozenset({"code", "pin"})
    search_fields = ["code__name", "code__booking_reference", "pin__label", "code__id__startswith"]
    date_hierarchy = "given_at"


@admin.register(Notice)
class NoticeAdmin(LookingAdmin):
    """Causes of warnings by e-mail."""

    list_display = [
        "__str__",
        "kind",
        link_to("device", _("lock")),
        link_to("code", _("code")),
        "opened_at",
        "told_at",
        "closed_at",
        "done_at",
    ]
    list_select_related = ["device", "code"]
    list_filter = ["kind", ("closed_at", admin.EmptyFieldListFilter)]
    followed = frozenset({"device", "code"})
    search_fields = ["subject", "device__name", "code__name"]
    date_hierarchy = "opened_at"
