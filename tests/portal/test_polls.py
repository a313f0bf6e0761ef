"""A poll is answered from one number as long as nothing has changed; and never when something has."""

import json
import re
from collections.abc import Callable

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups.models import BackupPool
from backups.services import acknowledge
from codes.at_risk import PATIENTLY
from codes.models import AccessCode
from codes.services import cancel_code, pull_backup, reveal
from codes.tick import tick
from devices.models import Device, Hub, Property
from devices.services import check_lock
from portal.live import MARK
from portal.models import User, Workspace
from tests import scene
from tests.engine import guest, later, settle, turn

POLLED = {"HX-Request": "true"}


def seen(page: HttpResponse) -> dict[str, str]:
    return dict(re.findall(r'name="(seen-[\w-]+)" value="(\w+)"', page.content.decode()))


def addresses(device: Device) -> list[tuple[str, str]]:
    """Each page that polls, and where."""
    code = AccessCode.objects.filter(device=device, kind=AccessCode.Kind.TIME_BOUND).order_by("name")[0]
    link = reverse("guest_page", args=[code.guest_token])
    return [
        (reverse("device", args=[device.pk]), reverse("device_live", args=[device.pk])),
        (reverse("device_list"), reverse("device_list_live")),
        (reverse("code_list"), reverse("code_list_live")),
        (reverse("code", args=[code.pk]), reverse("code_live", args=[code.pk])),
        (reverse("home"), reverse("home_live")),
        (link, link),
    ]


def first_live(device: Device) -> AccessCode:
    return AccessCode.objects.live().filter(device=device).order_by("name").first() or guest(device, "Last One")


def nobody_else(device: Device, alice: User) -> None:
    """Nothing happens."""


CHANGES: list[Callable[[Device, User], object]] = [
    nobody_else,
    lambda device, alice: guest(device, "Grace Okonkwo"),
    lambda device, alice: cancel_code(first_live(device), actor=alice),
    lambda device, alice: reveal(first_live(device), actor=alice),
    lambda device, alice: pull_backup(guest(device, "Helga Brandt"), actor=alice),
    lambda device, alice: check_lock(device, actor=alice),
    lambda device, alice: turn(device),
    lambda device, alice: settle(device, turns=3),
    lambda device, alice: tick(),
    lambda device, alice: acknowledge(BackupPool.objects.get(device=device), actor=alice),
    lambda device, alice: Property.objects.filter(pk=device.property_id).update(name="Elsewhere"),
    lambda device, alice: Hub.objects.filter(pk=device.hub_id).update(down_since="2026-01-01T00:00Z"),
    lambda device, alice: Workspace.objects.filter(pk=device.property.workspace_id).update(name="Renamed"),
    lambda device, alice: User.objects.filter(pk=alice.pk).update(name="Alice Hart"),
]


@pytest.mark.django_db(transaction=True)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=4))
def test_a_poll_never_overlooks_a_change(
    signed_in: Client, alice: User, device: Device, changes: list[Callable[[Device, User], object]]
) -> None:
    if not BackupPool.objects.filter(device=device).exists():
        scene.lively(device)
    with later(seconds=1):
        tick()
        for page, poll in addresses(device):
            known = seen(signed_in.get(page))
            for change in changes:
                device.refresh_from_db()
                change(device, alice)
                answer = signed_in.get(poll, known, headers=POLLED)
                unmarked = {name: value for name, value in known.items() if name != MARK}
                looked = signed_in.get(poll, unmarked, headers=POLLED)
                assert answer.status_code == looked.status_code, (poll, changes)
                known |= seen(answer)


@pytest.fixture
def lively(device: Device) -> Device:
    scene.lively(device)
    tick()
    return device


def test_a_poll_that_changed_nothing_takes_two_queries(signed_in: Client, lively: Device) -> None:
    for page, poll in addresses(lively):
        signed_in.get(page)  # a guest's first look is an event
        known = seen(signed_in.get(page))
        with CaptureQueriesContext(connection) as queries:
            assert signed_in.get(poll, known, headers=POLLED).status_code == 204
        guard = 2 if poll.startswith("/g/") else 0  # what slows down who tries out links asks as well
        assert len(queries) <= max(2, 1 + guard), poll


def test_after_a_minute_somebody_looks_again(signed_in: Client, lively: Device) -> None:
    poll = reverse("device_live", args=[lively.pk])
    known = seen(signed_in.get(reverse("device", args=[lively.pk])))
    with later(seconds=61), CaptureQueriesContext(connection) as queries:
        signed_in.get(poll, known, headers=POLLED)
    assert len(queries) > 2


def test_a_clock_that_was_set_back_is_not_trusted(signed_in: Client, lively: Device) -> None:
    known = seen(signed_in.get(reverse("device", args=[lively.pk])))
    with later(hours=-1), CaptureQueriesContext(connection) as queries:
        signed_in.get(reverse("device_live", args=[lively.pk]), known, headers=POLLED)
    assert len(queries) > 2


def test_the_portal_that_stands_still_is_told_though_no_row_changes(signed_in: Client, lively: Device) -> None:
    known = seen(signed_in.get(reverse("home")))
    with later(seconds=60.5):
        answer = signed_in.get(reverse("home_live"), known, headers=POLLED)
    assert "The portal itself stands still" in answer.content.decode()


@pytest.mark.parametrize("mark", ["", "x", "a_b_c", "a_1_", "a_99999999999999999_00", "a_1_zz", "0" * 16 + "_1_ff"])
def test_a_mark_that_is_none_means_look(signed_in: Client, lively: Device, mark: str) -> None:
    answer = signed_in.get(reverse("device_live", args=[lively.pk]), {MARK: mark}, headers=POLLED)
    assert answer.status_code == 200


def test_another_workspaces_mark_means_look(signed_in: Client, client: Client, charlie: User, lively: Device) -> None:
    known = seen(signed_in.get(reverse("device", args=[lively.pk])))
    client.force_login(charlie)
    assert client.get(reverse("device_live", args=[lively.pk]), known, headers=POLLED).status_code == 404


def test_a_filter_is_always_answered(signed_in: Client, lively: Device) -> None:
    known = seen(signed_in.get(reverse("device", args=[lively.pk])))
    asked = {**known, "q": "nobody of that name"}
    headers = {**POLLED, "HX-Trigger": "filter"}
    assert signed_in.get(reverse("device_live", args=[lively.pk]), asked, headers=headers).status_code == 200


def test_a_session_that_ended_is_not_answered(client: Client, signed_in: Client, lively: Device) -> None:
    known = seen(signed_in.get(reverse("device", args=[lively.pk])))
    Client.logout(signed_in)
    answer = signed_in.get(reverse("device_live", args=[lively.pk]), known, headers=POLLED)
    assert "HX-Redirect" in answer.headers


def test_a_change_is_told_after_it_was_known(signed_in: Client, lively: Device) -> None:
    page, poll = addresses(lively)[0]
    known = seen(signed_in.get(page))
    Device.objects.filter(pk=lively.pk).update(battery=3)
    with later(seconds=5):
        changed = signed_in.get(poll, known, headers=POLLED)
    assert (changed.status_code, "Battery low" in changed.content.decode()) == (200, True)


def test_a_polls_counts_may_be_a_moment_older_but_not_for_long(signed_in: Client, lively: Device) -> None:
    """Where much happens they are most of a poll's cost."""
    code = first_live(lively)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        known = seen(signed_in.get(reverse("code_list")))
        AccessCode.objects.filter(pk=code.pk).update(reported_at=timezone.now())
        at_once = signed_in.get(reverse("code_list_live"), known, headers=POLLED)
        assert "seen-nav" not in seen(at_once)
        known |= seen(at_once) | {MARK: json.loads(at_once["HX-Trigger"])["refreshed"]["mark"]}
        clock.shift(PATIENTLY)
        assert "seen-nav" in seen(signed_in.get(reverse("code_list_live"), known, headers=POLLED))


def test_a_page_counts_anew(signed_in: Client, lively: Device) -> None:
    code = first_live(lively)
    with time_machine.travel(timezone.now(), tick=False):
        before = seen(signed_in.get(reverse("code_list")))
        AccessCode.objects.filter(pk=code.pk).update(reported_at=timezone.now())
        assert seen(signed_in.get(reverse("code_list")))["seen-nav"] != before["seen-nav"]
