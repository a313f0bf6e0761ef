"""All codes of the workspace in one list: found, filtered and sorted by the database, exported without a PIN."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from backups.models import BackupPool
from devices.models import Device, Hub, Pin, Property
from portal.models import User
from tests import factories, scene

LIST, EXPORT = "/codes/", "/codes/export.csv"


@pytest.fixture
def pool(device: Device) -> BackupPool:
    return scene.lively(device)


@pytest.fixture
def elsewhere(workspace: object, hub: Hub, pool: BackupPool) -> Device:
    """A second property in another zone, with one guest."""
    place = factories.PropertyFactory(workspace=workspace, name="Harbour House", time_zone="Asia/Tokyo")
    device = factories.DeviceFactory(property=place, hub=hub, name="Gate")
    scene.guest(device, "Kenji Ito", hours=50, status=Pin.Status.SET)
    return device


def page(client: Client, **query: str) -> str:
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return answer.content.decode()


def names(client: Client, **query: str) -> list[str]:
    """The rows' names, from the top."""
    rows = re.findall(r'scope="row">\s*<(?:a|span)[^>]*>([^<]+)<', page(client, **query))
    return [row.strip() for row in rows]


def test_it_lists_the_codes_of_all_locks(signed_in: Client, elsewhere: Device) -> None:
    found = names(signed_in)
    assert {"Amelia Hart", "Kenji Ito", "Housekeeping", "Ben Okafor"} <= set(found)
    words = " ".join(strip_tags(page(signed_in)).split())
    assert "GateHarbour House" in words and "Tokyo time" in words and "Lisbon time" in words
    assert "8 codes" in words


def test_what_needs_attention_comes_first_and_a_backup_under_its_guest(signed_in: Client, elsewhere: Device) -> None:
    found = names(signed_in)
    assert found[0] == "Dmitri Wolkow-Hohenstein"
    assert found[found.index("Ben Okafor") + 1].startswith("Backup ")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "oka"}, {"Ben Okafor"}),
        ({"q": "RES-20403"}, {"Ben Okafor"}),
        ({"q": "harbour"}, {"Kenji Ito"}),
        ({"q": "gate kenji"}, {"Kenji Ito"}),
        ({"kind": "ongoing"}, {"Housekeeping"}),
        ({"status": "covered"}, {"Ben Okafor", "Ana Ruiz"}),
        ({"status": "set"}, {"Amelia Hart", "Housekeeping", "Kenji Ito"}),
        ({"status": "attention"}, {"Dmitri Wolkow-Hohenstein"}),
        ({"status": "set", "kind": "guest", "q": "lakeview"}, {"Amelia Hart"}),
    ],
)
def test_it_filters(signed_in: Client, elsewhere: Device, query: dict[str, str], expected: set[str]) -> None:
    found = {name for name in names(signed_in, **query) if not name.startswith("Backup ")}
    assert found == expected


def test_it_finds_a_guest_by_the_backups_name(signed_in: Client, pool: BackupPool) -> None:
    used = pool.codes.exclude(drawn_at=None).first()
    assert used is not None
    [guest, backup] = names(signed_in, q=used.code_id)
    assert backup == str(used) and used.pin.code_pin.code.name == guest


def test_the_health_line_is_the_filter(signed_in: Client, pool: BackupPool) -> None:
    assert 'href="/codes/?status=attention">1 code needs attention<' in page(signed_in)
    assert "All codes OK" in page(signed_in, status="set")
    assert "All codes OK" not in page(signed_in, status="over") + page(signed_in, kind="backup")


def test_backups_are_a_kind(signed_in: Client, pool: BackupPool, elsewhere: Device) -> None:
    found = names(signed_in, kind="backup")
    assert len(found) == 5 and all(name.startswith("Backup ") for name in found)
    words = " ".join(strip_tags(page(signed_in, kind="backup")).split())
    assert words.index("Covers") < words.index("Ready (confirmed")
    spare = pool.codes.filter(drawn_at=None).first()
    assert spare is not None
    assert names(signed_in, kind="backup", q=str(spare)) == [str(spare)]


def test_it_filters_by_property(signed_in: Client, elsewhere: Device) -> None:
    assert names(signed_in, property=str(elsewhere.property_id)) == ["Kenji Ito"]


def test_days_are_those_of_each_property(signed_in: Client, device: Device, elsewhere: Device) -> None:
    eve = datetime(2027, 3, 9, 20, tzinfo=UTC)  # the 9th in Lisbon, the 10th in Tokyo
    for lock, name in ((device, "Lisbon guest"), (elsewhere, "Tokyo guest")):
        factories.AccessCodeFactory(device=lock, name=name, starts_at=eve, ends_at=eve + timedelta(hours=2))
    assert names(signed_in, since="2027-03-10", until="2027-03-10") == ["Tokyo guest"]
    assert names(signed_in, since="2027-03-09", until="2027-03-09") == ["Lisbon guest"]


def test_it_sorts(signed_in: Client, elsewhere: Device) -> None:
    guests = {"kind": "guest", "status": "set"}
    assert names(signed_in, sort="name", **guests) == ["Amelia Hart", "Kenji Ito"]
    assert names(signed_in, sort="lock", **guests) == ["Kenji Ito", "Amelia Hart"]
    assert names(signed_in, sort="newest", **guests) == ["Kenji Ito", "Amelia Hart"]
    by_checkout = [name for name in names(signed_in, sort="ends") if not name.startswith("Backup ")]
    assert by_checkout[0] == "Amelia Hart" and by_checkout[-1] == "Housekeeping"


def test_what_cannot_be_read_is_said_and_filters_nothing(signed_in: Client, elsewhere: Device) -> None:
    odd = page(signed_in, since="someday", kind="spaceship", status="odd", property="none", page="x", q="Kenji")
    assert "Enter a valid date." in odd and 'value="someday"' in odd
    assert "Kenji Ito" in odd


def test_pages_hold_fifty(signed_in: Client, device: Device) -> None:
    for number in range(53):
        scene.guest(device, f"Guest {number:02}", hours=number + 1)
    assert len(names(signed_in)) == 50
    assert "Page 1 of 2" in page(signed_in) and "53 codes" in page(signed_in)
    assert names(signed_in, page="2") == ["Guest 50", "Guest 51", "Guest 52"]
    assert len(names(signed_in, page="9")) == 50
    assert 'href="/codes/?page=2&amp;q=Guest"' in page(signed_in, q="Guest")


def test_an_empty_workspace_names_the_next_step(signed_in: Client) -> None:
    assert "No codes yet. Add a guest’s code." in strip_tags(page(signed_in))


def test_filtered_to_none_can_be_cleared(signed_in: Client, pool: BackupPool) -> None:
    assert "No codes match." in page(signed_in, q="nobody")


def test_no_pin_is_on_the_page_or_in_the_export(signed_in: Client, pool: BackupPool) -> None:
    digits = [pin.secret.reveal() for pin in Pin.objects.all()]
    shown = page(signed_in) + signed_in.get(EXPORT, {"status": "all"}).getvalue().decode()
    assert not [d for d in digits if re.search(rf"(?<![\w-]){d}(?![\w-])", shown)]


def test_the_export_holds_what_the_list_shows_on_all_pages(signed_in: Client, device: Device) -> None:
    for number in range(53):
        scene.guest(device, f"Guest {number:02}", hours=number + 1)
    answer = signed_in.get(EXPORT, {"q": "Guest"})
    assert "attachment" in answer["Content-Disposition"] and "no-store" in answer["Cache-Control"]
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert len(rows) == 53
    assert rows[0]["Lock"] == "Front door" and rows[0]["Time zone"] == "Europe/Lisbon"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", rows[0]["Check-in"])
    assert rows[0]["Status"] and rows[0]["Kind"] == "Guest"


def test_a_name_is_no_formula_in_a_spreadsheet(signed_in: Client, device: Device) -> None:
    for name in ('=HYPERLINK("http://x")', "+1", "-2", "@SUM(1)", " =1+1"):
        scene.guest(device, name)
    rows = csv.DictReader(io.StringIO(signed_in.get(EXPORT).getvalue().decode("utf-8-sig")))
    assert all(row["Name"].startswith("'") for row in rows)


def test_a_poll_that_changed_nothing_is_empty(signed_in: Client, pool: BackupPool) -> None:
    html = page(signed_in)
    seen = dict(re.findall(r'name="(seen-\w+)" value="(\w+)"', html))
    poll = signed_in.get(reverse("code_list_live"), {**seen, "page": "1"}, headers={"HX-Request": "true"})
    assert "rows" not in poll.content.decode() or poll.status_code == 204


def test_queries_do_not_grow_with_codes(signed_in: Client, device: Device, pool: BackupPool) -> None:
    for count in (2, 12):
        for number in range(count):
            scene.covered(device, pool, f"Covered {number}", hours=number)
        for query in ({}, {"kind": "backup"}, {"status": "attention", "since": "2026-01-01"}):
            with CaptureQueriesContext(connection) as queries:
                page(signed_in, **query)
            assert len(queries) <= 8, [q["sql"][:90] for q in queries]


def test_a_viewer_reads_and_exports_but_is_offered_nothing(client: Client, vera: User, pool: BackupPool) -> None:
    client.force_login(vera)
    html = page(client)
    assert "Amelia Hart" in html and "Show PIN" not in html and "Add code" not in html
    assert client.get(EXPORT).status_code == 200
    assert client.get(reverse("code_new")).status_code == 403


def test_an_outsider_sees_none_of_it(client: Client, charlie: User, pool: BackupPool, place: Property) -> None:
    client.force_login(charlie)
    for query in ({}, {"kind": "backup"}, {"status": "all", "property": str(place.pk)}):
        assert names(client, **query) == []
    assert "Amelia" not in client.get(EXPORT).getvalue().decode()
    assert "Front door" not in client.get(reverse("code_new")).content.decode()


@pytest.mark.parametrize("path", [LIST, EXPORT, "/codes/live/", "/codes/new/"])
def test_signed_out_is_sent_to_sign_in_and_post_is_refused(client: Client, alice: User, path: str) -> None:
    assert client.get(path)["Location"].startswith("/accounts/login/")
    client.force_login(alice)
    assert client.post(path).status_code == 405


def test_adding_begins_with_the_lock(signed_in: Client, device: Device, elsewhere: Device) -> None:
    html = signed_in.get(reverse("code_new")).content.decode()
    assert html.index("Harbour House") < html.index("Lakeview Cottage")
    assert reverse("code_add", args=[device.pk]) in html
