"""axe finds nothing on the pages about settings, people, invitations and one's own account."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from portal import people
from portal.models import User, Workspace
from tests import factories
from tests.browser.conftest import Watch, assert_accessible, look_at, look_at_all, remember

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def crowd(alice: User, bob: User, nina: User, workspace: Workspace) -> dict[str, str]:
    """Pages by name, of a workspace with people and an open invitation; Alice has another one too."""
    people.invite(
        workspace=workspace, email="somebody.with.a.long.name@hospitality.example", role="viewer", actor=alice
    )
    factories.MembershipFactory(user=alice, workspace__name="Harbour Rooms")
    return {"people": reverse("people"), "account": reverse("account")}


def test_pages_of_an_owner(portal: Page, live_server: LiveServer, alice: User, crowd: dict[str, str]) -> None:
    remember(portal, live_server.url, alice)
    look_at_all(portal, live_server.url, crowd)


def test_settings_with_something_wrong(portal: Page, live_server: LiveServer, alice: User) -> None:
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/settings/")
    portal.get_by_label("Early access").fill("soon")
    portal.get_by_role("button", name="Save settings").click()
    portal.get_by_text("Nothing has been saved.").wait_for()
    assert_accessible(portal)


def test_settings_as_a_manager_sees_them(portal: Page, live_server: LiveServer, bob: User) -> None:
    remember(portal, live_server.url, bob)
    look_at(portal, f"{live_server.url}/settings/")


def test_an_invitation(portal: Page, watch: Watch, live_server: LiveServer, alice: User, workspace: Workspace) -> None:
    _invitation, token = people.invite(workspace=workspace, email="new@example.org", role="night", actor=alice)
    look_at(portal, f"{live_server.url}{reverse('join', args=[token])}")
    portal.get_by_label("Your name").fill("Noor Haddad")
    portal.get_by_label("Password").fill("a long and windy road")
    portal.get_by_role("button", name="Join").click()
    portal.get_by_text("Welcome to Lakeview Stays.").wait_for()
    watch.allowed.add(410)
    look_at(portal, f"{live_server.url}{reverse('join', args=[token])}")
