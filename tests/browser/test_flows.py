"""The portal's flows from end to end, as a person presses through them, on a desktop and on a phone."""

import csv
import re
from pathlib import Path

import pytest
from django.core import mail
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from devices.models import Device, Property
from portal.models import Membership, User, Workspace
from tests import scene
from tests.browser.conftest import remember

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 360, "height": 740}}


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, portal: Page, live_server: LiveServer, alice: User) -> Page:
    """Alice's, signed in, on home, dark on the phone."""
    portal.set_viewport_size(SIZES[request.param])  # type: ignore[arg-type]
    portal.emulate_media(color_scheme="dark" if request.param == "phone" else "light", reduced_motion="reduce")
    remember(portal, live_server.url, alice)
    portal.goto(live_server.url)
    return portal


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def test_a_property_is_added_changed_and_moved_to_another_zone(page: Page, device: Device) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Devices").click()
    heading(page, "Devices")
    page.get_by_role("link", name=re.compile("Properties")).first.click()
    heading(page, "Properties")
    page.get_by_role("link", name=re.compile("Add", re.I)).first.click()
    heading(page, "Add a property")
    page.get_by_label("Name").fill("Harbour House")
    page.get_by_label("Time zone").fill("Europe/Atlantis")
    page.get_by_role("button", name=re.compile("Add|Save")).first.click()
    expect(page.get_by_text("is no time zone")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Harbour House")
    page.get_by_label("Time zone").fill("Europe/Oslo")
    page.get_by_role("button", name=re.compile("Add|Save")).first.click()
    expect(page.get_by_text("Harbour House").first).to_be_visible()
    place = Property.objects.get(name="Harbour House")
    page.goto(page.url.partition("/properties")[0] + f"/properties/{place.pk}/")
    page.get_by_label("Address").fill("1 Quay Street")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("“Harbour House” is saved.")).to_be_visible()
    place.refresh_from_db()
    assert (place.address, place.time_zone) == ("1 Quay Street", "Europe/Oslo")


def test_settings_are_changed_and_wrong_ones_named(page: Page, live_server: LiveServer, workspace: Workspace) -> None:
    page.get_by_role("link", name="Settings").click()
    heading(page, "Settings")
    page.get_by_label("Late access").fill("soon")
    page.get_by_label("Name of the workspace").fill("Lakeview & Sons")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Nothing has been saved.")).to_be_visible()
    expect(page.get_by_label("Late access")).to_have_value("soon")
    page.get_by_label("Late access").fill("30 min")
    page.get_by_role("group", name="An old code may still open a door").get_by_label("Night").check()
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Settings saved.")).to_be_visible()
    workspace.refresh_from_db()
    assert workspace.name == "Lakeview & Sons" and "night" in workspace.mail_roles["overdue"]
    page.goto(f"{live_server.url}/activity/?kind=team")
    expect(page.get_by_text("Settings changed:")).to_contain_text("late access")


def test_somebody_is_invited_joins_and_gets_another_role(page: Page, live_server: LiveServer) -> None:
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="People").click()
    heading(page, "People")
    page.get_by_label("E-mail").fill("noor@example.org")
    page.get_by_label("Viewer").check()
    page.get_by_role("button", name=re.compile("Invite|Send")).first.click()
    expect(page.get_by_text("An invitation is on its way to noor@example.org.")).to_be_visible()
    link = re.search(r"https?://[^/\s]+(/join/\S+)", str(mail.outbox[-1].body))
    assert link is not None

    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(viewport=page.viewport_size)
    hers = context.new_page()
    hers.goto(live_server.url + link[1])
    hers.get_by_label("Your name").fill("Noor Haddad")
    hers.get_by_label("Password").fill("a long and windy road")
    hers.get_by_role("button", name="Join").click()
    expect(hers.get_by_text("Welcome to Lakeview Stays.")).to_be_visible()
    expect(hers.get_by_role("link", name="Settings")).to_have_count(0)

    page.reload()
    noor = Membership.objects.get(user__email="noor@example.org")
    page.goto(f"{live_server.url}/settings/people/{noor.public_id}/role/")
    page.get_by_label("Manager").check()
    page.get_by_role("button", name=re.compile("Change|Save")).first.click()
    expect(page.get_by_text("Noor Haddad’s role is changed.")).to_be_visible()
    hers.reload()
    expect(hers.get_by_role("link", name="Settings")).to_be_visible()
    page.goto(f"{live_server.url}/settings/people/{noor.public_id}/remove/")
    page.get_by_role("button", name=re.compile("Remove")).click()
    expect(page.get_by_text("Noor Haddad is out of the workspace.")).to_be_visible()
    context.close()


def test_activity_is_filtered_and_exported(page: Page, device: Device, tmp_path: Path) -> None:
    scene.lively(device)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Activity").click()
    heading(page, "Activity")
    page.get_by_label("Kind").select_option("backups")
    page.get_by_label("Guest or backup").fill("okafor")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".timeline li")).to_have_count(1)
    expect(page.locator(".timeline")).to_contain_text("Ben Okafor")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    kept = tmp_path / "activity.csv"
    download.value.save_as(kept)
    rows = list(csv.reader(kept.read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 2 and any("Ben Okafor" in cell for cell in rows[1])
    page.get_by_role("link", name="Clear filter").first.click()
    expect(page.locator(".timeline li").nth(1)).to_be_visible()


def test_a_warning_is_taken_on(page: Page, device: Device) -> None:
    scene.exhausted(device)
    page.reload()
    row = page.get_by_role("row", name=re.compile("Chloé Martin"))
    row.get_by_role("button", name="I’m on it").click()
    expect(page.get_by_text("You are on it.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Chloé Martin"))).to_contain_text("Alice is on it since")
    page.get_by_role("button", name="I’m on it (Front door)").click()
    page.get_by_role("button", name="I’m on it (Felix Past)").click()
    expect(page.get_by_role("button", name="I’m on it")).to_have_count(0)
    expect(page.locator("#nav-home .count")).to_have_count(0)
