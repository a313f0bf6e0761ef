"""The activity page: everything once, newest first, filtered, paged by key, and as a CSV that is safe to open."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from devices.models import Device, Event, Hub, Property
from portal.models import User
from tests import factories, scene

URL = "/activity/"


def html(client: Client, **query: Any) -> str:
    return client.get(URL, query).content.decode()


def words(client: Client, **query: Any) -> str:
    return " ".join(strip_tags(html(client, **query).split('id="filter"')[1]).split())


def exported(client: Client, **query: Any) -> list[list[str]]:
    response = client.get(f"{URL}export.csv", query)
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]
    return list(csv.reader(io.StringIO(text)))


def happened(device: Device, kind: Event.Type, at: datetime, **data: object) -> Event:
    return Event.objects.create(workspace=device.property.workspace, device=device, type=kind, at=at, data=data)


def test_sentences_are_plain_with_reason_tries_lock_and_property(signed_in: Client, device: Device) -> None:
    scene.covered(device, factories.BackupPoolFactory(device=device), "Ben Okafor")
    page = words(signed_in)
    assert "given to Ben Okafor: the lock refused the PIN, 3 tries" in page
    assert "Front door, Lakeview Cottage" in page


def test_who_did_it_is_named(signed_in: Client, alice: User, device: Device) -> None:
    signed_in.post(f"/devices/{device.pk}/check/")
    assert "Lock check asked for By Alice." in words(signed_in)


def test_times_are_the_propertys_with_the_zone_named(signed_in: Client, device: Device) -> None:
    Property.objects.update(time_zone="Asia/Tokyo")
    happened(device, Event.Type.DEVICE_CONNECTED, datetime(2026, 3, 1, 20, 5, tzinfo=UTC))
    assert re.search(r"2 Mar( 2026)? 05:05 Tokyo time Lock online", words(signed_in))


def test_a_code_leads_to_its_page_and_a_lock_to_its_own(signed_in: Client, device: Device) -> None:
    code = scene.covered(device, factories.BackupPoolFactory(device=device), "Ben Okafor")
    page = html(signed_in)
    assert f'href="/codes/{code.pk}/"' in page and f'href="/devices/{device.pk}/"' in page
    Device.objects.update(removal=Device.Removal.REMOVED)
    assert "(removed)" in html(signed_in)


@pytest.fixture
def story(device: Device, place: Property, hub: Hub) -> dict[str, Any]:
    """Ben is covered at the front door, Ana's code is set at the back door, which also went online."""
    back = factories.DeviceFactory(property=place, hub=hub, name="Back door")
    ben = scene.covered(device, factories.BackupPoolFactory(device=device), "Ben Okafor")
    scene.event(back, Event.Type.CODE_SET, subject=uuid4(), name="Ana Ruiz")
    scene.event(back, Event.Type.DEVICE_CONNECTED)
    return {"ben": ben, "back": back, "front": device}


def test_filter_by_lock(signed_in: Client, story: dict[str, Any]) -> None:
    page = words(signed_in, lock=story["back"].pk)
    assert "Ana Ruiz" in page and "Lock online" in page and "Ben Okafor" not in page


def test_filter_by_code_names_it(signed_in: Client, story: dict[str, Any]) -> None:
    page = words(signed_in, code=story["ben"].pk)
    assert "Only the code of Ben Okafor." in page and "Ana Ruiz" not in page


@pytest.mark.parametrize(
    ("kind", "there", "absent"),
    [
        ("backups", "Ben Okafor", "Ana Ruiz"),
        ("locks", "Lock online", "Ben Okafor"),
        ("codes", "Ana Ruiz", "Lock online"),
    ],
)
def test_filter_by_kind(signed_in: Client, story: dict[str, Any], kind: str, there: str, absent: str) -> None:
    page = words(signed_in, kind=kind)
    assert there in page and absent not in page


def test_filter_by_guest(signed_in: Client, story: dict[str, Any]) -> None:
    page = words(signed_in, q="okaf ben")
    assert "given to Ben Okafor" in page and "Ana Ruiz" not in page


@pytest.mark.parametrize("query", [{"q": "nobody"}, {"lock": uuid4()}, {"lock": "x"}, {"code": "'"}])
def test_filtered_to_none_can_be_cleared(signed_in: Client, story: dict[str, Any], query: dict[str, Any]) -> None:
    assert "Nothing like that has happened. Clear filter." in words(signed_in, **query)


@pytest.mark.parametrize(
    "query", [{"kind": "x"}, {"before": "x"}, {"before": "2026-01-01~x"}, {"before": "2026-01-01~1"}]
)
def test_nonsense_in_the_address_shows_everything(
    signed_in: Client, story: dict[str, Any], query: dict[str, Any]
) -> None:
    assert "Ana Ruiz" in words(signed_in, **query)


def test_without_events_it_says_what_will_come(signed_in: Client) -> None:
    assert "Nothing has happened yet." in words(signed_in)


def test_pages_of_fifty_hold_every_event_once_though_many_happened_at_the_same_instant(
    signed_in: Client, device: Device
) -> None:
    at = timezone.now()
    for number in range(120):
        happened(device, Event.Type.CODE_SET, at - timedelta(hours=number // 40), name=f"Guest-{number:03}.")
    seen: list[str] = []
    query: dict[str, str] = {}
    for size in (50, 50, 20):
        page = html(signed_in, lock=device.pk, **query)
        names = re.findall(r"Guest-\d{3}\.", page)
        assert len(names) == size
        seen += names
        older = re.search(r"before=([^&\"]+)", page.split('rel="next"')[1]) if 'rel="next"' in page else None
        query = {"before": older[1].replace("%3A", ":").replace("%2B", "+").replace("%7E", "~")} if older else {}
    assert not query
    assert len(set(seen)) == 120
    assert seen == sorted(seen, key=lambda name: (int(name[6:9]) // 40, -int(name[6:9])))


def test_the_export_holds_what_the_filter_finds_with_the_offset(signed_in: Client, story: dict[str, Any]) -> None:
    Property.objects.update(time_zone="Asia/Tokyo")
    header, *rows = exported(signed_in, lock=story["back"].pk)
    assert header == ["Time", "Time zone", "Property", "Lock", "Kind", "What happened", "Details", "By"]
    assert len(rows) == 2
    at, *rest = next(row for row in rows if "Ana Ruiz" in row[5])
    assert at.endswith("+09:00")
    told = "Ana Ruiz’s code is set on the lock"
    assert rest == ["Asia/Tokyo", "Lakeview Cottage", "Back door", "access_code.set_on_device", told, "", ""]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_an_export_begins_no_formula(signed_in: Client, device: Device, name: str) -> None:
    Device.objects.update(name=name)
    scene.event(device, Event.Type.DEVICE_CONNECTED)
    assert exported(signed_in)[1][3] == f"'{name}"


def test_an_export_is_more_than_a_page(signed_in: Client, device: Device) -> None:
    for _ in range(60):
        scene.event(device, Event.Type.DEVICE_CONNECTED)
    assert len(exported(signed_in)) == 61


@pytest.mark.parametrize("url", [URL, f"{URL}export.csv"])
def test_other_workspaces_see_nothing_of_it(client: Client, charlie: User, story: dict[str, Any], url: str) -> None:
    client.force_login(charlie)
    found = client.get(url, {"lock": story["back"].pk})
    text = b"".join(found) if found.streaming else found.content  # type: ignore[arg-type]
    assert found.status_code == 200
    assert b"Ana Ruiz" not in text and b"Back door" not in text


def test_a_viewer_sees_it(client: Client, vera: User, story: dict[str, Any]) -> None:
    client.force_login(vera)
    assert "Ana Ruiz" in words(client)


@pytest.mark.parametrize("url", [URL, f"{URL}export.csv"])
def test_signed_out_and_wrong_method(client: Client, alice: User, url: str) -> None:
    assert client.get(url)["Location"].startswith("/accounts/login/")
    client.force_login(alice)
    assert client.post(url).status_code == 405


@pytest.mark.parametrize("count", [3, 10])
def test_queries_do_not_grow_with_rows(signed_in: Client, place: Property, hub: Hub, alice: User, count: int) -> None:
    for device in factories.DeviceFactory.create_batch(count, property=place, hub=hub):
        scene.covered(device, factories.BackupPoolFactory(device=device), "Ben Okafor")
    with CaptureQueriesContext(connection) as queries:
        signed_in.get(URL)
    assert len(queries) <= 8, [q["sql"][:90] for q in queries]
