"""The pages about hubs: all of them, one while its locks are being found, changing, asking again, removing."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django_q.models import OrmQ

from devices.models import Device, Event, Hub, Property
from portal.models import User
from tests import factories


@pytest.fixture
def hub(place: Property) -> Hub:
    return factories.HubFactory(
        workspace=place.workspace, provider="zwave", name="Cellar", address="ws://192.0.2.7:3000", property=place
    )


def at(name: str, hub: Hub) -> str:
    return reverse(name, args=[hub.pk])


def words(client: Client, url: str) -> str:
    return " ".join(strip_tags(client.get(url).content.decode().split('id="main"')[1]).split())


def typed(place: Property, **changes: str) -> dict[str, str]:
    return {"name": "Cellar", "address": "ws://192.0.2.8:3000", "property": str(place.pk), **changes}


def silent(hub: Hub) -> None:
    Hub.objects.update(searched_at=timezone.now(), search_silence=Hub.Silence.NO_ANSWER)


class TestTheHubsPage:
    def test_while_it_is_being_asked_it_says_so_and_looks_again_soon(self, signed_in: Client, hub: Hub) -> None:
        Hub.objects.update(searching_since=timezone.now())
        assert "Looking for the locks of Cellar" in words(signed_in, at("hub", hub))
        page = signed_in.get(at("hub", hub)).content.decode()
        assert "every 4s" in page and "Look again" not in page

    def test_silent_it_says_why_and_offers_another_try(self, signed_in: Client, hub: Hub) -> None:
        silent(hub)
        page = words(signed_in, at("hub", hub))
        assert "Cellar does not answer" in page and "it did not answer in time." in page
        assert "(Lisbon time)" in page and "Try again" in page

    def test_without_locks_it_says_what_to_do(self, signed_in: Client, hub: Hub) -> None:
        Hub.objects.update(searched_at=timezone.now(), found=0)
        page = words(signed_in, at("hub", hub))
        assert "Cellar has no locks" in page and "Pair the locks in the hub’s own app" in page

    def test_found_locks_are_listed_with_connection_and_pool(self, signed_in: Client, hub: Hub) -> None:
        Hub.objects.update(searched_at=timezone.now(), found=2)
        lock = factories.DeviceFactory(property=hub.property, hub=hub, name="Attic")
        factories.BackupPoolFactory(device=lock)
        factories.DeviceFactory(property=hub.property, hub=hub, name="Shed", removal=Device.Removal.REMOVED)
        page = words(signed_in, at("hub", hub))
        assert "2 locks found Attic" in page and "0 of 5 ready" in page
        assert "not added again by a search: Shed" in page and "Look for new locks" in page

    def test_its_poll_sends_what_changed_and_else_nothing(self, signed_in: Client, hub: Hub) -> None:
        page = signed_in.get(at("hub", hub)).content.decode()
        fields = dict(
            part.split('name="')[1].split('" value="')
            for part in (line.split('" autocomplete')[0] for line in page.split('class="seen" type="hidden" ')[1:])
        )
        assert signed_in.get(at("hub_live", hub), fields).status_code == 204
        silent(hub)
        assert "does not answer" in signed_in.get(at("hub_live", hub), fields).content.decode()

    def test_a_viewer_looks_and_changes_nothing(self, client: Client, vera: User, hub: Hub) -> None:
        client.force_login(vera)
        page = words(client, at("hub", hub))
        assert "Cellar" in page and "Look again" not in page and "Change" not in page

    def test_its_address_is_for_those_who_may_change_it(self, signed_in: Client, hub: Hub) -> None:
        assert "192.0.2.7" not in signed_in.get(at("hub", hub)).content.decode()
        assert "192.0.2.7" in signed_in.get(at("hub_edit", hub)).content.decode()

    @pytest.mark.parametrize("count", [3, 10])
    def test_queries_do_not_grow_with_locks(self, signed_in: Client, hub: Hub, count: int) -> None:
        for lock in factories.DeviceFactory.create_batch(count, property=hub.property, hub=hub):
            factories.BackupCodeFactory(pool=factories.BackupPoolFactory(device=lock))
        for name in ("hub", "hub_live"):
            with CaptureQueriesContext(connection) as queries:
                signed_in.get(at(name, hub))
            assert len(queries) <= 8, [q["sql"][:90] for q in queries]


class TestAllHubs:
    def test_each_with_its_search_and_its_locks(self, signed_in: Client, hub: Hub) -> None:
        silent(hub)
        factories.DeviceFactory(property=hub.property, hub=hub)
        assert "CellarZ-Wave JS · Lakeview Cottage Does not answer Reachable 1 lock" in words(
            signed_in, reverse("hub_list")
        )

    def test_none_yet_names_the_next_step(self, signed_in: Client) -> None:
        assert "No hubs yet. Add one by its address" in words(signed_in, reverse("hub_list"))

    @pytest.mark.parametrize("count", [2, 9])
    def test_queries_do_not_grow_with_hubs(self, signed_in: Client, place: Property, count: int) -> None:
        factories.HubFactory.create_batch(count, workspace=place.workspace, property=place)
        with CaptureQueriesContext(connection) as queries:
            signed_in.get(reverse("hub_list"))
        assert len(queries) <= 8


class TestChanging:
    def test_a_corrected_address_is_asked_at_once(self, signed_in: Client, alice: User, hub: Hub) -> None:
        silent(hub)
        answer = signed_in.post(at("hub_edit", hub), typed(hub.property))
        hub.refresh_from_db()
        assert answer["Location"] == at("hub", hub)
        assert hub.address == "ws://192.0.2.8:3000" and hub.searching_since
        assert OrmQ.objects.count() == 1
        assert Event.objects.get(type=Event.Type.HUB_CHANGED).actor == alice

    def test_a_bad_address_is_refused_and_nothing_is_lost(self, signed_in: Client, hub: Hub) -> None:
        page = signed_in.post(at("hub_edit", hub), typed(hub.property, address="nowhere")).content.decode()
        assert 'value="nowhere"' in page and 'aria-invalid="true"' in page
        hub.refresh_from_db()
        assert hub.address == "ws://192.0.2.7:3000"

    def test_another_hubs_address_is_refused(self, signed_in: Client, hub: Hub) -> None:
        factories.HubFactory(provider="zwave", address="ws://192.0.2.8:3000")
        assert b"This hub has been added already." in signed_in.post(at("hub_edit", hub), typed(hub.property)).content

    def test_another_workspaces_property_is_no_choice(self, signed_in: Client, hub: Hub) -> None:
        theirs = factories.PropertyFactory(name="Their house")
        page = signed_in.post(at("hub_edit", hub), typed(theirs)).content.decode()
        assert "Select a valid choice" in page and "Their house" not in page


class TestAskingAgain:
    def test_it_is_asked(self, signed_in: Client, hub: Hub) -> None:
        assert signed_in.post(at("hub_search", hub))["Location"] == at("hub", hub)
        hub.refresh_from_db()
        assert hub.searching_since and OrmQ.objects.count() == 1

    def test_one_from_before_must_be_given_a_property_first(self, signed_in: Client, hub: Hub) -> None:
        Hub.objects.update(property=None)
        answer = signed_in.post(at("hub_search", hub), follow=True)
        assert answer.redirect_chain[0][0] == at("hub_edit", hub)
        assert "Say first which property its locks are added to." in answer.content.decode()

    def test_it_is_a_post(self, signed_in: Client, hub: Hub) -> None:
        assert signed_in.get(at("hub_search", hub)).status_code == 405


class TestRemoving:
    def test_one_that_never_had_a_lock_is_forgotten(self, signed_in: Client, alice: User, hub: Hub) -> None:
        assert "No lock was ever found behind it" in words(signed_in, at("hub_remove", hub))
        assert signed_in.post(at("hub_remove", hub))["Location"] == reverse("hub_list")
        assert not Hub.objects.exists()
        assert Event.objects.get(type=Event.Type.HUB_REMOVED).actor == alice

    def test_one_with_locks_stays(self, signed_in: Client, hub: Hub) -> None:
        factories.DeviceFactory(property=hub.property, hub=hub, removal=Device.Removal.REMOVED)
        assert "Remove its locks one by one" in words(signed_in, at("hub_remove", hub))
        signed_in.post(at("hub_remove", hub))
        assert Hub.objects.exists()


@pytest.mark.parametrize("name", ["hub", "hub_live", "hub_edit", "hub_search", "hub_remove"])
def test_strangers_find_nothing(client: Client, charlie: User, hub: Hub, name: str) -> None:
    client.force_login(charlie)
    method = client.post if name == "hub_search" else client.get
    assert method(at(name, hub)).status_code == 404
