"""`/settings/people/`: who is in the workspace, what they may do, and who is invited."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.models import Invitation, Membership, User, Workspace
from tests import factories

Role = Membership.Role


def of(user: User, workspace: Workspace) -> Membership:
    return Membership.objects.get(user=user, workspace=workspace)


def ask(client: Client, email: str = "new@example.org", role: str = "manager") -> str:
    """Invites, and gives the path of the link in the mail."""
    mail.outbox.clear()
    client.post(reverse("person_invite"), {"email": email, "role": role})
    (message,) = mail.outbox
    found = re.search(r"/join/[\w-]+/", str(message.body))
    assert found
    return found[0]


def test_it_lists_people_with_their_roles(signed_in: Client, bob: User, vera: User, charlie: User) -> None:
    page = signed_in.get(reverse("people")).content.decode()
    assert "Bob" in page and "Vera" in page and "Viewer" in page
    assert "Charlie" not in page


def test_managers_look_and_do_not_change(client: Client, bob: User, vera: User, workspace: Workspace) -> None:
    client.force_login(bob)
    page = client.get(reverse("people")).content.decode()
    assert "Vera" in page and "Send invitation" not in page and "Remove" not in page
    answer = client.post(reverse("person_role", args=[of(vera, workspace).public_id]), {"role": "owner"})
    assert answer.status_code == 403
    assert of(vera, workspace).role == Role.VIEWER


def test_an_owner_changes_a_role(signed_in: Client, bob: User, workspace: Workspace) -> None:
    url = reverse("person_role", args=[of(bob, workspace).public_id])
    assert b"What may Bob do?" in signed_in.get(url).content
    signed_in.post(url, {"role": "night"})
    assert of(bob, workspace).role == Role.NIGHT


def test_an_unknown_role_is_refused(signed_in: Client, bob: User, workspace: Workspace) -> None:
    signed_in.post(reverse("person_role", args=[of(bob, workspace).public_id]), {"role": "king"})
    assert of(bob, workspace).role == Role.MANAGER


def test_an_owner_removes_a_person_at_once(signed_in: Client, bob: User, workspace: Workspace) -> None:
    theirs = Client()
    theirs.force_login(bob)
    assert theirs.get(reverse("device_list")).status_code == 200
    url = reverse("person_remove", args=[of(bob, workspace).public_id])
    assert b"Remove Bob from Lakeview Stays?" in signed_in.get(url).content
    signed_in.post(url)
    assert theirs.get(reverse("device_list")).status_code == 403


@pytest.mark.parametrize("name", ["person_remove", "person_role"])
def test_the_last_owner_stays(signed_in: Client, alice: User, bob: User, workspace: Workspace, name: str) -> None:
    page = signed_in.post(reverse(name, args=[of(alice, workspace).public_id]), {"role": "viewer"}).content
    assert b"A workspace keeps one owner at least." in page
    assert of(alice, workspace).role == Role.OWNER


def test_one_of_two_owners_may_go(signed_in: Client, alice: User, bob: User, workspace: Workspace) -> None:
    Membership.objects.filter(user=bob).update(role=Role.OWNER)
    signed_in.post(reverse("person_remove", args=[of(alice, workspace).public_id]))
    assert not Membership.objects.filter(user=alice, workspace=workspace).exists()


def test_another_workspaces_people_are_not_found(signed_in: Client, charlie: User) -> None:
    theirs = Membership.objects.get(user=charlie)
    for name in ("person_role", "person_remove"):
        assert signed_in.post(reverse(name, args=[theirs.public_id]), {"role": "viewer"}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.role == Role.OWNER


def test_nobody_finds_a_person_by_counting(signed_in: Client, bob: User, workspace: Workspace) -> None:
    for there_is_none in (of(bob, workspace).pk, uuid4()):
        answer = signed_in.post(f"/settings/people/{there_is_none}/role/", {"role": "viewer"})
        assert answer.status_code == 404
    assert of(bob, workspace).role == Role.MANAGER


def test_a_person_whom_the_previous_release_let_in_has_an_address_too(
    signed_in: Client, workspace: Workspace, charlie: User
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO portal_membership (user_id, workspace_id, role) SELECT %s, workspace_id, 'viewer'"
            " FROM portal_membership WHERE workspace_id = %s LIMIT 1",
            [charlie.pk, workspace.pk.hex if connection.vendor == "sqlite" else workspace.pk],
        )
    theirs = of(charlie, workspace)
    assert reverse("person_role", args=[theirs.public_id]) in signed_in.get(reverse("people")).content.decode()
    assert Membership.objects.values("public_id").distinct().count() == Membership.objects.count()


def test_an_invitation_goes_by_mail_and_is_listed(signed_in: Client) -> None:
    path = ask(signed_in, "new@example.org", "viewer")
    (message,) = mail.outbox
    assert message.to == ["new@example.org"]
    assert message.subject == "Alice invites you to Lakeview Stays"
    page = signed_in.get(reverse("people")).content.decode()
    assert "new@example.org" in page and "The link works until" in page
    assert path not in page
    assert Invitation.objects.get().token_digest not in path


def test_a_member_is_not_invited_again(signed_in: Client, bob: User) -> None:
    page = signed_in.post(reverse("person_invite"), {"email": bob.email.upper(), "role": "viewer"}).content
    assert b"This person is in the workspace already." in page
    assert not mail.outbox


def test_inviting_twice_ends_the_first_link(signed_in: Client, client: Client) -> None:
    first, second = ask(signed_in, "New@example.org"), ask(signed_in, "new@example.org")
    assert Invitation.objects.pending().count() == 1
    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 200


def test_sent_again_it_has_a_new_link_and_a_new_week(signed_in: Client) -> None:
    first = ask(signed_in)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert b"Expired: send it again" in signed_in.get(reverse("people")).content
    mail.outbox.clear()
    signed_in.post(reverse("invitation_resend", args=[Invitation.objects.get().pk]))
    assert first not in mail.outbox[0].body
    assert Invitation.objects.open().count() == 1


def test_taken_back_it_opens_nothing(signed_in: Client) -> None:
    path = ask(signed_in)
    signed_in.post(reverse("invitation_revoke", args=[Invitation.objects.get().pk]))
    assert Client().get(path).status_code == 410
    assert b"new@example.org" not in signed_in.get(reverse("people")).content.split(b"</ul>")[-1]


def test_a_mail_that_cannot_be_sent_is_said(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(message: object) -> None:
        raise ConnectionRefusedError("secret of the mail server")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    page = signed_in.post(reverse("person_invite"), {"email": "new@example.org", "role": "viewer"}, follow=True)
    assert "Try “Send again” in a few minutes." in page.content.decode()
    assert "ConnectionRefusedError" in caplog.text and "secret" not in caplog.text


def test_another_workspaces_invitation_is_not_found(signed_in: Client, charlie: User) -> None:
    path = ask(signed_in)
    theirs = Client()
    theirs.force_login(charlie)
    pk = Invitation.objects.get().pk
    for name in ("invitation_resend", "invitation_revoke"):
        assert theirs.post(reverse(name, args=[pk])).status_code == 404
    assert Client().get(path).status_code == 200


def test_an_invitation_ends_after_a_week(signed_in: Client) -> None:
    path = ask(signed_in)
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        assert Client().get(path).status_code == 410


def test_ten_more_people_cost_no_more_queries(signed_in: Client, workspace: Workspace) -> None:
    with CaptureQueriesContext(connection) as few:
        signed_in.get(reverse("people"))
    factories.MembershipFactory.create_batch(10, workspace=workspace)
    with CaptureQueriesContext(connection) as many:
        signed_in.get(reverse("people"))
    assert len(many) == len(few) <= 10
