"""Staff look at a workspace's portal: recorded, bannered, for half an hour, and nothing can come of it."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from codes.models import AccessCode
from devices.models import Device, Event, Pin
from portal.models import User, Workspace
from portal.staff import page_of
from tests import factories, scene
from tests.test_isolation import ALL, address, arguments  # noqa: F401  a fixture

BANNER = "Read-only look at Lakeview Stays."
SECRET = "734915"
BESIDE = {"sessions.Session", "admin.LogEntry", "auth.Permission", "contenttypes.ContentType"}
LEAVE = {"look_begin", "look_end", "account_logout"}  # the way in and the ways out
NOT_OPEN = ("guest_", "join", "account_", "mfa_")


@pytest.fixture
def lively(device: Device) -> Device:
    scene.lively(device)
    open_door(device)
    return device


def open_door(device: Device) -> None:
    """A guest whose PIN is found nowhere else."""
    guest = factories.AccessCodeFactory(device=device, name="Fay Open")
    factories.CodePinFactory(code=guest, pin__digits=SECRET, pin__status=Pin.Status.SET)


@pytest.fixture
def looking(client: Client, arto: User, workspace: Workspace) -> Client:
    """Arto, who has begun to look at Alice's workspace."""
    client.force_login(arto)
    assert client.post(reverse("look_begin", args=[workspace.pk])).status_code == 302
    return client


def everything() -> dict[str, list[Any]]:
    """All rows there are, but for what signing in and the admin write."""
    models = [model for model in apps.get_models() if model._meta.label not in BESIDE]
    return {model._meta.label: list(model._default_manager.order_by("pk").values_list()) for model in models}


def writes(sql: str) -> bool:
    return sql.startswith(("INSERT", "UPDATE", "DELETE")) and "django_session" not in sql


def test_it_asks_first(client: Client, arto: User, workspace: Workspace) -> None:
    client.force_login(arto)
    page = client.get(page_of(workspace)).content.decode()
    url = reverse("look_begin", args=[workspace.pk])
    assert f'href="{url}"' in page
    asked = client.get(url).content.decode()
    assert "Lakeview Stays" in asked and "30 minutes" in asked
    assert not Event.objects.exists()
    assert client.get(reverse("home")).status_code == 403


def test_it_is_recorded_where_the_workspaces_people_read_it(looking: Client, arto: User, alice: User) -> None:
    event = Event.objects.get()
    assert (event.type, event.actor, event.device) == (Event.Type.STAFF_LOOK_BEGAN, arto, None)
    looking.post(reverse("look_end"))
    assert Event.objects.get(type=Event.Type.STAFF_LOOK_ENDED).actor == arto
    looking.force_login(alice)
    html = looking.get(reverse("activity"), {"kind": "staff"}).content.decode()
    assert "Our staff began a read-only look" in html and "By Arto." in html


@pytest.mark.parametrize(
    "name", ["home", "device_list", "code_list", "warnings", "activity", "search", "property_list"]
)
def test_the_workspaces_pages_open_with_a_banner(looking: Client, lively: Device, name: str) -> None:
    response = looking.get(reverse(name))
    assert response.status_code == 200
    assert BANNER in response.content.decode()


def test_there_is_nothing_to_press_and_no_secret_to_see(looking: Client, lively: Device) -> None:
    code = AccessCode.objects.get(name="Fay Open")
    for url in (reverse("device", args=[lively.pk]), reverse("code", args=[code.pk]), reverse("code_list")):
        html = looking.get(url).content.decode()
        assert BANNER in html and "Fay Open" in html
        assert SECRET not in html and code.guest_token not in html
        assert "Show PIN" not in html and "Use a backup code now" not in html and "Cancel this code" not in html


def test_nothing_changes_whatever_is_sent_to_whatever_address(
    looking: Client,
    device: Device,
    arguments: dict[str, list[object]],  # noqa: F811
) -> None:
    """Every address of the portal × every method. Only the way out changes anything."""
    open_door(device)
    secrets = [SECRET, *(code.guest_token for code in AccessCode.objects.all())]
    wrong, before = [], everything()
    for name in set(ALL) - LEAVE:
        url = address(name, arguments)
        for method in ("get", "post", "delete"):
            with CaptureQueriesContext(connection) as asked:
                response = getattr(looking, method)(url)
            if method != "get" and response.status_code not in (403, 405):
                wrong.append(f"{method} {name}: {response.status_code}")
            if name.startswith(NOT_OPEN) and response.status_code != 403:
                wrong.append(f"{method} {name} is open: {response.status_code}")
            if any(secret in response.getvalue().decode() for secret in secrets):
                wrong.append(f"{method} {name} shows a secret")
            wrong += [f"{method} {name}: {query['sql']}" for query in asked if writes(query["sql"])]
    assert not wrong, "\n".join(wrong)
    assert everything() == before


def test_another_workspaces_things_stay_hidden(looking: Client) -> None:
    other = factories.DeviceFactory(name="Elsewhere")
    assert looking.get(reverse("device", args=[other.pk])).status_code == 404
    assert "Elsewhere" not in looking.get(reverse("device_list")).content.decode()


def test_a_button_ends_it(looking: Client, workspace: Workspace) -> None:
    response = looking.post(reverse("look_end"))
    assert response["Location"] == page_of(workspace)
    assert looking.get(reverse("home")).status_code == 403


def test_half_an_hour_ends_it(looking: Client, lively: Device) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=29)):
        assert looking.get(reverse("home")).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        response = looking.get(reverse("home"), follow=True)
        assert "Your look at the portal is over." in response.content.decode()
        assert looking.get(reverse("home")).status_code == 403


def test_what_is_sent_after_its_end_is_not_done_to_ones_own_workspace(
    looking: Client, arto: User, workspace: Workspace
) -> None:
    own = factories.MembershipFactory(user=arto, workspace__name="Arto's own").workspace
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        response = looking.post(reverse("settings"), {"name": "Hijacked"})
        assert response.status_code == 302
    own.refresh_from_db()
    assert own.name == "Arto's own"


def test_a_poll_after_its_end_takes_the_whole_page_away(looking: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        response = looking.get(reverse("home_live"), headers={"hx-request": "true"})
        assert response["HX-Redirect"] == reverse("admin:index")


@pytest.mark.parametrize("change", [{"is_staff": False}, {"groups": []}])
def test_losing_the_right_ends_it_at_once(looking: Client, arto: User, change: dict[str, Any]) -> None:
    if "groups" in change:
        arto.groups.clear()
    else:
        User.objects.filter(pk=arto.pk).update(**change)
    assert looking.get(reverse("device_list")).status_code == 302
    assert looking.get(reverse("device_list")).status_code == 403


def test_ones_own_workspace_is_back_afterwards(looking: Client, arto: User) -> None:
    factories.MembershipFactory(user=arto, workspace__name="Arto's own")
    assert BANNER in looking.get(reverse("home")).content.decode()
    looking.post(reverse("look_end"))
    html = looking.get(reverse("home")).content.decode()
    assert BANNER not in html and "Read-only look" not in html


def test_the_admin_stays_open_meanwhile(looking: Client, device: Device) -> None:
    assert looking.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("who", ["lena", "alice"])
def test_only_staff_who_may_act_can_look(
    client: Client, workspace: Workspace, who: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))
    for method in (client.get, client.post):
        assert method(reverse("look_begin", args=[workspace.pk])).status_code == 403
    assert client.post(reverse("look_end")).status_code == 403
    assert not Event.objects.exists()


def test_a_workspace_that_is_not_there_is_not_found(client: Client, arto: User) -> None:
    client.force_login(arto)
    url = reverse("look_begin", args=["00000000-0000-4000-8000-000000000000"])
    assert client.post(url).status_code == 404
    assert client.get(reverse("look_end")).status_code == 405


def test_a_workspace_that_goes_meanwhile_leaves_no_page_open(looking: Client, workspace: Workspace) -> None:
    Event.objects.all()._raw_delete("default")
    workspace.delete()
    assert looking.get(reverse("home")).status_code == 403
    assert looking.post(reverse("look_end"))["Location"] == reverse("admin:index")
