"""Home: who arrives and is at risk, worst first; what else ails; and never a promise that was not checked."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from codes.models import AccessCode, CodePin
from devices.models import Device, Hub, Pin, Property
from portal.models import Heartbeat, User
from tests import factories, scene
from tests.portal.test_live import seen


@pytest.fixture(autouse=True)
def ticking(db: None) -> None:
    beat()


def beat(**ago: float) -> None:
    Heartbeat.objects.update_or_create(name="tick", defaults={"beat_at": timezone.now() - timedelta(**ago)})


def words(client: Client, where: str = "/") -> str:
    return " ".join(strip_tags(client.get(where).content.decode()).split())


def on_lock(device: Device, name: str, hours: float = 5, **pin: Any) -> AccessCode:
    confirmed = timezone.now() - timedelta(minutes=10)
    return scene.guest(device, name, hours=hours, status=Pin.Status.SET, confirmed_at=confirmed, **pin)


def test_all_well_is_one_line_with_the_oldest_confirmation(signed_in: Client, device: Device) -> None:
    on_lock(device, "Amelia Hart")
    on_lock(device, "Chloé Martin", 70)
    page = words(signed_in)
    assert "All 2 arrivals have a working code Oldest confirmation" in page and "Lisbon time" in page
    assert "Amelia Hart" not in page


@pytest.mark.parametrize(
    "pin",
    [
        {},
        {"status": Pin.Status.UNKNOWN},
        {"status": Pin.Status.SENT},
        {"program_at": timezone.now() + timedelta(days=1)},
        {"trouble": Pin.Trouble.NO_ANSWER, "attempts": 2},
        {"status": Pin.Status.SET, "seen_until": timezone.now()},
    ],
)
def test_the_promise_is_not_made_while_one_is_unconfirmed(
    signed_in: Client, device: Device, pin: dict[str, Any]
) -> None:
    on_lock(device, "Amelia Hart")
    scene.guest(device, "Ben Okafor", **pin)
    page = words(signed_in)
    assert "arrivals have a working code." in page and "1 of 2" in page
    assert "All 2" not in page


@pytest.mark.parametrize("ago", [{"seconds": 61}, None])
def test_the_promise_is_not_made_while_the_portal_stands_still(
    signed_in: Client, device: Device, ago: dict[str, float] | None
) -> None:
    on_lock(device, "Amelia Hart")
    Heartbeat.objects.all().delete() if ago is None else beat(**ago)
    page = words(signed_in)
    assert "The portal itself stands still" in page
    assert "a working code" not in page and "Every pool is full" not in page


def test_a_tick_of_a_moment_ago_is_fine(signed_in: Client) -> None:
    beat(seconds=50)
    assert "stands still" not in words(signed_in)


def test_the_worst_comes_first_with_reason_tries_next_try_and_give_up(signed_in: Client, device: Device) -> None:
    pool = factories.BackupPoolFactory(device=device)
    scene.covered(device, pool, "Cora Covered", hours=1)
    at = timezone.now()
    late = {"next_attempt_at": at + timedelta(minutes=5), "give_up_at": at + timedelta(hours=1)}
    scene.guest(device, "Milo Missing", hours=2, trouble=Pin.Trouble.NO_ANSWER, attempts=4, **late)
    lost = scene.guest(device, "Una Uncovered", hours=60, trouble=Pin.Trouble.REJECTED, attempts=3)
    AccessCode.objects.filter(pk=lost.pk).update(uncovered_since=at)
    page = words(signed_in)
    assert page.index("Una Uncovered") < page.index("Milo Missing") < page.index("Cora Covered")
    assert "No backup available The lock refused the PIN, 3 tries." in page
    assert "Not on lock yet The lock did not answer, 4 tries. Next try" in page
    assert "A backup is pulled at" in page
    assert "Covered by backup" in page
    assert "2 arrivals at risk 1 of 3 arrivals have a working code." in page
    assert reverse("code", args=[lost.pk]) in signed_in.get("/").content.decode()


def covered(device: Device, **own: object) -> AccessCode:
    code = scene.covered(device, factories.BackupPoolFactory(device=device), "Cora Covered", hours=1)
    Pin.objects.filter(code_pin__code=code, code_pin__role="own").update(**own)
    return code


def test_a_covered_guests_row_says_why(signed_in: Client, device: Device) -> None:
    code = covered(device, trouble="", attempts=0)
    since = timezone.now() - timedelta(hours=2)
    Device.objects.update(online=Device.Online.NO, online_since=since, failures=5)
    told = "The backup opens the door. Nothing to do."
    assert re.search(rf"Offline since [\w :]+, 5 tries. {told}", words(signed_in))
    assert re.search(r"Offline since [\w :]+\. It follows the same dates", words(signed_in, f"/codes/{code.pk}/"))
    Pin.objects.filter(code_pin__code=code, code_pin__role="own").update(trouble=Pin.Trouble.REJECTED, attempts=3)
    assert "The lock refused the PIN, 3 tries." in words(signed_in)
    Pin.objects.filter(code_pin__code=code, code_pin__role="own").update(trouble=Pin.Trouble.NO_ANSWER)
    Device.objects.update(online=Device.Online.YES, failures=0)
    assert f"The lock did not answer, 3 tries. {told}" in words(signed_in)


def test_a_covered_guest_whose_pin_is_set_too_or_was_late(signed_in: Client, device: Device) -> None:
    covered(device, trouble="", attempts=1, status=Pin.Status.SET)
    assert "The guest’s own PIN is on the lock as well. The backup opens the door." in words(signed_in)
    Pin.objects.filter(code_pin__role="own").update(status=Pin.Status.PLANNED, attempts=0)
    assert "The guest’s own PIN was not on the lock in time." in words(signed_in)


def test_a_covered_guest_who_saw_another_pin_is_somebodys(signed_in: Client, device: Device) -> None:
    code = covered(device)
    CodePin.objects.filter(code=code, role="own").update(revealed_at=timezone.now())
    page = words(signed_in)
    assert "make sure that the guest sees the new one" in page and "Nothing to do" not in page
    signed_in.post(reverse("code_on_it", args=[code.pk]))
    assert "Alice is on it since" in words(signed_in)
    CodePin.objects.filter(code=code).update(revealed_at=timezone.now())
    assert "Nothing to do." in words(signed_in)


def test_a_pin_of_their_own_that_was_changed_after_it_was_seen_is_somebodys(signed_in: Client, device: Device) -> None:
    code = on_lock(device, "Amelia Hart", seen_until=timezone.now() + timedelta(days=9))
    before = factories.PinFactory(device=device, status=Pin.Status.REMOVED, wanted=Pin.Wanted.ABSENT)
    at = timezone.now()
    former = factories.CodePinFactory(code=code, pin=before, ended_at=at, revealed_at=at)
    page = words(signed_in)
    assert "The new PIN opens the door. Somebody saw the PIN from before" in page and "PIN changed" in page
    assert "arrival has a working code" in page
    covered(device)
    page = words(signed_in)
    assert page.index("Amelia Hart") < page.index("Cora Covered"), "what needs a person comes first"
    signed_in.post(reverse("code_on_it", args=[code.pk]))
    assert "Alice is on it since" in words(signed_in)
    CodePin.objects.filter(code=code).exclude(pk=former.pk).update(revealed_at=at)
    assert "PIN changed" not in words(signed_in)


def test_tries_count_over_other_digits_too(signed_in: Client, device: Device) -> None:
    code = scene.guest(device, "Una Uncovered", trouble=Pin.Trouble.REJECTED, attempts=1)
    at = timezone.now()
    AccessCode.objects.filter(pk=code.pk).update(uncovered_since=at, changed_at=at - timedelta(minutes=1))
    factories.CodePinFactory(code=code, ended_at=at, pin__attempts=1, pin__wanted=Pin.Wanted.ABSENT)
    factories.CodePinFactory(code=code, ended_at=at, given_at=at - timedelta(days=9), pin__attempts=5)
    assert "The lock refused the PIN, 2 tries." in words(signed_in)


def test_the_zone_is_the_propertys(signed_in: Client, device: Device) -> None:
    Property.objects.update(time_zone="Asia/Tokyo")
    scene.guest(device, "Ben Okafor", trouble=Pin.Trouble.NO_ANSWER)
    assert "Tokyo time" in words(signed_in)


def test_a_running_stay_that_works_is_no_arrival_and_one_without_a_pin_is(signed_in: Client, device: Device) -> None:
    on_lock(device, "Happy Inside", hours=-5)
    assert "No arrivals in the next 72 hours." in words(signed_in)
    scene.guest(device, "Locked Out", hours=-1, trouble=Pin.Trouble.NO_ANSWER)
    assert "Locked Out" in words(signed_in)
    assert "1 arrival at risk" in words(signed_in)


def test_who_comes_later_than_72_hours_or_is_cancelled_is_not_there(signed_in: Client, device: Device) -> None:
    scene.guest(device, "Far Away", hours=73, trouble=Pin.Trouble.NO_ANSWER)
    gone = scene.guest(device, "Changed Mind", trouble=Pin.Trouble.NO_ANSWER)
    AccessCode.objects.filter(pk=gone.pk).update(ended_at=timezone.now())
    scene.ongoing(device, "Housekeeping", trouble=Pin.Trouble.NO_ANSWER)
    page = words(signed_in)
    assert not [name for name in ("Far Away", "Changed Mind", "Housekeeping") if name in page]


def test_a_lock_without_backups_says_so(signed_in: Client, place: Property, hub: Hub) -> None:
    plain = factories.DeviceFactory(property=place, hub=hub, caps=factories.UNREADABLE)
    scene.guest(plain, "Ben Okafor", trouble=Pin.Trouble.NO_ANSWER, give_up_at=timezone.now() + timedelta(hours=1))
    page = words(signed_in)
    assert "This lock has no backup codes: give the guest another way in." in page
    assert "A backup is pulled" not in page


def test_below_stand_removals_outages_pools_and_batteries(signed_in: Client, device: Device) -> None:
    scene.exhausted(device)
    page = words(signed_in)
    assert "Removals overdue 1 Felix Past" in page and "may still open the door" in page
    assert "Locks offline 1 Front door" in page and "Next: Chloé Martin" in page
    assert "Pools low or exhausted 1" in page and "Exhausted since" in page
    assert "Batteries low 1" in page and "12%" in page


def test_a_removal_of_a_moment_ago_is_not_overdue(signed_in: Client, device: Device) -> None:
    gone = scene.guest(device, "Felix Past", hours=-50, status=Pin.Status.REMOVING, wanted=Pin.Wanted.ABSENT)
    AccessCode.objects.filter(pk=gone.pk).update(ends_at=timezone.now(), ended_at=timezone.now())
    Pin.objects.filter(code_pin__code=gone).update(wanted_until=timezone.now() - timedelta(seconds=30))
    assert "Felix Past" not in words(signed_in)


def test_a_covered_guests_own_pin_is_not_an_overdue_removal(signed_in: Client, device: Device) -> None:
    code = scene.covered(device, factories.BackupPoolFactory(device=device), "Ben Okafor", hours=-5)
    Pin.objects.filter(code_pin__code=code, code_pin__role="own").update(
        status=Pin.Status.UNKNOWN, wanted=Pin.Wanted.ABSENT
    )
    assert "Removals overdue" not in words(signed_in)


def test_a_hubs_outage_is_one_entry(signed_in: Client, place: Property, hub: Hub) -> None:
    factories.DeviceFactory.create_batch(9, property=place, hub=hub)
    Hub.objects.update(down_since=timezone.now() - timedelta(hours=1))
    page = words(signed_in)
    assert page.count("cannot be reached") == 1
    assert "9 locks behind it" in page and "And 3 more." in page


def test_the_lock_where_somebody_arrives_next_stands_first(signed_in: Client, place: Property, hub: Hub) -> None:
    _gate, back, side = (factories.DeviceFactory(property=place, hub=hub, name=n) for n in ("Gate", "Back", "Side"))
    Device.objects.update(online=Device.Online.NO, online_since=timezone.now())
    on_lock(side, "Amelia Hart", hours=20)
    on_lock(back, "Ben Okafor", hours=40)
    page = words(signed_in)
    outages = page[page.index("Locks offline") :]
    assert outages.index("Side") < outages.index("Back") < outages.index("Gate")
    assert "Next: Amelia Hart" in outages and "Nobody arrives within 72 hours." in outages


def test_when_nothing_ails_it_says_so(signed_in: Client, device: Device) -> None:
    factories.BackupCodeFactory.create_batch(5, pool=factories.BackupPoolFactory(device=device))
    assert "Every pool is full, every lock can be reached" in words(signed_in)


def test_other_workspaces_are_not_seen(client: Client, charlie: User, device: Device) -> None:
    scene.exhausted(device)
    client.force_login(charlie)
    page = words(client)
    assert not [name for name in ("Chloé Martin", "Felix Past", "Front door") if name in page]
    assert "No arrivals in the next 72 hours." in page


def test_a_viewer_sees_it(client: Client, vera: User, device: Device) -> None:
    scene.exhausted(device)
    client.force_login(vera)
    assert "Chloé Martin" in words(client)


def test_signed_out_people_are_sent_to_sign_in(client: Client) -> None:
    for url in ("/", "/live/"):
        assert client.get(url)["Location"].startswith("/accounts/login/")


def test_it_refuses_post(signed_in: Client) -> None:
    assert signed_in.post("/").status_code == 405
    assert signed_in.post("/live/").status_code == 405


def test_a_poll_sends_what_changed_and_nothing_else(signed_in: Client, device: Device) -> None:
    page = signed_in.get("/")
    assert signed_in.get("/live/", seen(page)).status_code == 204
    scene.guest(device, "Ben Okafor", trouble=Pin.Trouble.NO_ANSWER)
    fresh = signed_in.get("/live/", seen(page)).content.decode()
    assert "Ben Okafor" in fresh
    assert 'id="live-nav"' in fresh and 'id="live-troubles"' not in fresh


@pytest.mark.parametrize("count", [3, 10])
@pytest.mark.parametrize("url", ["/", "/live/"])
def test_queries_do_not_grow_with_rows(signed_in: Client, place: Property, hub: Hub, count: int, url: str) -> None:
    for device in factories.DeviceFactory.create_batch(count, property=place, hub=hub):
        scene.exhausted(device)
    with CaptureQueriesContext(connection) as queries:
        signed_in.get(url)
    assert len(queries) <= 8, [q["sql"][:90] for q in queries]
