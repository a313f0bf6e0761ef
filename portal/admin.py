"""People and workspaces in the admin, and the base that all of its pages stand on."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.models import Heartbeat, Invitation, Membership, OutgoingMail, User, Workspace

admin.site.site_header = admin.site.site_title = _("Portal staff")
admin.site.index_title = _("Everything in the portal")
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # allauth's own advice


class LookingAdmin(admin.ModelAdmin[Any]):
    """Rows to look at: what services and the engine write, nobody changes by hand, and nothing is deleted."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class KeptAdmin(admin.ModelAdmin[Any]):
    """Rows that staff may add and edit, and nobody deletes."""

    list_per_page = 50
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class MembershipInline(admin.TabularInline[Membership, Workspace]):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Workspace)
class WorkspaceAdmin(KeptAdmin):
    list_display = ["name", "cover_lead_native", "cover_lead", "programming_lead_native", "programming_lead"]
    search_fields = ["name"]
    inlines = [MembershipInline]


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    ordering = ["email"]
    list_display = ["email", "name", "is_staff", "is_active", "last_login"]
    search_fields = ["email", "name"]
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        (_("May do"), {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["email", "name", "usable_password", "password1", "password2"]})
    ]


@admin.register(Invitation)
class InvitationAdmin(LookingAdmin):
    list_display = ["email", "workspace", "role", "invited_by", "expires_at", "accepted_at", "revoked_at"]
    list_select_related = ["workspace", "invited_by"]
    search_fields = ["email", "workspace__name"]


@admin.register(OutgoingMail)
class OutgoingMailAdmin(LookingAdmin):
    """Mail that has not been sent yet."""

    list_display = ["subject", "to", "created_at", "tries", "next_try_at"]
    search_fields = ["subject", "to"]


@admin.register(Heartbeat)
class HeartbeatAdmin(LookingAdmin):
    list_display = ["name", "beat_at"]
