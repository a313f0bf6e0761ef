"""`manage.py check_pools`: exit status 1 and a table when a pool is low or exhausted."""

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from backups import checking
from backups.models import BackupCode, BackupPool
from backups.services import refill
from devices.models import Device
from tests import factories
from tests.commands import help_of, rows, run
from tests.engine import draw, fill_pool, later, settle


def empty(device: Device) -> None:
    while draw(device):
        pass


def test_full_pools_are_fine(device: Device) -> None:
    fill_pool(device)
    ran = run("check_pools")
    assert (ran.status, ran.out) == (0, "1 pool checked, nothing found.\n")
    assert run("check_pools", "--quiet").out == ""


def test_one_that_is_low_ends_with_1_and_is_listed(device: Device) -> None:
    fill_pool(device)
    draw(device)
    ran = run("check_pools")
    assert ran.status == 1
    _head, row, total = ran.out.splitlines()
    assert row.split("  ")[0] == "low" and "4 of 5" in row and "Lakeview Cottage / Front door" in row
    assert total == "Low or exhausted: 1 of 1 pool."
    assert run("check_pools", "--quiet").out == ran.out


def test_one_that_is_exhausted_says_since_when_and_why(device: Device) -> None:
    fill_pool(device)
    empty(device)
    Device.objects.update(online=Device.Online.NO, online_since=timezone.now())
    ran = run("check_pools", "--only-exhausted")
    assert ran.status == 1 and "exhausted" in ran.out and "0 of 5" in ran.out and "offline since" in ran.out


def test_a_low_one_is_fine_if_only_exhausted_ones_count(device: Device) -> None:
    fill_pool(device)
    draw(device)
    assert run("check_pools", "--only-exhausted").status == 0


def test_a_new_pool_is_given_its_time(device: Device) -> None:
    refill(device)
    assert run("check_pools").status == 0
    with later(minutes=11):
        assert run("check_pools").status == 1


def test_a_pool_that_was_never_made_is_found_and_says_what_to_do(device: Device) -> None:
    assert run("check_pools").status == 0
    with later(minutes=11):
        ran = run("check_pools")
    assert ran.status == 1 and "refill_pools" in ran.out


@pytest.mark.parametrize("changes", [{"removal": "removing"}, {"removal": "removed"}])
def test_a_lock_that_leaves_is_no_news(device: Device, changes: dict[str, str]) -> None:
    refill(device)
    Device.objects.update(**changes)
    with later(minutes=11):
        assert run("check_pools").status == 0


def test_a_lock_without_support_is_no_news(place: object) -> None:
    factories.DeviceFactory(property=place, caps=factories.UNREADABLE)
    with later(hours=11):
        assert run("check_pools", "--list", "--json").data["pools"] == []


def test_json_tells_the_worst_first(device: Device) -> None:
    fill_pool(device)
    draw(device)
    other = factories.DeviceFactory(property=device.property, hub=device.hub, name="Back door")
    fill_pool(other)
    empty(other)
    told = run("check_pools", "--json").data
    assert (told["checked"], told["low"], told["exhausted"]) == (2, 1, 1)
    assert [pool["lock"] for pool in told["pools"]] == ["Lakeview Cottage / Back door", "Lakeview Cottage / Front door"]
    assert {**told["pools"][1], "id": None} == {
        "id": None,
        "lock": "Lakeview Cottage / Front door",
        "workspace": "Lakeview Stays",
        "state": "low",
        "ready": 4,
        "size": 5,
        "pulled_last_7_days": 1,
        "exhausted_since": None,
        "cause": "",
        "taken_on_by": "",
    }


def test_list_shows_those_that_are_fine_too(device: Device) -> None:
    fill_pool(device)
    ran = run("check_pools", "--list")
    assert ran.status == 0 and "ready" in ran.out and "5 of 5" in ran.out


def test_a_workspace_alone_can_be_asked_for(device: Device) -> None:
    fill_pool(device)
    elsewhere = factories.DeviceFactory(property__workspace__name="Elsewhere")
    fill_pool(elsewhere)
    draw(elsewhere)
    assert run("check_pools", "--workspace", "lakeview stays").status == 0
    assert run("check_pools", "--workspace", elsewhere.property.workspace_id).status == 1


def test_an_unknown_workspace_ends_with_2_and_names_those_near(device: Device) -> None:
    ran = run("check_pools", "--workspace", "Lakeview")
    assert ran.status == 2 and "Near it:\n  Lakeview Stays" in ran.error


def test_without_a_database_it_ends_with_2_not_1(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """A monitor must not take "no answer" for "a pool is low"."""

    def down(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(checking, "pools_of", down)
    ran = run("check_pools")
    assert ran.status == 2 and "OperationalError" in ran.error


def test_it_changes_nothing_and_asks_little(
    device: Device, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    fill_pool(device)
    factories.DeviceFactory.create_batch(4, hub=device.hub, property=device.property)
    before = rows()
    with django_assert_max_num_queries(3):
        run("check_pools", "--list")
    assert rows() == before


def test_between_a_draw_and_its_refill_it_says_what_is_so(device: Device) -> None:
    fill_pool(device)
    with later(hours=1):
        draw(device)
        assert run("check_pools").status == 1
        settle(device)
        assert run("check_pools").status == 0
    assert BackupCode.objects.ready().count() == 5 and BackupPool.objects.count() == 1


def test_on_a_terminal_it_is_a_table(device: Device) -> None:
    Device.objects.update(name="[b]Door[/b]\x1b[2J")
    refill(device)
    out = run("check_pools", "--list", terminal=True).out
    assert "┃" in out and "[b]" in out and "\x1b[2J" not in out


def test_its_help_has_examples_and_exit_statuses() -> None:
    told = help_of("backups", "check_pools")
    assert "examples:" in told and "exit status:" in told
