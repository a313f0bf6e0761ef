"""Workspaces, mail and signs of life in the admin, and what staff themselves did there."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from portal import people, people_admin, queue_admin
from portal.models import Heartbeat, Membership, OutgoingMail, Workspace
from portal.people_mail import send_invitation
from portal.staff import KeptAdmin, LookingAdmin, SeeAlso, link_to, page_of, person

__all__ = ["people_admin", "queue_admin"]  # imported for what they register

admin.site.site_header = admin.site.site_title = _("Portal staff")
admin.site.index_title = _("Everything in the portal")
admin.site.site_url = None  # staff belong to no workspace; they see a portal by a look at it
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # allauth's own advice


class NewWorkspaceForm(forms.ModelForm[Workspace]):
    """A workspace and who is to own it. All else is the owner's to set, in the portal."""

    owner = forms.EmailField(
        label=_("Owner’s e-mail"), help_text=_("Gets an invitation, and invites everybody else."), required=True
    )

    class Meta:
        model = Workspace
        fields = ["name"]


@admin.register(Workspace)
class WorkspaceAdmin(KeptAdmin):
    """Staff open a workspace and look at it. Its settings are its owners', whose page plans stays anew by them."""

    list_display = ["name", "id", "look", "cover_lead_native", "cover_lead"]
    search_fields = ["name", "id__startswith", "memberships__user__email"]
    ordering = ["name"]
    see_also = [
        SeeAlso(_("People"), "portal_membership", "workspace"),
        SeeAlso(_("Invitations"), "portal_invitation", "workspace"),
        SeeAlso(_("Properties"), "devices_property", "workspace"),
        SeeAlso(_("Hubs"), "devices_hub", "workspace"),
        SeeAlso(_("Locks"), "devices_device", "property__workspace"),
        SeeAlso(_("Codes"), "codes_accesscode", "device__property__workspace"),
        SeeAlso(_("Events"), "devices_event", "workspace"),
    ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs) if obj else NewWorkspaceForm

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["name", "cover_lead_native", "cover_lead", "programming_lead_native", "programming_lead"]
        return (
            ["id", "related", "look", "people", *fields, "reveal_lead", "early_access", "mail_roles"]
            if obj
            else ["name", "owner"]
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["id", "related", "look", "people"] if obj else []

    @admin.display(description=_("portal"))
    def look(self, workspace: Workspace) -> str:
        url = reverse("look_begin", args=[workspace.pk])
        return format_html('<a href="{}">{}</a>', url, _("See it read-only"))

    @admin.display(description=_("people"))
    def people(self, workspace: Workspace) -> str:
        members = workspace.memberships.select_related("user").order_by("user__name", "user__email")
        rows = ((page_of(one.user), one.user, one.get_role_display()) for one in members)
        return format_html_join("", '<p><a href="{}">{}</a>: {}</p>', rows) or "-"

    def save_model(self, request: HttpRequest, obj: Workspace, form: Any, change: bool) -> None:
        """Open it and invite its owner."""
        with transaction.atomic():
            people.open_workspace(obj)
            invitation, token = people.invite(
                workspace=obj,
                email=form.cleaned_data["owner"],
                role=Membership.Role.OWNER,
                actor=person(request),
            )
        if not send_invitation(invitation, token):
            told = _("The invitation could not be mailed. Send it again from the list of invitations.")
            self.message_user(request, told, messages.ERROR)


@admin.register(OutgoingMail)
class OutgoingMailAdmin(LookingAdmin):
    """Mail that has not been sent yet."""

    list_display = ["subject", "to", "created_at", "tries", "next_try_at"]
    search_fields = ["subject", "to"]
    date_hierarchy = "created_at"


@admin.register(Heartbeat)
class HeartbeatAdmin(LookingAdmin):
    list_display = ["name", "beat_at"]


@admin.register(LogEntry)
class LogEntryAdmin(LookingAdmin):
    """What staff did here. What became of a workspace's things stands in its events too, for its people to read."""

    list_display = ["action_time", link_to("user", _("person")), "object_repr", "content_type", "change_message"]
    list_select_related = ["user", "content_type"]
    list_filter = ["action_flag"]
    followed = frozenset({"user"})
    search_fields = ["object_repr", "change_message", "user__email", "user__name"]
    date_hierarchy = "action_time"
