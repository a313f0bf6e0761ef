"""People in the admin. Whoever could change an address, a password or a right could become anybody: superusers only."""

from typing import Any

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401  both register their own first, which these replace
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from portal import people
from portal.models import Invitation, Membership, User
from portal.people_mail import send_invitation
from portal.staff import LookingAdmin, SeeAlso, asks, link_to, person

for replaced in (Group, EmailAddress, Authenticator):
    admin.site.unregister(replaced)


@admin.register(User)
class PersonAdmin(LookingAdmin, UserAdmin[User]):
    """Nobody is deleted: what a person did keeps its name. Made inactive, a person signs in nowhere."""

    ordering = ["email"]
    list_display = ["email", "name", "is_staff", "is_superuser", "is_active", "last_login"]
    list_filter = ["is_staff", "is_superuser", "is_active", "groups"]
    search_fields = ["email", "name", "memberships__workspace__name"]
    date_hierarchy = "date_joined"
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    see_also = [
        SeeAlso(_("Workspaces"), "portal_membership", "user"),
        SeeAlso(_("Addresses"), "account_emailaddress", "user"),
        SeeAlso(_("Second factors"), "mfa_authenticator", "user"),
        SeeAlso(_("What they did as staff"), "admin_logentry", "user"),
    ]
    fieldsets = [
        (None, {"fields": ["related", "email", "name", "password"]}),
        (_("May do"), {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["email", "name", "usable_password", "password1", "password2"]})
    ]
    actions = ["shut_out", "let_in"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return person(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return person(request).is_superuser

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if not person(request).is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Even a password's hash is for nobody to look at."""
        fieldsets = super().get_fieldsets(request, obj)
        if person(request).is_superuser:
            return fieldsets
        return [(words, {**of, "fields": [f for f in of["fields"] if f != "password"]}) for words, of in fieldsets]

    @asks(_("Shut out"), will=_("The person is signed out everywhere and can sign in no more."), danger=True)
    def shut_out(self, request: HttpRequest, user: User) -> None:
        people.shut_out(user, actor=person(request))

    @asks(_("Let in again"), will=_("The person can sign in again."))
    def let_in(self, request: HttpRequest, user: User) -> None:
        people.let_in(user, actor=person(request))


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin):
    """What kinds of staff may do; `manage.py staff_groups` writes the usual two. Superusers alone see and change it."""

    list_per_page = 50
    filter_horizontal = ()  # its search boxes have no names that a screen reader reads

    def has_module_permission(self, request: HttpRequest) -> bool:
        return person(request).is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return person(request).is_superuser

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return person(request).is_superuser


@admin.register(Membership)
class MembershipAdmin(LookingAdmin):
    """Who belongs where. People are invited and removed by the workspace's owners, or made one here."""

    list_display = ["__str__", link_to("user", _("person")), link_to("workspace", _("workspace")), "role"]
    list_select_related = ["user", "workspace"]
    list_filter = ["role"]
    followed = frozenset({"workspace", "user"})
    search_fields = ["user__email", "user__name", "workspace__name"]
    ordering = ["workspace__name", "user__email"]
    actions = ["make_owner"]

    @asks(_("Make owner"), will=_("The person may then change the settings, invite people and remove them."))
    def make_owner(self, request: HttpRequest, membership: Membership) -> None:
        people.change_role(membership, Membership.Role.OWNER, actor=person(request))


@admin.register(Invitation)
class InvitationAdmin(LookingAdmin):
    list_display = [
        "email",
        link_to("workspace", _("workspace")),
        "role",
        link_to("invited_by", _("invited by")),
        "created_at",
        "expires_at",
        "accepted_at",
        "revoked_at",
    ]
    list_select_related = ["workspace", "invited_by"]
    list_filter = ["role"]
    followed = frozenset({"workspace"})
    search_fields = ["email", "workspace__name"]
    date_hierarchy = "created_at"
    actions = ["send_again"]

    @asks(_("Send again"), will=_("Each person gets a new mail, whose link is good for a week. Earlier links end."))
    def send_again(self, request: HttpRequest, invitation: Invitation) -> None:
        anew, token = people.resend(invitation, actor=person(request))
        if not send_invitation(anew, token):
            self.message_user(request, _("The mail to %s could not be sent.") % anew.email, messages.ERROR)


@admin.register(EmailAddress)
class AddressAdmin(LookingAdmin):
    """To look at: who could mark somebody's new address as proven could sign in as them."""

    list_display = ["email", link_to("user", _("person")), "primary", "verified"]
    list_select_related = ["user"]
    list_filter = ["primary", "verified"]
    followed = frozenset({"user"})
    search_fields = ["email", "user__name"]


@admin.register(Authenticator)
class SecondFactorAdmin(LookingAdmin):
    """Second factors, without their secrets."""

    list_display = ["type", link_to("user", _("person")), "created_at", "last_used_at"]
    list_select_related = ["user"]
    list_filter = ["type"]
    followed = frozenset({"user"})
    search_fields = ["user__email", "user__name"]
    exclude = ["data"]
    date_hierarchy = "created_at"
    actions = ["take_away"]

    def has_act_permission(self, request: HttpRequest) -> bool:
        return person(request).is_superuser

    @asks(
        _("Take the second factor away"),
        will=_("For a lost phone. The person signs in with the password alone until they set up another."),
        danger=True,
    )
    def take_away(self, request: HttpRequest, factor: Any) -> None:
        people.take_factor_away(factor)
