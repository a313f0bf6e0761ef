"""axe finds nothing on the pages about hubs and about locks that change or leave; and they refresh themselves."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from devices.models import Device, Hub, Property
from devices.tasks import discover_hub
from portal.models import User
from tests import factories, scene
from tests.browser.conftest import look_at_all, remember
from tests.devices.test_hub_search import paired

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(place: Property, hub: Hub, device: Device, alice: User) -> dict[str, str]:
    """Pages by name."""
    at = timezone.now()
    scene.lively(device)
    Hub.objects.update(property=place, searched_at=at, found=1)
    silent = factories.HubFactory(
        workspace=place.workspace, property=place, name="Attic", searched_at=at, search_silence="no_answer"
    )
    bare = factories.HubFactory(workspace=place.workspace, property=place, name="Barn", searched_at=at, found=0)
    leaving = factories.DeviceFactory(property=place, hub=hub, name="Side door")
    scene.exhausted(leaving)
    gone = factories.DeviceFactory(property=place, hub=hub, name="Garage")
    scene.guest(gone, "Ben Okafor", status="set")
    Device.objects.filter(pk=leaving.pk).update(removal="removing", removing_since=at - timedelta(hours=3))
    Device.objects.filter(pk=gone.pk).update(removal="removed", removed_at=at)
    return {
        "hubs": "/devices/hubs/",
        "silent hub": f"/devices/hubs/{silent.pk}/",
        "hub without locks": f"/devices/hubs/{bare.pk}/",
        "remove hub": f"/devices/hubs/{bare.pk}/remove/",
        "devices with troubled hubs": "/devices/",
        "lock being removed": f"/devices/{leaving.pk}/",
        "end a removal": f"/devices/{leaving.pk}/remove/force/",
        "removed lock": f"/devices/{gone.pk}/removed/",
    }


def test_pages(portal: Page, live_server: LiveServer, alice: User, world: dict[str, str]) -> None:
    remember(portal, live_server.url, alice)
    look_at_all(portal, live_server.url, world)


def test_a_hub_is_added_and_its_locks_appear_by_themselves(
    portal: Page, live_server: LiveServer, alice: User, place: Property
) -> None:
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/devices/add/")
    portal.get_by_label("Kind of hub").select_option("simulator")
    portal.get_by_label("Name").fill("Cellar")
    portal.get_by_label("Address").fill("cellar")
    portal.get_by_label("Property", exact=True).select_option("Lakeview Cottage")
    portal.get_by_role("button", name="Find its locks").click()
    expect(portal.get_by_role("heading", name="Looking for the locks of Cellar")).to_be_visible()
    hub = Hub.objects.get()
    paired(hub, "Attic")
    discover_hub(str(hub.pk))
    expect(portal.get_by_text("1 lock found")).to_be_visible()
    expect(portal.get_by_role("link", name="Attic")).to_be_visible()
    expect(portal.get_by_role("button", name="Look for new locks")).to_be_visible()


def test_the_page_of_a_lock_that_is_gone_gives_way_to_what_is_left(
    portal: Page, live_server: LiveServer, alice: User, device: Device
) -> None:
    Device.objects.update(removal="removing", removing_since=timezone.now())
    remember(portal, live_server.url, alice)
    portal.goto(f"{live_server.url}/devices/{device.pk}/")
    expect(portal.get_by_role("heading", name="This lock is being removed")).to_be_visible()
    Device.objects.update(removal="removed", removed_at=timezone.now())
    expect(portal.get_by_role("heading", name="Front door is removed")).to_be_visible()
