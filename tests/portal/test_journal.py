"""Who changed the settings, invited, changed or removed whom is in the activity, by name."""

import pytest
from django.test import Client
from django.urls import reverse

from devices.models import Event
from portal import people
from portal.models import Membership, User, Workspace
from tests.portal.test_settings_view import typed


def told(client: Client, **query: str) -> str:
    return client.get("/activity/", query).content.decode()


def test_settings(signed_in: Client, alice: User) -> None:
    signed_in.post("/settings/", typed(reveal_lead="2 days", late_access="1 h"))
    page = told(signed_in, kind="team")
    assert "Settings changed: " in page and "reveal time" in page and "late access" in page and "By Alice." in page
    assert Event.objects.get(type="workspace.settings_changed").actor == alice


def test_settings_that_stay_as_they_are_are_no_news(signed_in: Client) -> None:
    signed_in.post("/settings/", typed())
    before = Event.objects.count()
    signed_in.post("/settings/", typed())
    assert Event.objects.count() == before


def test_an_invitation_from_asking_to_joining(signed_in: Client, alice: User, workspace: Workspace) -> None:
    signed_in.post(reverse("person_invite"), {"email": "noor@example.org", "role": "night"})
    assert "noor@example.org invited as Night" in told(signed_in)
    invitation = workspace.invitations.get()
    signed_in.post(reverse("invitation_revoke", args=[invitation.pk]))
    assert "Invitation of noor@example.org taken back" in told(signed_in)
    again, _token = people.invite(workspace=workspace, email="noor@example.org", role="viewer", actor=alice)
    people.accept_as_new(again, name="Noor Haddad", password="a long and windy road")
    assert "Noor Haddad joined as Viewer" in told(signed_in)


def test_a_role_and_a_farewell(signed_in: Client, bob: User) -> None:
    person = Membership.objects.get(user=bob)
    signed_in.post(reverse("person_role", args=[person.public_id]), {"role": "viewer"})
    assert "Bob is Viewer now, was Manager" in told(signed_in)
    signed_in.post(reverse("person_remove", args=[person.public_id]))
    assert "Bob is out of the workspace" in told(signed_in)


def test_what_is_refused_is_not_told(signed_in: Client, alice: User) -> None:
    mine = Membership.objects.get(user=alice)
    signed_in.post(reverse("person_role", args=[mine.public_id]), {"role": "viewer"})
    signed_in.post(reverse("person_remove", args=[mine.public_id]))
    assert not Event.objects.exists()


@pytest.mark.parametrize("url", ["/activity/", "/activity/export.csv"])
def test_another_workspace_hears_nothing(
    client: Client, charlie: User, alice: User, workspace: Workspace, url: str
) -> None:
    people.invite(workspace=workspace, email="noor@example.org", role="night", actor=alice)
    client.force_login(charlie)
    assert b"noor" not in client.get(url).getvalue()
