"""A poll that nothing has changed is answered by one query; whatever ends the right to the page ends that."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from codes import guest_link
from codes.models import AccessCode
from devices.models import Device, Hub
from portal.live import LATER, MARK
from portal.models import Membership, User
from portal.quick_polls import DRAWN_AT_ONCE, _hands
from tests import engine, factories, scene

SEEN = re.compile(r'name="(seen-[\w-]+)" value="(\w+)"')
POLLED = {"HX-Request": "true"}


@pytest.fixture
def drawn(signed_in: Client, device: Device) -> dict[str, str]:
    """What the lock's page sends back with its poll."""
    scene.lively(device)
    return dict(SEEN.findall(signed_in.get(reverse("device", args=[device.pk])).content.decode()))


def poll(client: Client, device: Device, drawn: dict[str, str], **headers: str) -> Any:
    return client.get(reverse("device_live", args=[device.pk]), drawn, headers={**POLLED, **headers})


def test_it_takes_one_query(signed_in: Client, device: Device, drawn, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        answer = poll(signed_in, device, drawn)
    assert answer.status_code == 204
    assert answer["Cache-Control"] == "no-store" and "refreshed" in answer["HX-Trigger"]


def test_it_carries_the_headers_of_every_answer(signed_in: Client, device: Device, drawn) -> None:
    answer = poll(signed_in, device, drawn)
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff" and answer["X-Request-ID"]


def test_a_change_is_sent(signed_in: Client, device: Device, drawn) -> None:
    Device.objects.filter(pk=device.pk).update(battery=11)
    assert b"Battery low: 11%" in poll(signed_in, device, drawn).content


class TestAnotherLocksChange:
    """It moves a count in the navigation at most: that may wait a little, and costs no more than no change."""

    @pytest.fixture
    def beside(self, device: Device) -> Device:
        return factories.DeviceFactory(property=device.property, hub=device.hub)

    @pytest.fixture
    def code_drawn(self, signed_in: Client, device: Device, drawn) -> tuple[str, dict[str, str]]:
        code = AccessCode.objects.filter(device=device)[0]
        page = signed_in.get(reverse("code", args=[code.pk])).content.decode()
        return reverse("code_live", args=[code.pk]), dict(SEEN.findall(page))

    def test_it_takes_one_query(
        self, signed_in: Client, device: Device, beside: Device, drawn, django_assert_num_queries
    ) -> None:
        Device.objects.filter(pk=beside.pk).update(battery=11)
        with django_assert_num_queries(1):
            assert poll(signed_in, device, drawn).status_code == 204

    def test_so_does_a_codes_page(
        self, signed_in: Client, beside: Device, code_drawn, django_assert_num_queries
    ) -> None:
        Device.objects.filter(pk=beside.pk).update(battery=11)
        url, drawn = code_drawn
        with django_assert_num_queries(1):
            assert signed_in.get(url, drawn, headers=POLLED).status_code == 204

    def test_a_codes_page_hears_of_its_own_lock(self, signed_in: Client, device: Device, code_drawn) -> None:
        Device.objects.filter(pk=device.pk).update(battery=11)
        url, drawn = code_drawn
        assert "mark" in signed_in.get(url, drawn, headers=POLLED)["HX-Trigger"]

    def test_a_mark_of_another_session_is_looked_at(
        self, signed_in: Client, device: Device, beside: Device, bob: User, drawn
    ) -> None:
        theirs = Client()
        theirs.force_login(bob)
        of_bob = dict(SEEN.findall(theirs.get(reverse("device", args=[device.pk])).content.decode()))
        Device.objects.filter(pk=beside.pk).update(battery=11)
        assert "mark" in poll(signed_in, device, drawn | {MARK: of_bob[MARK]})["HX-Trigger"]

    def test_after_a_while_it_is_looked_at(self, signed_in: Client, device: Device, beside: Device, drawn) -> None:
        Device.objects.filter(pk=beside.pk).update(battery=11)
        with time_machine.travel(timezone.now() + timedelta(seconds=LATER), tick=False):
            assert "mark" in poll(signed_in, device, drawn)["HX-Trigger"]

    def test_a_clock_that_was_set_back_looks(self, signed_in: Client, device: Device, beside: Device, drawn) -> None:
        Device.objects.filter(pk=beside.pk).update(battery=11)
        with time_machine.travel(timezone.now() - timedelta(seconds=1), tick=False):
            assert "mark" in poll(signed_in, device, drawn)["HX-Trigger"]

    def test_a_list_hears_of_it_at_once(self, signed_in: Client, beside: Device) -> None:
        drawn = dict(SEEN.findall(signed_in.get(reverse("device_list")).content.decode()))
        Device.objects.filter(pk=beside.pk).update(battery=11)
        assert b"11%" in signed_in.get(reverse("device_list_live"), drawn, headers=POLLED).content

    def test_what_concerns_no_single_lock_is_sent_at_once(self, signed_in: Client, device: Device, drawn) -> None:
        Hub.objects.filter(pk=device.hub_id).update(down_since=timezone.now())
        assert poll(signed_in, device, drawn).status_code == 200

    def test_a_made_up_seal_or_another_lock_is_not_taken(
        self, signed_in: Client, device: Device, beside: Device, drawn
    ) -> None:
        source, until, zone, lock, own, at, space = drawn["seen-mark"].split("_")
        Device.objects.filter(pk=device.pk).update(battery=11)
        for which, seal in [(lock, "0" * 32), (lock, source), (beside.pk.hex, own), (space, source)]:
            made_up = "_".join([source, until, zone, which, seal, at, space])
            assert "mark" in poll(signed_in, device, {**drawn, "seen-mark": made_up})["HX-Trigger"]


class TestHandsFull:
    """A process that draws as many pages as it may has others ask again: guests come first."""

    @pytest.fixture(autouse=True)
    def busy(self, drawn) -> Iterator[None]:
        for _ in range(DRAWN_AT_ONCE):
            _hands.acquire()
        yield
        for _ in range(DRAWN_AT_ONCE):
            _hands.release()

    def test_a_changed_page_asks_again_and_stays_as_old_as_it_says(
        self, signed_in: Client, device: Device, drawn
    ) -> None:
        Device.objects.filter(pk=device.pk).update(battery=11)
        answer = poll(signed_in, device, drawn)
        assert answer.status_code == 204 and "HX-Trigger" not in answer

    def test_what_has_not_changed_is_said(self, signed_in: Client, device: Device, drawn) -> None:
        assert "refreshed" in poll(signed_in, device, drawn)["HX-Trigger"]

    def test_after_a_minute_it_is_drawn_all_the_same(self, signed_in: Client, device: Device, drawn) -> None:
        Device.objects.filter(pk=device.pk).update(battery=11)
        with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
            assert b"Battery low: 11%" in poll(signed_in, device, drawn).content

    def test_a_session_that_ended_is_told(self, signed_in: Client, device: Device, drawn) -> None:
        Session.objects.all().delete()
        assert "HX-Redirect" in poll(signed_in, device, drawn)

    def test_guests_and_whole_pages_are_served(self, signed_in: Client, device: Device) -> None:
        code = AccessCode.objects.filter(device=device, kind=AccessCode.Kind.TIME_BOUND)[0]
        assert signed_in.get(reverse("guest_page", args=[code.guest_token])).status_code == 200
        assert signed_in.get(reverse("device", args=[device.pk])).status_code == 200


def test_hands_are_free_again_afterwards(signed_in: Client, device: Device, drawn) -> None:
    for level in range(2 * DRAWN_AT_ONCE):
        Device.objects.filter(pk=device.pk).update(battery=level)
        assert poll(signed_in, device, drawn).status_code == 200


def test_after_a_minute_it_looks_for_itself(signed_in: Client, device: Device, drawn) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        assert "mark" in poll(signed_in, device, drawn)["HX-Trigger"]


class TestWhoMayNoLonger:
    """The page's own poll hears of it at once, not a minute later."""

    def refused(self, client: Client, device: Device, drawn: dict[str, str]) -> bool:
        answer = poll(client, device, drawn)
        return "HX-Redirect" in answer or answer.status_code in (403, 404)

    def test_signed_out_elsewhere(self, signed_in: Client, device: Device, drawn) -> None:
        Session.objects.all().delete()
        assert self.refused(signed_in, device, drawn)

    def test_a_session_that_ran_out(self, signed_in: Client, device: Device, drawn) -> None:
        Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
        assert self.refused(signed_in, device, drawn)

    def test_no_cookie(self, client: Client, device: Device, drawn) -> None:
        assert self.refused(Client(), device, drawn)

    def test_another_persons_session(self, device: Device, drawn, bob: User) -> None:
        other = Client()
        other.force_login(bob)
        answer = poll(other, device, drawn)
        assert answer.status_code != 204 or "mark" in answer["HX-Trigger"]  # not by that mark

    def test_a_cookie_that_was_made_up(self, device: Device, drawn) -> None:
        other = Client()
        other.cookies = SimpleCookie({"sessionid": "madeup"})
        assert self.refused(other, device, drawn)

    @pytest.mark.parametrize("change", [{"is_active": False}, {"password": "!"}])
    def test_a_person_who_was_changed(self, signed_in: Client, device: Device, drawn, alice: User, change) -> None:
        get_user_model().objects.filter(pk=alice.pk).update(**change)
        assert self.refused(signed_in, device, drawn)

    def test_a_membership_that_was_removed(self, signed_in: Client, device: Device, drawn, alice: User) -> None:
        Membership.objects.filter(user=alice).delete()
        assert self.refused(signed_in, device, drawn)

    @pytest.mark.parametrize("mark", ["", "x", "a_b_c", "a_b_c_d", "0_99999999999999999999_55_", "__" * 3])
    def test_a_mark_that_was_made_up(self, signed_in: Client, device: Device, drawn, mark: str) -> None:
        assert "mark" in poll(signed_in, device, {**drawn, "seen-mark": mark})["HX-Trigger"]

    def test_a_mark_for_another_workspace_is_held_against_the_persons_own(
        self, signed_in: Client, device: Device, drawn, django_assert_num_queries
    ) -> None:
        ours = drawn["seen-mark"].rsplit("_", 1)[0]
        with django_assert_num_queries(3):  # the mark's, the session, the person
            poll(signed_in, device, {**drawn, "seen-mark": f"{ours}_{'0' * 32}"})


def test_a_page_that_answers_no_polls_is_not_spared(signed_in: Client, device: Device, drawn) -> None:
    assert signed_in.get(reverse("device", args=[device.pk]), drawn, headers=POLLED).status_code == 200


def test_a_filter_is_a_question_of_its_own(signed_in: Client, device: Device, drawn) -> None:
    answer = poll(signed_in, device, drawn, **{"HX-Trigger": "filter"})
    assert answer.status_code != 204 or "mark" in answer["HX-Trigger"]


def test_the_guests_page_asks_one_query_and_its_mark_is_its_own(
    client: Client, device: Device, django_assert_num_queries
) -> None:
    code, other = engine.guest(device, starts=timedelta(hours=-1)), engine.guest(device, "Ana Ruiz")
    engine.turn(device)
    link, others = (reverse("guest_page", args=[one.guest_token]) for one in (code, other))
    client.get(link)
    drawn = dict(SEEN.findall(client.get(link).content.decode()))
    for asked in (2, 1):  # a process looks up once whose code it is
        with django_assert_num_queries(asked):
            assert client.get(link, drawn, headers=POLLED).status_code == 204
    assert "mark" in client.get(others, drawn, headers=POLLED)["HX-Trigger"]
    assert drawn["seen-mark"].endswith("_")  # it tells no workspace


@pytest.mark.parametrize("token", [guest_link.token_of(uuid.uuid4(), "x"), "no-token"])
def test_a_mark_on_a_link_of_nobody_finds_nobody(client: Client, device: Device, token: str) -> None:
    link = reverse("guest_page", args=[engine.guest(device, starts=timedelta(hours=-1)).guest_token])
    drawn = dict(SEEN.findall(client.get(link).content.decode()))
    assert client.get(reverse("guest_page", args=[token]), drawn, headers=POLLED).status_code == 404
