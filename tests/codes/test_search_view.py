"""Search: guests by name and reference, doors and properties, as people type them; the PIN one press away."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from codes.models import AccessCode
from devices.models import Device, Event, Hub, Pin, Property
from portal.models import User
from tests import factories, scene

URL = "/search/"


@pytest.fixture
def ben(device: Device) -> AccessCode:
    return scene.guest(device, "Ben Okafor", status=Pin.Status.SET)


def page(client: Client, q: str, **headers: str) -> str:
    return client.get(URL, {"q": q}, headers=headers).content.decode()


def results(client: Client, q: str) -> str:
    """The words of what was found, without the header."""
    return " ".join(strip_tags(page(client, q).split('id="results"')[1]).split())


@pytest.mark.parametrize("q", ["oka", "OKA", "okafor ben", "20402", "res-20402", "oka front", "ben lakeview"])
def test_a_guest_is_found_by_name_reference_and_with_the_door(signed_in: Client, ben: AccessCode, q: str) -> None:
    assert "Ben Okafor Front door, Lakeview Cottage RES-20402" in results(signed_in, q)


@pytest.mark.parametrize(("name", "q"), [("Chloé Martin", "chloe"), ("Ingrid Sørensen", "soren"), ("ÉLODIE", "élo")])
def test_accents_and_case_do_not_matter(signed_in: Client, device: Device, name: str, q: str) -> None:
    scene.guest(device, name)
    assert name in results(signed_in, q)


@pytest.mark.parametrize("q", ["okafor side", "zebra"])
def test_all_words_must_be_there(signed_in: Client, ben: AccessCode, q: str) -> None:
    assert "Nothing found for" in results(signed_in, q)


def test_doors_and_properties_are_found_and_bring_not_all_their_guests(signed_in: Client, ben: AccessCode) -> None:
    assert "Doors Front door" in results(signed_in, "front")
    found = results(signed_in, "lakeview")
    assert "Properties Lakeview Cottage" in found
    assert "Ben Okafor" not in found and "Doors" not in found


def test_without_words_it_says_what_can_be_found(signed_in: Client, ben: AccessCode) -> None:
    assert "Type a guest’s name" in results(signed_in, " ")


def test_a_pin_is_masked_and_shown_by_the_usual_recorded_post(signed_in: Client, ben: AccessCode) -> None:
    html = page(signed_in, "oka")
    digits = ben.code_pins.get().pin.secret.reveal()
    assert not re.search(rf"(?<!\d){digits}(?!\d)", html)
    assert f'formaction="/codes/{ben.pk}/reveal/"' in html and f'hx-post="/codes/{ben.pk}/reveal/"' in html
    assert digits in signed_in.post(f"/codes/{ben.pk}/reveal/").content.decode()
    assert Event.objects.get(type=Event.Type.CODE_REVEALED).subject == ben.pk


def test_a_backup_is_offered_to_those_who_may_be_covered(signed_in: Client, device: Device, ben: AccessCode) -> None:
    scene.ongoing(device, "Benedikt Staff", status=Pin.Status.SET)
    html = page(signed_in, "ben")
    assert html.count("Use a backup code now") == 1
    assert f'href="/codes/{ben.pk}/backup/"' in html


def test_who_is_here_comes_first_and_who_left_last(signed_in: Client, device: Device) -> None:
    for name, hours in (("Kim Next", 30), ("Kim Here", -5), ("Kim Soon", 3)):
        scene.guest(device, name, hours=hours)
    left = scene.guest(device, "Kim Left", hours=-90)
    old = scene.guest(device, "Kim Long Gone", hours=-9000)
    AccessCode.objects.filter(pk=left.pk).update(ended_at=timezone.now() - timedelta(days=1))
    AccessCode.objects.filter(pk=old.pk).update(ended_at=timezone.now() - timedelta(days=91))
    scene.ongoing(device, "Kim Staff")
    names = re.findall(r"Kim (?:Next|Here|Soon|Left|Staff|Long)(?= Front)", results(signed_in, "kim"))
    assert names == ["Kim Here", "Kim Soon", "Kim Next", "Kim Staff", "Kim Left"]


def test_ten_are_shown_and_the_rest_counted(signed_in: Client, device: Device) -> None:
    for number in range(12):
        scene.guest(device, f"Kim {number}")
    found = results(signed_in, "kim")
    assert found.count("Front door, Lakeview") == 10
    assert "2 more match." in found


def test_as_one_types_only_the_results_are_sent(signed_in: Client, ben: AccessCode) -> None:
    html = page(signed_in, "oka", hx_request="true")
    assert "Ben Okafor" in html and "<html" not in html


def test_the_field_is_on_every_page(signed_in: Client, device: Device) -> None:
    for url in ("/", "/devices/", f"/devices/{device.pk}/", "/backups/warnings/"):
        assert 'action="/search/"' in signed_in.get(url).content.decode()


def test_what_was_typed_is_shown_and_escaped(signed_in: Client) -> None:
    html = page(signed_in, '"><b>')
    assert 'value="&quot;&gt;&lt;b&gt;"' in html


def test_other_workspaces_are_not_searched(client: Client, charlie: User, ben: AccessCode) -> None:
    client.force_login(charlie)
    for q in ("oka", "front", "lakeview"):
        assert "Nothing found" in results(client, q)


def test_a_viewer_finds_without_being_offered_the_pin(client: Client, vera: User, ben: AccessCode) -> None:
    client.force_login(vera)
    html = page(client, "oka")
    assert "Ben Okafor" in html
    assert "Show PIN" not in html and "Use a backup" not in html


def test_signed_out_people_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get(URL, {"q": "oka"})["Location"] == "/accounts/login/?next=/search/%3Fq%3Doka"


def test_it_refuses_post(signed_in: Client) -> None:
    assert signed_in.post(URL).status_code == 405


@pytest.mark.parametrize("count", [3, 10])
def test_queries_do_not_grow_with_rows(signed_in: Client, place: Property, hub: Hub, count: int) -> None:
    for device in factories.DeviceFactory.create_batch(count, property=place, hub=hub, name="Kim's door"):
        scene.covered(device, factories.BackupPoolFactory(device=device), "Kim Guest")
    with CaptureQueriesContext(connection) as queries:
        signed_in.get(URL, {"q": "kim"})
    assert len(queries) <= 8, [q["sql"][:90] for q in queries]
