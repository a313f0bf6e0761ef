"""What staff may do in the admin: asked first, by those who may act, written down with their name."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from backups.models import BackupCode, BackupPool
from devices.models import Device, Event, Pin
from devices.services import remove_lock
from portal.models import User, Workspace
from portal.staff import MOST, LookingAdmin, page_of
from tests import factories
from tests.staff.rows import MODELS, grow, pages
from tests.staff.test_pages import list_of

ACTIONS = [
    (model, name)
    for model in MODELS
    for name in (
        admin.site._registry[model].actions or () if isinstance(admin.site._registry[model], LookingAdmin) else ()
    )
]


def ask(client: Client, rows: list[Any], name: str, **more: str) -> HttpResponse:
    chosen = {"action": name, "_selected_action": [str(row.pk) for row in rows], **more}
    return client.post(list_of(type(rows[0])), chosen)


def ask_on_its_page(client: Client, row: Any, name: str, **more: str) -> HttpResponse:
    return client.post(page_of(row), {"CHANGE_FORM-action": name, "_selected_action": [str(row.pk)], **more})


def say_yes(client: Client, rows: list[Any], name: str) -> list[str]:
    """What staff are told."""
    response = ask(client, rows, name, yes="yes")
    assert response.status_code == 302
    return [str(message) for message in client.get(response["Location"]).context["messages"]]


def everything() -> list[Any]:
    return [(model, list(pages(model).values_list())) for model in MODELS]


@pytest.mark.parametrize("asked", [ask, ask_on_its_page])
def test_each_asks_first_and_names_what_it_is_about(staff: Client, workspace: Workspace, asked: Any) -> None:
    grow(workspace)
    before = everything()
    for model, name in ACTIONS:
        row = pages(model).first()
        response = asked(staff, [row] if asked is ask else row, name)
        assert response.status_code == 200, (model, name)
        assert response.templates[0].name == "admin/ask.html", (model, name)
        assert response.context["asked"][0][0] == row and str(row) in response.content.decode(), (model, name)
        assert response.context["will"], (model, name)
    assert everything() == before
    assert len(ACTIONS) > 10


def test_who_may_only_look_is_not_offered_any_and_can_do_none(client: Client, lena: User, workspace: Workspace) -> None:
    grow(workspace)
    client.force_login(lena)
    before = everything()
    for model, name in ACTIONS:
        row = pages(model).first()
        for response in (client.get(list_of(model)), client.get(page_of(row))):
            assert response.status_code == 200, model
            assert f'value="{name}"' not in response.content.decode(), (model, name)
        ask(client, [row], name, yes="yes")
        assert ask_on_its_page(client, row, name, yes="yes").status_code in (302, 403), (model, name)
    assert everything() == before


def test_checking_a_lock(client: Client, arto: User, device: Device) -> None:
    client.force_login(arto)
    assert "done for 1 row" in say_yes(client, [device], "check_now")[0]
    device.refresh_from_db()
    assert device.read_wanted
    assert Event.objects.get(type=Event.Type.DEVICE_CHECKED).actor == arto
    assert LogEntry.objects.get().user == arto


def test_checking_a_lock_on_its_own_page(client: Client, arto: User, device: Device) -> None:
    client.force_login(arto)
    response = ask_on_its_page(client, device, "check_now", yes="yes")
    assert response["Location"] == page_of(device)
    assert Event.objects.get(type=Event.Type.DEVICE_CHECKED).actor == arto


def test_a_lock_that_refuses_does_not_keep_the_others(client: Client, arto: User, device: Device) -> None:
    client.force_login(arto)
    gone = factories.DeviceFactory(property=device.property, hub=device.hub, name="Gone", removal="removed")
    told = say_yes(client, [gone, device], "check_now")
    assert "Gone: This lock has been removed" in " ".join(told) and "done for 1 row" in " ".join(told)
    assert [event.device for event in Event.objects.all()] == [device]


def test_marking_a_lock_as_removed(client: Client, arto: User, device: Device) -> None:
    client.force_login(arto)
    assert "Remove the lock first" in say_yes(client, [device], "mark_removed")[0]
    factories.PinFactory(device=device, status=Pin.Status.SET, slot=1, label="Ben 7F3A")
    remove_lock(device)
    assert "1 code may still be on it: Ben 7F3A." in ask(client, [device], "mark_removed").content.decode()
    say_yes(client, [device], "mark_removed")
    device.refresh_from_db()
    assert device.removal == Device.Removal.REMOVED
    removed = Event.objects.get(type=Event.Type.DEVICE_REMOVED)
    assert removed.actor == arto and removed.data == {"left": ["Ben 7F3A"]}


def test_refilling_a_pool(client: Client, arto: User, device: Device) -> None:
    client.force_login(arto)
    pool = factories.BackupPoolFactory(device=device)
    say_yes(client, [pool], "refill_now")
    assert BackupCode.objects.spare().count() == 5
    assert Event.objects.get(type=Event.Type.POOL_REFILL_ASKED).actor == arto


def test_replacing_a_spare(client: Client, arto: User, device: Device) -> None:
    client.force_login(arto)
    pool = factories.BackupPoolFactory(device=device)
    spare, drawn, _other = [factories.BackupCodeFactory(pool=pool) for _ in range(3)]
    BackupCode.objects.filter(pk=drawn.pk).update(drawn_at=device.added_at)
    assert "A guest has it" in ask(client, [spare, drawn], "replace").content.decode()
    told = " ".join(say_yes(client, [spare, drawn], "replace"))
    assert f"Backup {drawn.code_id}: A guest has it" in told and "done for 1 row" in told
    event = Event.objects.get(type=Event.Type.BACKUP_REPLACED)
    assert (event.actor, event.data) == (arto, {"backup": spare.code_id})


def test_more_than_a_person_can_read_is_refused(staff: Client, device: Device) -> None:
    Device.objects.bulk_create(
        Device(property=device.property, hub=device.hub, lock_ref=f"bulk{n}", name=f"Door {n}") for n in range(MOST)
    )
    chosen = {"action": "check_now", "select_across": "1", "_selected_action": [str(device.pk)], "index": "0"}
    response = staff.post(list_of(Device), chosen, follow=True)
    assert f"Choose {MOST} rows at most" in response.content.decode()
    assert not Event.objects.exists()


@pytest.mark.parametrize("index", ["0", "7", "x", "-1"])
def test_an_odd_form_is_no_error(staff: Client, device: Device, index: str) -> None:
    assert ask(staff, [device], "check_now", index=index).status_code in (200, 302)
    assert ask(staff, [device], "no_such_thing", index=index).status_code in (200, 302)
    assert not Event.objects.exists()


def test_a_pool_cannot_be_deleted_or_switched_off(staff: Client, device: Device) -> None:
    pool = factories.BackupPoolFactory(device=device)
    assert staff.post(reverse("admin:backups_backuppool_delete", args=[pool.pk]), {"post": "yes"}).status_code == 403
    assert staff.post(page_of(pool), {"size": 1}).status_code == 403
    assert BackupPool.objects.get().size == 5


def test_a_propertys_words_are_changed_by_its_service_and_its_zone_stays(
    client: Client, arto: User, device: Device
) -> None:
    client.force_login(arto)
    place = device.property
    words = {"name": "Lake House", "address": "2 Lake Road", "guest_phone": "", "if_nothing_works": ""}
    sent = client.post(
        page_of(place), {**words, "time_zone": "Asia/Tokyo", "workspace": factories.WorkspaceFactory().pk}
    )
    assert sent.status_code == 302
    place.refresh_from_db()
    assert (place.name, place.time_zone, place.workspace) == ("Lake House", "Europe/Lisbon", device.hub.workspace)


def test_a_property_is_added_with_a_zone_that_exists(client: Client, arto: User, workspace: Workspace) -> None:
    client.force_login(arto)
    url = reverse("admin:devices_property_add")
    words = {"workspace": workspace.pk, "name": "New", "address": "", "guest_phone": "", "if_nothing_works": ""}
    assert "is no time zone" in client.post(url, {**words, "time_zone": "Mars"}).content.decode()
    assert client.post(url, {**words, "time_zone": "Europe/Lisbon"}).status_code == 302
    assert workspace.properties.get().name == "New"
