"""`manage.py import_locks`: all of a file or nothing, each wrong cell by its line and column."""

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connections
from django_q.models import OrmQ

from devices.importing import bringing_in, sheet
from devices.management.commands.import_locks import template
from devices.models import Device, Event, Hub, Property, SimulatedLock
from portal.models import Workspace
from tests import factories
from tests.commands import Ran, a_worker, help_of, rows, run
from tests.engine import ready, settle

HEAD = "property,time_zone,provider,hub,hub_address,lock_ref,lock,make,model"
GOOD = f"""{HEAD}
Lakeview Cottage,Europe/Lisbon,simulator,Lakeview hub,sim-1,lock-1,Front door,Schlage,Encode
Lakeview Cottage,,,Lakeview hub,,lock-2,Back door,,
Harbour Loft,America/New_York,simulator,Harbour hub,sim-2,lock-1,Street door,Yale,
"""


@pytest.fixture
def bring(workspace: Workspace, tmp_path: Path):
    def bring(data: str | bytes, *args: str) -> Ran:
        file = tmp_path / "locks.csv"
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        return run("import_locks", file, *args)

    return bring


def problems(ran: Ran) -> list[tuple[int, str]]:
    return [(one["line"], one["column"]) for one in ran.data["problems"]]


def test_it_brings_in_properties_hubs_and_locks(bring, workspace: Workspace) -> None:
    ran = bring(GOOD)
    assert ran.status == 0 and "2 properties, 2 hubs, 3 locks added; 0 there already." in ran.out
    found = Device.objects.order_by("property__name", "name").values_list(
        "property__name", "property__time_zone", "hub__name", "hub__address", "lock_ref", "name", "make", "model"
    )
    assert list(found) == [
        ("Harbour Loft", "America/New_York", "Harbour hub", "sim-2", "lock-1", "Street door", "Yale", ""),
        ("Lakeview Cottage", "Europe/Lisbon", "Lakeview hub", "sim-1", "lock-2", "Back door", "", ""),
        ("Lakeview Cottage", "Europe/Lisbon", "Lakeview hub", "sim-1", "lock-1", "Front door", "Schlage", "Encode"),
    ]
    assert {place.workspace for place in Property.objects.all()} == {workspace}
    assert Event.objects.filter(type=Event.Type.DEVICE_ADDED).count() == 3


def test_what_was_brought_in_is_due_and_does_not_flood_the_queue(bring) -> None:
    bring(GOOD)
    assert not Device.objects.filter(next_sync_at=None).exists()
    assert OrmQ.objects.count() == 0


def test_twice_changes_nothing(bring) -> None:
    bring(GOOD)
    before = rows()
    ran = bring(GOOD)
    assert ran.status == 0 and "0 properties, 0 hubs, 0 locks added; 7 there already." in ran.out
    assert rows() == before


def test_a_dry_run_tells_the_same_and_changes_nothing(bring) -> None:
    before = rows()
    dry = bring(GOOD, "--dry-run", "--json").data
    assert "would be added" in bring(GOOD, "--dry-run").out
    assert rows() == before and dry["done"] is False
    assert dry["steps"] == bring(GOOD, "--json").data["steps"]


def test_json_tells_each_step(bring) -> None:
    told = bring(GOOD, "--json").data
    assert {key: told[key] for key in ("dry_run", "done", "added", "problems")} == {
        "dry_run": False,
        "done": True,
        "added": {"properties": 2, "hubs": 2, "locks": 3},
        "problems": [],
    }
    assert told["steps"][2] == {
        "line": 2,
        "what": "lock",
        "name": "Lakeview Cottage / Front door",
        "change": "added",
        "note": "",
    }


def test_every_wrong_cell_is_named_once_and_nothing_is_brought_in(bring) -> None:
    before = rows()
    wrong = f"""{HEAD}
Lakeview Cottage,Lisbon,zwave,Lakeview hub,http://192.0.2.7,7e570001-12,{"x" * 101},Schlage,
Lakeview Cottage,,,Lakeview hub,,7e570001-13,Back door,,
,Europe/Lisbon,carrier pigeon,Hub,sim-9,lock-1,Door,,
Good Place,Europe/Lisbon,simulator,Good hub,sim-3,lock-1,Door,,
Good Place,Europe/Paris,simulator,Good hub,sim-3,lock-1,Door,,
Good Place,,,Nobody's hub,,lock-2,Door,,
Good Place,,,,,lock-3,,,
"""
    ran = bring(wrong, "--json")
    assert ran.status == 2 and ran.data["done"] is False and ran.data["steps"] == []
    assert problems(ran) == [
        (2, "time_zone"),
        (2, "hub_address"),
        (2, "lock"),
        (4, "property"),
        (4, "provider"),
        (6, "time_zone"),
        (6, "lock_ref"),
        (7, "hub"),
        (8, "hub"),
        (8, "lock"),
    ]
    assert rows() == before
    said = bring(wrong)
    assert said.status == 2 and said.out == ""
    assert "10 things in" in said.error and "line 2, column time_zone: “Lisbon” is no time zone" in said.error


@pytest.mark.parametrize(
    ("head", "column", "words"),
    [
        ("propery,time_zone", "property", "missing"),
        ("property,zone", "zone", "Is “time_zone” meant?"),
        ("property,time_zone,property", "property", "twice"),
    ],
)
def test_a_wrong_header_is_named(bring, head: str, column: str, words: str) -> None:
    ran = bring(f"{head}\nLakeview,Europe/Lisbon\n", "--json")
    assert ran.status == 2 and (1, column) in problems(ran)
    assert words in " ".join(one["problem"] for one in ran.data["problems"])


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode("utf-8-sig"),
        GOOD.encode("utf-16"),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("time_zone", "Time zone").encode(),
        GOOD.replace("\n", "\n,,,,,,,,\n").encode(),
    ],
    ids=["bom", "utf-16", "semicolons", "tabs", "windows", "header-words", "empty-lines"],
)
def test_files_as_spreadsheets_save_them(bring, data: bytes) -> None:
    assert bring(data).status == 0
    assert Device.objects.count() == 3


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (GOOD.replace("Harbour Loft", "Café Loft").encode("latin-1"), 4, "CSV UTF-8"),
        (b"", 1, "empty"),
        (b"PK\x03\x04\x00\x00", 1, "save the file as CSV"),
        (GOOD.replace("Back door", '"Back door').encode(), 3, "quotation mark"),
        (GOOD.replace("Back door,,", "Back door,,,,more").encode(), 3, "more cells than columns"),
        (b"property\n" + b"x" * 200_000, 2, "field larger than"),
    ],
    ids=["latin-1", "empty", "a-workbook", "quotes", "cells", "huge-cell"],
)
def test_a_file_that_makes_no_sense_is_refused_at_its_line(bring, data: bytes, line: int, words: str) -> None:
    before = rows()
    ran = bring(data, "--json")
    assert ran.status == 2
    assert (ran.data["problems"][0]["line"], words in ran.data["problems"][0]["problem"]) == (line, True)
    assert rows() == before


def test_a_file_that_is_too_large_is_refused_before_it_is_read_whole(bring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.management.commands.import_locks.MOST_BYTES", 2000)
    monkeypatch.setattr(sheet, "MOST_BYTES", 2000)
    monkeypatch.setattr(sheet, "MOST_ROWS", 2)
    assert "split it" in bring(GOOD + "x" * 5000).error
    assert "more than 2 lines" in bring(GOOD).error


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("=1+1", "formula"),
        ("#REF!", "error, not a value"),
        ('"Front\ndoor"', "line break"),
        ("Front\x1b[2Jdoor", "control"),
    ],
)
def test_cells_that_a_spreadsheet_left_behind_are_refused(bring, cell: str, words: str) -> None:
    ran = bring(GOOD.replace("Front door", cell), "--json")
    assert ran.status == 2 and problems(ran) == [(2, "lock")] and words in ran.data["problems"][0]["problem"]


def test_text_that_begins_like_a_formula_comes_in_as_our_exports_write_it(bring) -> None:
    assert bring(GOOD.replace("Front door", "'=Front door")).status == 0
    assert Device.objects.filter(name="=Front door").exists()


def test_a_phone_and_a_note_of_several_lines_come_in(bring) -> None:
    bring('property,time_zone,guest_phone,if_nothing_works\nLoft,Europe/Lisbon,+351 210,"Key safe\nleft of the door"\n')
    place = Property.objects.get()
    assert (place.guest_phone, place.if_nothing_works) == ("+351 210", "Key safe\nleft of the door")


def test_what_is_there_already_is_kept_as_it_is_and_told(bring, device: Device) -> None:
    device.hub.__class__.objects.update(address="sim-1")
    Property.objects.update(time_zone="Europe/Lisbon")
    before = rows()
    line = f"Lakeview Cottage,Europe/Paris,simulator,,sim-1,{device.lock_ref},Main door,Yale,"
    ran = bring(f"{HEAD}\n{line}\n")
    assert ran.status == 1
    assert "other time_zone in the file" in ran.out and "other lock, make in the file" in ran.out
    assert rows() == before


def test_a_hub_without_locks_has_them_looked_for(bring) -> None:
    ran = bring("property,time_zone,provider,hub,hub_address\nLoft,Europe/Lisbon,simulator,Hub,sim-1\n")
    assert "its locks are looked for, and put into Loft" in ran.out
    assert [task.task["func"] for task in OrmQ.objects.all()] == ["devices.tasks.discover_hub"]


def test_a_lock_that_was_removed_comes_back_and_one_that_is_being_removed_is_refused(bring) -> None:
    bring(GOOD)
    Device.objects.filter(name="Front door").update(removal=Device.Removal.REMOVED)
    ran = bring(GOOD)
    assert ran.status == 0 and "comes back" in ran.out
    assert Device.objects.get(name="Front door").removal == Device.Removal.KEPT
    Device.objects.filter(name="Front door").update(removal=Device.Removal.REMOVING)
    assert "being removed" in bring(GOOD).error


def test_a_hub_of_another_workspace_is_refused(bring) -> None:
    factories.HubFactory(address="sim-1")
    ran = bring(GOOD, "--workspace", "Lakeview Stays", "--json")
    assert ran.status == 2 and problems(ran)[0] == (2, "hub_address")


def test_which_workspace_is_asked_for_when_there_are_several(bring) -> None:
    factories.WorkspaceFactory(name="Elsewhere")
    assert (2, "workspace") in problems(bring(GOOD, "--json"))
    assert bring(GOOD, "--workspace", "Elsewhere").status == 0
    assert bring(GOOD, "--workspace", "Nowhere").status == 2
    named = "workspace,property,time_zone\nLakeview Stays,Loft,Europe/Lisbon\nNowhere,Loft,Europe/Lisbon\n"
    assert problems(bring(named, "--json")) == [(3, "workspace")]
    assert {place.workspace.name for place in Property.objects.all()} == {"Elsewhere"}


def test_it_reads_standard_input(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(GOOD.encode())))
    assert run("import_locks", "-").status == 0
    assert Device.objects.count() == 3


@pytest.mark.parametrize("args", [[], ["no such file.csv"], ["."]])
def test_a_wrong_call_ends_with_2(workspace: Workspace, args: list[str]) -> None:
    ran = run("import_locks", *args)
    assert ran.status == 2 and ran.error


def test_the_template_can_be_brought_in(bring) -> None:
    assert run("import_locks", "--template").out == template()
    assert bring(template()).status == 0
    assert set(Hub.objects.values_list("name", flat=True)) == {"Lakeview hub", "Harbour hub"}


def test_two_at_once_bring_it_in_once(transactional_db: None, tmp_path: Path) -> None:
    factories.WorkspaceFactory()
    file = tmp_path / "locks.csv"
    file.write_text(GOOD)

    def bring(_: int) -> int:
        try:
            return run("import_locks", file).status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(bring, range(3))) == [0, 0, 0]
    assert (Property.objects.count(), Hub.objects.count(), Device.objects.count()) == (2, 2, 3)


def test_beside_a_worker_the_lock_is_taken_up_and_its_pool_fills(transactional_db: None, tmp_path: Path) -> None:
    device = factories.DeviceFactory(name="Front door", lock_ref="lock-1", hub__address="sim-1")
    truth = SimulatedLock.objects.get()
    truth.pk, truth.lock_ref = None, "lock-2"
    truth.save()
    place, zone = device.property.name, device.property.time_zone
    file = tmp_path / "locks.csv"
    file.write_text(
        f"{HEAD}\n{place},{zone},simulator,,sim-1,lock-1,Front door,,\n{place},,simulator,,sim-1,lock-2,Gate,,\n"
    )
    with a_worker(device):
        assert run("import_locks", file).status == 0
    gate = Device.objects.get(name="Gate")
    settle(gate)
    run("refill_pools", "Gate")
    settle(gate)
    assert len(ready(gate)) == 5


def test_its_help_has_a_template_examples_and_exit_statuses() -> None:
    told = help_of("devices", "import_locks")
    assert "examples:" in told and "exit status:" in told and template().splitlines()[0] in told


def test_a_lock_that_a_discovery_adds_meanwhile_is_told_and_nothing_else_is_brought_in(
    bring, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the write, the hub's own discovery is quicker."""
    place = factories.PropertyFactory(workspace=workspace)
    hub = factories.HubFactory(workspace=workspace, address="sim-1", name="Lakeview hub")
    real = bringing_in.add_new_locks

    def late(locks: object) -> None:
        factories.DeviceFactory(hub=hub, property=place, lock_ref="lock-2")
        real(locks)

    monkeypatch.setattr(bringing_in, "add_new_locks", late)
    ran = bring(GOOD)
    assert ran.status == 2 and "run it again" in ran.error
    assert not Property.objects.filter(name="Harbour Loft").exists()


def test_a_file_asks_the_database_no_more_for_each_lock(bring, django_assert_max_num_queries) -> None:
    lines = [f"Loft,{'Europe/Lisbon' if not n else ''},simulator,Hub,sim-1,lock-{n},Door {n},," for n in range(60)]
    with django_assert_max_num_queries(40):
        assert bring("\n".join([HEAD, *lines])).status == 0
    assert Device.objects.count() == 60
