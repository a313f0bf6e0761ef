"""`/join/<token>/`: an invitation lets in whom it is meant for, once."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from portal import people
from portal.models import Invitation, Membership, User, Workspace
from tests import factories

TYPED = {"name": "Noor Haddad", "password": "a long and windy road"}


@pytest.fixture
def path(workspace: Workspace, alice: User) -> str:
    """Where an invitation of new@example.org, as night staff, leads."""
    _invitation, token = people.invite(workspace=workspace, email="New@Example.org", role="night", actor=alice)
    return reverse("join", args=[token])


def member(email: str, workspace: Workspace) -> Membership | None:
    return Membership.objects.filter(user__email=email, workspace=workspace).first()


def test_a_new_person_makes_an_account_and_is_in(client: Client, path: str, workspace: Workspace) -> None:
    page = client.get(path).content.decode()
    assert "Join Lakeview Stays" in page and "as: Night" in page
    assert client.post(path, TYPED)["Location"] == "/"
    joined = member("new@example.org", workspace)
    assert joined and (joined.role, joined.user.name) == ("night", "Noor Haddad")
    assert EmailAddress.objects.get(user=joined.user).verified
    assert client.get(reverse("device_list")).status_code == 200


def test_they_can_sign_in_afterwards(client: Client, path: str) -> None:
    client.post(path, TYPED)
    again = Client()
    answer = again.post("/accounts/login/", {"login": "NEW@example.org", "password": TYPED["password"]})
    assert answer["Location"] == "/"


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"password": "short"}, "too short"), ({"password": "password1"}, "too common"), ({"name": ""}, "required")],
)
def test_a_weak_password_or_no_name_is_refused(client: Client, path: str, changes: dict[str, str], words: str) -> None:
    page = client.post(path, {**TYPED, **changes}).content.decode()
    assert words in page and 'aria-invalid="true"' in page
    assert not User.objects.filter(email="new@example.org").exists()


def test_it_works_once(client: Client, path: str, workspace: Workspace) -> None:
    client.post(path, TYPED)
    second = Client()
    assert second.get(path).status_code == 410
    assert second.post(path, {**TYPED, "name": "Somebody else"}).status_code == 410
    assert Membership.objects.filter(workspace=workspace).count() == 2


def test_who_has_an_account_signs_in_and_joins(client: Client, path: str, workspace: Workspace) -> None:
    person = factories.UserFactory(email="new@example.org")
    page = client.get(path).content.decode()
    assert f"/accounts/login/?next={path}" in page and 'type="password"' not in page
    assert client.post(path, TYPED).status_code == 200
    assert member(person.email, workspace) is None
    client.force_login(person)
    assert client.get(path).status_code == 200
    assert member(person.email, workspace) is None
    assert client.post(path)["Location"] == "/"
    assert member(person.email, workspace) is not None
    assert client.session["workspace"] == str(workspace.pk)


def test_a_second_proven_address_counts_too(client: Client, path: str, charlie: User, workspace: Workspace) -> None:
    EmailAddress.objects.create(user=charlie, email="new@example.org", verified=True)
    client.force_login(charlie)
    client.post(path)
    assert member(charlie.email, workspace) is not None


def test_an_unproven_address_does_not_count(client: Client, path: str, charlie: User, workspace: Workspace) -> None:
    EmailAddress.objects.create(user=charlie, email="new@example.org", verified=False)
    client.force_login(charlie)
    client.post(path)
    assert member(charlie.email, workspace) is None


def test_somebody_else_cannot_use_it(client: Client, path: str, charlie: User, workspace: Workspace) -> None:
    client.force_login(charlie)
    page = client.get(path).content.decode()
    assert "Sign out first" in page
    client.post(path)
    assert member(charlie.email, workspace) is None
    assert Invitation.objects.open().exists()


def test_a_made_up_token_opens_nothing(client: Client, db: None) -> None:
    page = client.get(reverse("join", args=["made-up"]))
    assert page.status_code == 410
    assert b"This invitation can no longer be used" in page.content


def test_nothing_of_it_is_cached(client: Client, path: str) -> None:
    assert "no-store" in client.get(path)["Cache-Control"]
