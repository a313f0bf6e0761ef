"""People in the admin: no staff person can become somebody else, and what people did keeps their name."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.models import Invitation, Membership, User, Workspace
from portal.staff import page_of
from tests.staff.test_actions import say_yes
from tests.staff.test_pages import list_of


@pytest.fixture
def acting(client: Client, arto: User) -> Client:
    client.force_login(arto)
    return client


def test_a_person_can_be_added(staff: Client) -> None:
    fields = {"email": "new@example.org", "name": "New", "usable_password": "true"}
    passwords = {"password1": "correct horse battery", "password2": "correct horse battery"}
    assert staff.post(reverse("admin:portal_user_add"), {**fields, **passwords}).status_code == 302
    assert User.objects.filter(email="new@example.org").exists()


class TestStaffWhoAreNoSuperusers:
    @pytest.mark.parametrize(
        "change", [{"is_superuser": "on", "is_staff": "on"}, {"email": "arto@example.org"}, {"name": "Mallory"}]
    )
    def test_change_no_person(self, acting: Client, alice: User, arto: User, change: dict[str, str]) -> None:
        for user in (alice, arto):
            fields = {"email": user.email, "name": user.name, "is_active": "on"}
            assert acting.post(page_of(user), {**fields, **change}).status_code == 403
            again = User.objects.get(pk=user.pk)
            assert (again.email, again.name, again.is_superuser) == (user.email, user.name, False)

    def test_set_no_password(self, acting: Client, alice: User) -> None:
        url = reverse("admin:auth_user_password_change", args=[alice.pk])
        passwords = {
            "usable_password": "true",
            "password1": "correct horse battery",
            "password2": "correct horse battery",
        }
        assert acting.post(url, passwords).status_code == 403
        assert User.objects.get(pk=alice.pk).check_password("correct horse")

    def test_give_themselves_no_right(self, acting: Client, arto: User) -> None:
        group = arto.groups.get()
        assert acting.get(list_of(Group)).status_code == 403
        assert acting.post(page_of(group), {"name": group.name, "permissions": []}).status_code == 403
        assert acting.get(reverse("admin:portal_user_add")).status_code == 403

    def test_see_no_hash(self, acting: Client, alice: User) -> None:
        assert "md5" not in acting.get(page_of(alice)).content.decode()

    def test_prove_no_address(self, acting: Client, alice: User) -> None:
        unproven = EmailAddress.objects.create(user=alice, email="else@example.org")
        chosen = {"action": "make_verified", "_selected_action": [unproven.pk]}
        acting.post(list_of(EmailAddress), chosen)
        assert not EmailAddress.objects.get().verified

    def test_take_no_second_factor_away(self, acting: Client, alice: User) -> None:
        factor = Authenticator.objects.create(user=alice, type="totp", data={})
        say_yes_to = {"action": "take_away", "_selected_action": [factor.pk], "yes": "yes"}
        acting.post(list_of(Authenticator), say_yes_to)
        assert Authenticator.objects.exists()

    def test_shut_out_no_staff(self, acting: Client, stella: User) -> None:
        assert "Only a superuser" in say_yes(acting, [stella], "shut_out")[0]
        assert User.objects.get(pk=stella.pk).is_active


def test_shutting_somebody_out_ends_their_session(
    acting: Client, alice: User, arto: User, workspace: Workspace
) -> None:
    hers = Client()
    hers.force_login(alice)
    assert hers.get(reverse("home")).status_code == 200
    say_yes(acting, [alice], "shut_out")
    assert hers.get(reverse("home")).status_code == 302
    assert LogEntry.objects.get().user == arto
    say_yes(acting, [alice], "let_in")
    assert User.objects.get(pk=alice.pk).is_active


def test_nobody_shuts_themselves_out(staff: Client, stella: User) -> None:
    assert "cannot shut yourself out" in say_yes(staff, [stella], "shut_out")[0]
    assert User.objects.get(pk=stella.pk).is_active


def test_a_lost_phone_takes_its_recovery_codes_along(staff: Client, alice: User) -> None:
    factor = Authenticator.objects.create(user=alice, type="totp", data={})
    Authenticator.objects.create(user=alice, type="recovery_codes", data={})
    say_yes(staff, [factor], "take_away")
    assert not Authenticator.objects.exists()


def test_one_of_two_factors_leaves_the_other(staff: Client, alice: User) -> None:
    factor = Authenticator.objects.create(user=alice, type="totp", data={})
    Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Key"})
    Authenticator.objects.create(user=alice, type="recovery_codes", data={})
    say_yes(staff, [factor], "take_away")
    assert set(Authenticator.objects.values_list("type", flat=True)) == {"webauthn", "recovery_codes"}


def test_a_workspace_is_opened_with_an_invited_owner(acting: Client, arto: User) -> None:
    url = reverse("admin:portal_workspace_add")
    assert "owner" in acting.get(url).content.decode()
    assert acting.post(url, {"name": "Sea View", "owner": "olga@example.org"}).status_code == 302
    invitation = Invitation.objects.get()
    assert (invitation.workspace.name, invitation.role, invitation.invited_by) == ("Sea View", "owner", arto)
    assert mail.outbox[0].to == ["olga@example.org"]


@pytest.mark.parametrize("fields", [{"name": "", "owner": "a@example.org"}, {"name": "Sea View", "owner": "nobody"}])
def test_a_workspace_needs_a_name_and_an_owner(acting: Client, fields: dict[str, str]) -> None:
    response = acting.post(reverse("admin:portal_workspace_add"), fields)
    assert response.status_code == 200 and "errornote" in response.content.decode()
    assert not Workspace.objects.exists() and not mail.outbox


def test_a_workspaces_settings_are_its_owners(acting: Client, workspace: Workspace) -> None:
    assert acting.post(page_of(workspace), {"name": "Mine"}).status_code == 403
    workspace.refresh_from_db()
    assert workspace.name == "Lakeview Stays"


def test_somebody_is_made_owner(acting: Client, bob: User) -> None:
    membership = Membership.objects.get(user=bob)
    say_yes(acting, [membership], "make_owner")
    membership.refresh_from_db()
    assert membership.role == Membership.Role.OWNER


def test_an_invitation_is_sent_again(acting: Client, arto: User, alice: User, workspace: Workspace) -> None:
    first = Invitation.objects.create(
        workspace=workspace, email="new@example.org", invited_by=alice, token_digest="x", expires_at=timezone.now()
    )
    say_yes(acting, [first], "send_again")
    assert Invitation.objects.pending().get().invited_by == arto
    assert len(mail.outbox) == 1
    assert "accepted or taken back" in say_yes(acting, [first], "send_again")[0]
    assert len(mail.outbox) == 1


def test_people_are_found_by_their_workspace(acting: Client, alice: User, charlie: User) -> None:
    found = acting.get(list_of(User), {"q": "Lakeview"}).context["cl"].queryset
    assert list(found) == [alice]


def test_nobody_is_deleted(staff: Client, alice: User) -> None:
    assert staff.post(reverse("admin:portal_user_delete", args=[alice.pk]), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=alice.pk).exists()
