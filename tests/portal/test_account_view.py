"""`/settings/account/`: one's own name, ways to sign in, and workspaces."""

import re

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from portal.models import MailKind, Membership, User, Workspace
from tests import factories

URL = "/settings/account/"


def test_everybody_has_one(client: Client, vera: User) -> None:
    client.force_login(vera)
    page = client.get(URL).content.decode()
    assert vera.email in page and "Lakeview Stays" in page
    for name in ("account_email", "account_change_password", "mfa_index"):
        assert f'href="{reverse(name)}"' in page


def test_somebody_without_a_workspace_has_one_too(client: Client, db: None) -> None:
    client.force_login(factories.UserFactory())
    assert b"You belong to no workspace yet." in client.get(URL).content


def test_the_name_can_be_changed(signed_in: Client, alice: User) -> None:
    signed_in.post(URL, {"name": " Alice Lake "})
    alice.refresh_from_db()
    assert alice.name == "Alice Lake"


def test_one_switches_between_ones_workspaces(signed_in: Client, alice: User, workspace: Workspace) -> None:
    second = factories.MembershipFactory(user=alice, workspace__name="Harbour Rooms").workspace
    theirs = factories.DeviceFactory(property__workspace=second, name="Harbour door")
    mine = factories.DeviceFactory(property__workspace=workspace, name="Lake door")
    assert b"Harbour Rooms" in signed_in.get(URL).content
    signed_in.post(reverse("workspace_switch"), {"workspace": str(second.pk)})
    page = signed_in.get(reverse("device_list")).content.decode()
    assert theirs.name in page and mine.name not in page
    assert "</span>Harbour Rooms</a>" in page
    assert signed_in.get(reverse("device", args=[mine.pk])).status_code == 404


def test_who_has_one_workspace_is_not_told_which(signed_in: Client) -> None:
    assert b"#workspaces" not in signed_in.get(reverse("device_list")).content


@pytest.mark.parametrize("value", ["", "nonsense"])
def test_nonsense_switches_nothing(signed_in: Client, value: str) -> None:
    signed_in.post(reverse("workspace_switch"), {"workspace": value})
    assert "workspace" not in signed_in.session


def test_nobody_switches_into_a_strangers_workspace(client: Client, charlie: User, workspace: Workspace) -> None:
    client.force_login(charlie)
    client.post(reverse("workspace_switch"), {"workspace": str(workspace.pk)})
    assert "workspace" not in client.session


@pytest.mark.parametrize(
    "name",
    ["account_email", "account_change_password", "account_reauthenticate", "mfa_index", "account_reset_password"],
)
def test_the_pages_about_signing_in_look_like_ours(signed_in: Client, name: str) -> None:
    page = signed_in.get(reverse(name), follow=True)
    assert page.status_code == 200
    assert b'<header class="top">' in page.content
    assert b"style=" not in page.content and b"<script>" not in page.content


def test_a_new_address_counts_only_once_its_mail_was_answered(
    client: Client, alice: User, mailoutbox: list[EmailMessage]
) -> None:
    client.post(reverse("account_login"), {"login": alice.email, "password": "correct horse"})
    client.post(reverse("account_email"), {"email": "alice@lake.example", "action_add": ""})
    before = alice.email
    alice.refresh_from_db()
    assert alice.email == before
    assert b"We have written to alice@lake.example." in client.get(reverse("account_email")).content
    link = re.search(r"http://testserver(/\S+)", str(mailoutbox[-1].body))
    assert link and mailoutbox[-1].to == ["alice@lake.example"]
    assert client.get(link[1]).status_code == 200
    client.post(link[1])
    alice.refresh_from_db()
    assert alice.email == "alice@lake.example"


MAILS = "/settings/account/mails/"


def unwanted(user: User) -> list[str] | None:
    return Membership.objects.get(user=user).unwanted_mails


def test_one_turns_warnings_off_and_on(signed_in: Client, bob: User, workspace: Workspace) -> None:
    signed_in.force_login(bob)
    assert signed_in.get(URL).content.decode().count('name="wanted"') == len(MailKind)
    answer = signed_in.post(MAILS, {"wanted": ["uncovered", "reported"]})
    assert answer["Location"] == f"{URL}#mails"
    assert set(unwanted(bob) or []) == set(MailKind.values) - {"uncovered", "reported"}
    page = signed_in.get(URL).content.decode()
    assert "Saved: the warnings you get by e-mail." in page and page.count("checked") == 2
    signed_in.post(MAILS, {"wanted": MailKind.values})
    assert unwanted(bob) == []


def test_only_what_ones_role_hears_of_is_asked(client: Client, nina: User, vera: User, alice: User) -> None:
    client.force_login(nina)
    assert client.get(URL).content.decode().count('name="wanted"') == 3
    client.post(MAILS, {"wanted": ["uncovered"]})
    assert set(unwanted(nina) or []) == {"reported", "pin_changed"}
    client.force_login(vera)
    page = client.get(URL).content.decode()
    assert "Your role gets none." in page and 'name="wanted"' not in page


def test_a_kind_that_is_none_of_ones_own_is_refused(client: Client, nina: User, alice: User) -> None:
    client.force_login(nina)
    client.post(MAILS, {"wanted": ["several"]})
    assert unwanted(nina) is None
    assert "Nothing has been saved." in client.get(URL).content.decode()


def test_the_last_who_hears_of_a_guest_without_a_code_is_told(signed_in: Client, alice: User, bob: User) -> None:
    others = [kind for kind in MailKind.values if kind != "uncovered"]
    told = "The owners get it all the same"
    signed_in.post(MAILS, {"wanted": others})
    assert told not in signed_in.get(URL).content.decode()
    signed_in.force_login(bob)
    signed_in.post(MAILS, {"wanted": others})
    assert told in signed_in.get(URL).content.decode()
    signed_in.force_login(alice)
    assert told in signed_in.get(reverse("settings")).content.decode()


def test_mails_are_a_post_and_a_members(client: Client, signed_in: Client, db: None) -> None:
    assert signed_in.get(MAILS).status_code == 405
    client.force_login(factories.UserFactory())
    assert client.post(MAILS, {"wanted": []}).status_code == 403
