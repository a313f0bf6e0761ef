"""axe finds nothing on any page of the admin, and the browser refuses nothing under the strict CSP."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django_q.models import Failure
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from devices.models import Device, Event, Property
from portal.models import User, Workspace
from portal.staff import page_of
from tests import factories
from tests.browser.conftest import assert_accessible, remember
from tests.staff.rows import MODELS, grow, pages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 800}


@pytest.fixture
def stella(db: None) -> User:
    return factories.UserFactory(name="Stella", is_staff=True, is_superuser=True)


@pytest.fixture
def desk(portal: Page, live_server: LiveServer, stella: User, workspace: Workspace) -> Page:
    """The admin with two rows of everything."""
    grow(workspace, 2)
    remember(portal, live_server.url, stella)
    return portal


LIGHT_AND_WIDE, DARK_AND_NARROW = ("light", WIDE), ("dark", NARROW)


def look_at(page: Page, url: str, *looks: tuple[str, dict[str, int]]) -> None:
    for scheme, size in looks or (LIGHT_AND_WIDE, DARK_AND_NARROW):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(url)
        assert_accessible(page)


def problems_of(page: Page, urls: list[str]) -> list[str]:
    """Of each address in one look, taking turns."""
    found = []
    for place, url in enumerate(urls):
        try:
            look_at(page, url, (LIGHT_AND_WIDE, DARK_AND_NARROW)[place % 2])
        except AssertionError as problem:
            found.append(str(problem))
    return found


def test_every_list(desk: Page, live_server: LiveServer) -> None:
    names = [f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in MODELS]
    found = problems_of(desk, [live_server.url + reverse(name) for name in names])
    assert not found, "\n".join(found)


@pytest.mark.parametrize("look", [LIGHT_AND_WIDE, DARK_AND_NARROW], ids=["light and wide", "dark and narrow"])
def test_pages_of_a_row(desk: Page, live_server: LiveServer, look: tuple[str, dict[str, int]]) -> None:
    """Those with a shape of their own: one to look at, with links and actions; forms; a traceback."""
    for model in (Device, Property, User, Group, Failure):
        look_at(desk, live_server.url + page_of(pages(model).first()), look)


def test_the_pages_around_them(desk: Page, live_server: LiveServer, workspace: Workspace) -> None:
    paths = [
        reverse("admin:index"),
        reverse("admin:app_list", args=["devices"]),
        reverse("admin:portal_workspace_add"),
        reverse("look_begin", args=[workspace.pk]),
        reverse("admin:portal_user_history", args=[User.objects.earliest("pk").pk]),
        page_of(workspace),
    ]
    found = problems_of(desk, [live_server.url + path for path in paths])
    assert not found, "\n".join(found)


def test_the_question_before_an_action(desk: Page, live_server: LiveServer) -> None:
    desk.goto(live_server.url + reverse("admin:backups_backupcode_changelist"))
    desk.get_by_role("checkbox").nth(1).check()
    desk.get_by_label("Action:").select_option("Replace")
    desk.get_by_role("button", name="Run").click()
    desk.get_by_role("heading", name="Replace").wait_for()
    for _scheme, size in (LIGHT_AND_WIDE, DARK_AND_NARROW):
        desk.emulate_media(color_scheme=_scheme)  # type: ignore[arg-type]
        desk.set_viewport_size(size)  # type: ignore[arg-type]
        assert_accessible(desk)


def test_a_look_at_a_portal_and_its_end(desk: Page, live_server: LiveServer, workspace: Workspace) -> None:
    desk.goto(live_server.url + page_of(workspace))
    desk.get_by_role("link", name="See it read-only").click()
    desk.get_by_role("button", name="See the portal").click()
    banner = desk.get_by_role("region", name="You are looking, read-only")
    banner.wait_for()
    look_at(desk, live_server.url + "/codes/")
    expect(banner).to_be_visible()
    banner.get_by_role("button", name="End the look").click()
    desk.get_by_text("You have stopped looking").wait_for()


def test_it_works_without_javascript(
    browser: Browser, live_server: LiveServer, stella: User, workspace: Workspace
) -> None:
    grow(workspace)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    remember(page, live_server.url, stella)
    device = Device.objects.get()
    page.goto(live_server.url + page_of(device))
    page.get_by_label("Action:").select_option("Check now")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Check now: done for 1 row.")).to_be_visible()
    assert Event.objects.filter(type=Event.Type.DEVICE_CHECKED, device=device).exists()
    context.close()


def test_the_way_in(portal: Page, live_server: LiveServer, stella: User) -> None:
    portal.goto(live_server.url + reverse("admin:index"))
    assert_accessible(portal)
    portal.get_by_label("Email").fill(stella.email)
    portal.get_by_label("Password").fill("correct horse")
    portal.get_by_role("button", name="Sign in").click()
    portal.get_by_role("heading", name="Everything in the portal").wait_for()
