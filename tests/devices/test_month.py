"""A lock's last thirty days: what its page says so that it gets fixed and not just refilled."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from devices.models import Device, Event
from devices.month import HOURS, Gap, Month, activity_and_month
from portal.models import User
from tests import scene

T = Event.Type


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 11, 23, 9, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def old(device: Device) -> Device:
    """Added long before the month."""
    Device.objects.filter(pk=device.pk).update(added_at=timezone.now() - timedelta(days=90))
    device.refresh_from_db()
    return device


def happened(device: Device, kind: Event.Type, ago: timedelta, **data: object) -> None:
    event = scene.event(device, kind, **data)
    Event.objects.filter(pk=event.pk).update(at=timezone.now() - ago)


def month(device: Device) -> Month:
    return activity_and_month(device)[1]


def test_a_quiet_month_says_so(old: Device) -> None:
    told = month(old)
    assert (told.sentence, told.reached) == ("No backup pulled in 30 days", "Online all the time")
    assert not told.gaps and not told.pulls


def test_pulls_are_counted_by_reason(old: Device, alice: User) -> None:
    for reason in ("offline", "offline", "full"):
        happened(old, T.BACKUP_PULLED, timedelta(days=3), name="Ben", backup="7F3A", reason=reason)
    assert month(old).sentence == "3 pulls in 30 days: offline 2, full 1"


def test_one_pulled_by_a_person_is_by_hand(old: Device, alice: User) -> None:
    happened(old, T.BACKUP_PULLED, timedelta(days=3), name="Ben", backup="7F3A", reason="")
    happened(old, T.BACKUP_PULLED, timedelta(days=3), name="Ana", backup="1111", reason="")
    Event.objects.filter(data__name="Ben").update(actor=alice)
    assert sorted(month(old).reasons) == [("by hand", 1), ("other", 1)]


def test_what_is_older_is_left_out(old: Device) -> None:
    happened(old, T.BACKUP_PULLED, timedelta(days=31), name="Ben", backup="7F3A", reason="offline")
    assert month(old).sentence == "No backup pulled in 30 days"


def test_offline_time_lies_between_loss_and_return(old: Device) -> None:
    happened(old, T.DEVICE_DISCONNECTED, timedelta(days=20))
    happened(old, T.DEVICE_CONNECTED, timedelta(days=17))
    told = month(old)
    assert told.gaps == [Gap(240, 72)]
    assert told.reached == "Offline 10 % of the time (1 time)"


def test_one_that_came_back_early_in_the_month_was_away_before(old: Device) -> None:
    happened(old, T.DEVICE_CONNECTED, timedelta(days=29))
    assert month(old).gaps == [Gap(0, 24)]


def test_a_new_lock_that_comes_online_was_not_away(device: Device) -> None:
    happened(device, T.DEVICE_CONNECTED, timedelta(days=1))
    assert month(device).reached == "Online all the time"


def test_one_that_is_offline_still_is_away_until_now(old: Device) -> None:
    since = timezone.now() - timedelta(days=60)
    Device.objects.filter(pk=old.pk).update(online=Device.Online.NO, online_since=since)
    old.refresh_from_db()
    told = month(old)
    assert told.gaps == [Gap(0, HOURS - 1)]
    assert told.reached == "Offline 100 % of the time (1 time)"


def test_a_short_outage_is_still_seen(old: Device) -> None:
    happened(old, T.DEVICE_DISCONNECTED, timedelta(minutes=50))
    happened(old, T.DEVICE_CONNECTED, timedelta(minutes=49))
    told = month(old)
    assert told.gaps[0].width == 1
    assert told.reached == "Offline less than 1 % of the time (1 time)"


def test_the_latest_activity_comes_along_in_one_query(old: Device) -> None:
    for number in range(30):
        happened(old, T.DEVICE_CHECKED, timedelta(minutes=number))
    happened(old, T.BACKUP_PULLED, timedelta(days=8), name="Ben", backup="7F3A", reason="full")
    with CaptureQueriesContext(connection) as queries:
        activity, told = activity_and_month(old)
    assert len(queries) == 1
    assert len(activity) == 12 and len(told.pulls) == 1


def test_the_lock_page_shows_it(signed_in: Client, old: Device) -> None:
    happened(old, T.BACKUP_PULLED, timedelta(days=8), name="Ben", backup="7F3A", reason="full")
    page = signed_in.get(reverse("device", args=[old.pk])).content.decode()
    assert "1 pull in 30 days: full 1" in page
    assert '<rect class="pull" x="528"' in page
    assert "style=" not in page
