"""Properties: what guests and the team read about a place."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from codes.models import AccessCode
from devices.models import Device, Property
from portal.models import User, Workspace
from tests import factories, scene

LIST, ADD = "/properties/", "/properties/add/"


def typed(**changes: str) -> dict[str, str]:
    return {
        "name": "Harbour House",
        "address": "2 Quay",
        "time_zone": "Asia/Tokyo",
        "guest_phone": "+81 3 0000 0000",
        "if_nothing_works": "Key safe by the bins, 2 turns left.",
        **changes,
    }


def words(client: Client, where: str) -> str:
    return " ".join(strip_tags(client.get(where).content.decode()).split())


def test_the_list_tells_zone_phone_and_locks(signed_in: Client, device: Device, place: Property) -> None:
    told = words(signed_in, LIST)
    assert "Lakeview Cottage1 Lake Road Europe/Lisbon No phone for guests 1 lock" in told


def test_an_empty_workspace_names_the_next_step(signed_in: Client) -> None:
    assert "No properties yet." in words(signed_in, LIST)
    assert "First add the property that the locks belong to." in words(signed_in, reverse("hub_add"))


def test_one_is_added(signed_in: Client, workspace: Workspace) -> None:
    answer = signed_in.post(ADD, typed())
    assert answer["Location"] == LIST
    place = Property.objects.get()
    assert (place.workspace, place.name, place.time_zone) == (workspace, "Harbour House", "Asia/Tokyo")
    assert place.if_nothing_works == "Key safe by the bins, 2 turns left."


def test_a_new_one_starts_in_the_usual_zone(signed_in: Client, place: Property) -> None:
    page = signed_in.get(ADD).content.decode()
    assert 'value="Europe/Lisbon"' in page
    assert '<option value="America/New_York">' in page


@pytest.mark.parametrize(
    ("changes", "complaint"), [({"time_zone": "Atlantis"}, "is no time zone"), ({"name": ""}, "This field is required")]
)
def test_bad_input_is_said_and_nothing_typed_is_lost(
    signed_in: Client, changes: dict[str, str], complaint: str
) -> None:
    page = signed_in.post(ADD, typed(**changes)).content.decode()
    assert complaint in page
    assert 'value="2 Quay"' in page and "Key safe by the bins" in page
    assert not Property.objects.exists()


def test_one_is_edited_but_for_its_zone(signed_in: Client, place: Property) -> None:
    address = reverse("property_edit", args=[place.pk])
    assert 'name="time_zone"' not in signed_in.get(address).content.decode()
    assert signed_in.post(address, typed())["Location"] == LIST
    place.refresh_from_db()
    assert (place.name, place.time_zone) == ("Harbour House", "Europe/Lisbon")


def test_a_refused_edit_keeps_the_old_name_in_the_heading(signed_in: Client, place: Property) -> None:
    page = signed_in.post(reverse("property_edit", args=[place.pk]), typed(name="")).content.decode()
    assert "<h1>Lakeview Cottage</h1>" in page and 'value="2 Quay"' in page


def test_the_note_stands_on_the_codes_page_for_those_who_reveal(
    signed_in: Client, client: Client, vera: User, device: Device
) -> None:
    Property.objects.update(if_nothing_works="Key safe by the bins")
    code = scene.guest(device, "Ben Okafor")
    assert "If nothing works Key safe by the bins" in words(signed_in, reverse("code", args=[code.pk]))
    client.force_login(vera)
    assert "Key safe" not in words(client, reverse("code", args=[code.pk]))


def test_the_note_is_never_on_the_guests_page(client: Client, device: Device) -> None:
    Property.objects.update(if_nothing_works="Key safe by the bins", guest_phone="+351 21 000 0000")
    code: AccessCode = scene.guest(device, "Ben Okafor")
    told = words(client, reverse("guest_page", args=[code.guest_token]))
    assert "+351 21 000 0000" in told and "Key safe" not in told


def test_queries_do_not_grow(signed_in: Client, workspace: Workspace) -> None:
    factories.PropertyFactory.create_batch(12, workspace=workspace)
    with CaptureQueriesContext(connection) as queries:
        signed_in.get(LIST)
    assert len(queries) <= 8


def test_a_viewer_reads_and_changes_nothing(client: Client, vera: User, place: Property) -> None:
    client.force_login(vera)
    assert "Add a property" not in words(client, LIST)
    for address in (ADD, reverse("property_edit", args=[place.pk])):
        assert client.post(address, typed()).status_code == 403


def test_an_outsider_finds_nothing(client: Client, charlie: User, place: Property) -> None:
    client.force_login(charlie)
    assert "Lakeview" not in words(client, LIST)
    assert client.post(reverse("property_edit", args=[place.pk]), typed()).status_code == 404


def test_signed_out_is_sent_to_sign_in_and_wrong_methods_are_refused(
    client: Client, alice: User, place: Property
) -> None:
    assert client.get(LIST)["Location"].startswith("/accounts/login/")
    client.force_login(alice)
    assert client.post(LIST).status_code == 405
    assert client.put(ADD).status_code == 405
