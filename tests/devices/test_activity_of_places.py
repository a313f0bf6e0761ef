"""What people do with properties and hubs stands in the activity too, with their name."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from devices.models import Device, Event, Property
from portal.models import User
from tests import factories
from tests.devices.test_property_views import typed

T = Event.Type


def words(client: Client, **query: Any) -> str:
    html = client.get("/activity/", query).content.decode()
    return " ".join(strip_tags(html.split('id="filter"')[1]).split())


@pytest.fixture
def barn(signed_in: Client) -> Property:
    """Added by Alice in the browser."""
    signed_in.post("/properties/add/", typed(name="Barn", time_zone="Asia/Tokyo"))
    return Property.objects.get(name="Barn")


def change(client: Client, place: Property, **changes: str) -> None:
    client.post(f"/properties/{place.pk}/", typed(**{"name": place.name, **changes}))
    place.refresh_from_db()


def test_adding_a_property_is_told_with_who_did_it_and_its_own_time(signed_in: Client, barn: Property) -> None:
    page = words(signed_in)
    assert "Property Barn added By Alice." in page and "Tokyo time" in page


def test_changing_it_names_what_changed_and_never_the_teams_notes(signed_in: Client, barn: Property) -> None:
    change(signed_in, barn, name="Old barn", if_nothing_works="Key under the pot, safe 9911.")
    page = words(signed_in)
    assert "Property Old barn changed By Alice. Changed: name, “if nothing works”. Called Barn before." in page
    assert "9911" not in str(list(Event.objects.values_list("data", flat=True)))


def test_saved_unchanged_nothing_is_written(signed_in: Client, barn: Property) -> None:
    change(signed_in, barn)
    assert not Event.objects.filter(type=T.PROPERTY_CHANGED).exists()


def test_a_change_of_zone_names_both(signed_in: Client, barn: Property) -> None:
    signed_in.post(f"/properties/{barn.pk}/zone/", {"time_zone": "Europe/Oslo"})
    assert "Barn is on another time zone By Alice. Europe/Oslo instead of Asia/Tokyo." in words(signed_in)


def test_adding_a_hub_is_told_with_who_did_it(signed_in: Client, place: Property) -> None:
    fields = {"provider": "zwave", "name": "Cellar", "address": "ws://192.0.2.7:3000", "property": str(place.pk)}
    signed_in.post("/devices/add/", fields)
    assert "Hub Cellar added By Alice." in words(signed_in)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"found": 4, "added": 2, "silence": ""}, "Cellar was asked for its locks 4 locks found, 2 new."),
        ({"found": None, "added": 0, "silence": "no_answer"}, "No locks were found: it did not answer in time."),
    ],
)
def test_a_search_tells_its_end(signed_in: Client, place: Property, data: dict[str, Any], told: str) -> None:
    Event.objects.create(
        workspace=place.workspace, type=T.HUB_SEARCHED, at="2026-03-01T12:00Z", data={"name": "Cellar", **data}
    )
    assert told in words(signed_in)


def test_they_are_a_kind_of_their_own(signed_in: Client, barn: Property, device: Device) -> None:
    signed_in.post(f"/devices/{device.pk}/check/")
    assert (
        "Barn" in words(signed_in, kind="places")
        and "Lock check" not in words(signed_in, kind="places").split("CSV")[-1]
    )
    assert "Property Barn added" not in words(signed_in, kind="locks")
    assert "Property Barn added" not in words(signed_in, lock=device.pk)
    assert "Property Barn added" in words(signed_in, q="barn")


def test_the_export_names_the_property(signed_in: Client, barn: Property) -> None:
    response = signed_in.get("/activity/export.csv")
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))  # type: ignore[arg-type]
    (row,) = [row for row in rows if row[4] == T.PROPERTY_ADDED]
    assert row[1:4] == ["Asia/Tokyo", "Barn", ""] and row[7] == "Alice"


def test_another_workspace_sees_none_of_it(client: Client, charlie: User, barn: Property) -> None:
    client.force_login(charlie)
    assert "Barn" not in words(client)


def test_only_who_may_change_it_gets_a_link(client: Client, vera: User, alice: User) -> None:
    place = factories.PropertyFactory(workspace=alice.memberships.get().workspace)
    Event.objects.create(
        workspace=place.workspace,
        type=T.PROPERTY_ADDED,
        at="2026-03-01T12:00Z",
        data={"name": place.name, "property": str(place.pk), "zone": place.time_zone},
    )
    link = f'href="/properties/{place.pk}/"'
    client.force_login(alice)
    assert link in client.get("/activity/").content.decode()
    client.force_login(vera)
    assert link not in client.get("/activity/").content.decode()
