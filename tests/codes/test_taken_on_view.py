""" "I'm on it" for a guest without a code, a lock out of reach and an old code: on pages, in counts and in mails."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backups.models import BackupPool
from codes.at_risk import attention
from codes.models import AccessCode, CodePin, TakenOn
from codes.notice_findings import findings
from codes.taken_on import take_on_lock
from devices.models import Device, Event, Hub, Pin
from portal.models import User
from portal.queue import beat
from tests import factories, scene
from tests.engine import later

OFFLINE = {"online": Device.Online.NO, "online_since": timezone.now() - timedelta(hours=3)}


@pytest.fixture
def outside(device: Device) -> AccessCode:
    """A guest who has no working code, and for whom no backup was ready."""
    code = scene.guest(device, "Ben Okafor", hours=2, status=Pin.Status.PLANNED, trouble=Pin.Trouble.NO_ANSWER)
    hour_ago = timezone.now() - timedelta(hours=1)
    AccessCode.objects.filter(pk=code.pk).update(uncovered_since=hour_ago, changed_at=hour_ago)
    code.refresh_from_db()
    return code


@pytest.fixture
def offline(device: Device) -> Device:
    """A lock that is out of reach while a guest, whose code is on it, arrives."""
    code = scene.guest(device, "Chloé Martin", hours=6, status=Pin.Status.SET)
    AccessCode.objects.filter(pk=code.pk).update(changed_at=timezone.now() - timedelta(hours=3))
    Device.objects.filter(pk=device.pk).update(**OFFLINE)
    device.refresh_from_db()
    return device


@pytest.fixture
def left(device: Device) -> AccessCode:
    """A former guest's code that is still on its lock."""
    code = scene.guest(device, "Gone Girl", hours=-50, status=Pin.Status.REMOVING, wanted=Pin.Wanted.ABSENT)
    an_hour_ago = timezone.now() - timedelta(hours=1)
    AccessCode.objects.filter(pk=code.pk).update(ended_at=an_hour_ago)
    CodePin.objects.filter(code=code).update(ended_at=an_hour_ago)
    return code


def home(client: Client) -> str:
    return client.get("/").content.decode()


def on_it(client: Client, device: Device, about: str, **typed: str) -> int:
    return client.post(reverse("device_on_it", args=[device.pk, about]), typed).status_code


def test_a_guest_is_taken_on_and_no_longer_counted(signed_in: Client, bob: User, outside: AccessCode) -> None:
    beat("tick")
    url = reverse("code_on_it", args=[outside.pk])
    assert url in home(signed_in) and "1 arrival at risk" in home(signed_in)
    signed_in.force_login(bob)
    assert signed_in.post(url, {"back": "home"})["Location"] == "/"
    page = home(signed_in)
    assert "Bob is on it since" in page and url not in page
    assert "1 arrival at risk, somebody is on it" in page
    assert findings()[f"uncovered:{outside.pk}"].quiet
    assert Event.objects.get(type=Event.Type.WARNING_TAKEN_ON).subject == outside.pk


def test_the_locks_page_hears_of_it_with_its_next_poll(signed_in: Client, bob: User, offline: Device) -> None:
    """Its own trouble does not wait, as the counts in the navigation may."""
    page = signed_in.get(reverse("device", args=[offline.pk])).content.decode()
    seen = dict(re.findall(r'name="(seen-[\w-]+)" value="(\w+)"', page))
    take_on_lock(offline, TakenOn.About.OFFLINE, actor=bob)
    poll = signed_in.get(reverse("device_live", args=[offline.pk]), seen, headers={"HX-Request": "true"})
    assert "Bob is on it since" in poll.content.decode()


def test_it_is_said_on_the_codes_page_too(signed_in: Client, outside: AccessCode) -> None:
    url, page = reverse("code_on_it", args=[outside.pk]), reverse("code", args=[outside.pk])
    assert url in signed_in.get(page).content.decode()
    assert signed_in.post(url)["Location"] == page
    assert "Alice is on it since" in signed_in.get(page).content.decode()


@pytest.mark.parametrize("field", ["uncovered_since", "changed_at"])
def test_a_guest_is_loud_again_when_something_new_happens(signed_in: Client, outside: AccessCode, field: str) -> None:
    signed_in.post(reverse("code_on_it", args=[outside.pk]))
    AccessCode.objects.update(**{field: timezone.now() + timedelta(seconds=1)})
    assert not findings()[f"uncovered:{outside.pk}"].quiet
    page = home(signed_in)
    assert "Alice is on it" not in page and "somebody is on it" not in page
    signed_in.post(reverse("code_on_it", args=[outside.pk]))
    assert TakenOn.objects.count() == 1


def report(code: AccessCode) -> None:
    AccessCode.objects.filter(pk=code.pk).update(reported_at=timezone.now())


def saw_another_pin(device: Device, name: str) -> AccessCode:
    """A guest who was shown the own PIN, and whom a backup was given since."""
    pool = BackupPool.objects.filter(device=device).first() or factories.BackupPoolFactory(device=device)
    code = scene.covered(device, pool, name, hours=2)
    CodePin.objects.filter(code=code, role="own").update(revealed_at=timezone.now() - timedelta(hours=1))
    return code


def test_a_report_is_quiet_until_the_guest_reports_again(signed_in: Client, device: Device) -> None:
    beat("tick")
    code = scene.guest(device, "Ben Okafor", hours=-1, status=Pin.Status.SET)
    AccessCode.objects.update(changed_at=timezone.now() - timedelta(hours=3))
    report(code)
    url, page = reverse("code_on_it", args=[code.pk]), reverse("code", args=[code.pk])
    assert url in home(signed_in) and url in signed_in.get(page).content.decode()
    assert "code is not on the lock yet" not in signed_in.get(page).content.decode()
    signed_in.post(url)
    assert findings()[f"reported:{code.pk}"].quiet
    told = signed_in.get(page).content.decode()
    assert "Alice is on it since" in told and "The guest is in" in told and url not in told
    assert "Alice is on it since" in home(signed_in) and "somebody is on it" in home(signed_in)
    AccessCode.objects.update(changed_at=timezone.now())  # who is on it moves the stay: nothing new of the report
    assert findings()[f"reported:{code.pk}"].quiet and url not in home(signed_in)
    assert "somebody is on it" in home(signed_in) and url not in signed_in.get(page).content.decode()
    assert attention(device.property.workspace).arrivals == 0
    report(code)
    assert attention(device.property.workspace).arrivals == 1
    assert not findings()[f"reported:{code.pk}"].quiet
    assert "Alice is on it since" not in home(signed_in) and url in signed_in.get(page).content.decode()


def test_a_pin_that_changed_is_quiet_until_it_changes_again(signed_in: Client, device: Device) -> None:
    code = saw_another_pin(device, "Ana Ruiz")
    url, page = reverse("code_on_it", args=[code.pk]), reverse("code", args=[code.pk])
    (cause,) = [key for key in findings() if key.startswith("changed:")]
    assert url in signed_in.get(page).content.decode()
    signed_in.post(url)
    assert findings()[cause].quiet
    told = signed_in.get(page).content.decode()
    assert "Alice is on it since" in told and url not in told
    backup = Pin.objects.get(code_pin__code=code, code_pin__role="backup")
    Pin.objects.filter(pk=backup.pk).update(status=Pin.Status.GONE)
    CodePin.objects.filter(pin=backup).update(ended_at=timezone.now())
    other = factories.BackupCodeFactory(pool=BackupPool.objects.get(), drawn_at=timezone.now())
    CodePin.objects.create(code=code, pin=other.pin, role="backup", given_at=timezone.now() - timedelta(days=1))
    (cause,) = [key for key in findings() if key.startswith("changed:")]
    assert not findings()[cause].quiet
    assert url in signed_in.get(page).content.decode()


def test_one_press_takes_on_a_report_and_the_pin_that_changed_with_it(signed_in: Client, device: Device) -> None:
    code = saw_another_pin(device, "Ana Ruiz")
    report(code)
    url, page = reverse("code_on_it", args=[code.pk]), reverse("code", args=[code.pk])
    assert signed_in.get(page).content.decode().count(url) == 1
    signed_in.post(url)
    told = signed_in.get(page).content.decode()
    assert told.count("Alice is on it since") == 2 and url not in told
    assert all(finding.quiet for finding in findings().values())


def test_what_is_new_beside_a_report_that_somebody_is_on_has_a_button(signed_in: Client, outside: AccessCode) -> None:
    report(outside)
    url, page = reverse("code_on_it", args=[outside.pk]), reverse("code", args=[outside.pk])
    assert signed_in.get(page).content.decode().count(url) == 1
    signed_in.post(url)
    assert signed_in.get(page).content.decode().count("Alice is on it since") == 2
    AccessCode.objects.update(uncovered_since=timezone.now())
    told = signed_in.get(page).content.decode()
    assert told.count("Alice is on it since") == 1 and told.count(url) == 1
    assert url in home(signed_in)


def test_a_viewer_reads_who_is_on_a_report_and_has_no_button(client: Client, vera: User, device: Device) -> None:
    code = saw_another_pin(device, "Ana Ruiz")
    report(code)
    client.force_login(vera)
    url, page = reverse("code_on_it", args=[code.pk]), reverse("code", args=[code.pk])
    assert url not in client.get(page).content.decode() and client.post(url).status_code == 403
    workspace = device.property.workspace
    TakenOn.objects.create(workspace=workspace, about="guest", code=code, by=vera, at=timezone.now())
    assert "Vera is on it since" in client.get(page).content.decode()


def test_an_offline_lock_is_quiet_until_another_guest_is_near(signed_in: Client, offline: Device) -> None:
    assert reverse("device_on_it", args=[offline.pk, "offline"]) in home(signed_in)
    assert "Offline, and a guest arrives" in signed_in.get(f"/devices/{offline.pk}/").content.decode()
    assert on_it(signed_in, offline, "offline") == 302
    assert "Alice is on it since" in home(signed_in)
    assert "Alice is on it since" in signed_in.get(f"/devices/{offline.pk}/").content.decode()
    assert findings()[f"offline:{offline.pk}"].quiet
    scene.guest(offline, "Mei Chen", hours=26, status=Pin.Status.SET)
    with later(hours=7):  # Chloé is in; Mei arrives within a day now
        assert not findings()[f"offline:{offline.pk}"].quiet


def test_a_hub_is_taken_on_once_for_all_its_locks(signed_in: Client, offline: Device, hub: Hub) -> None:
    Hub.objects.update(down_since=timezone.now() - timedelta(hours=2))
    other = factories.DeviceFactory(property=offline.property, hub=hub, name="Garden gate")
    scene.guest(other, "Ana Ruiz", hours=7, status=Pin.Status.SET)
    AccessCode.objects.update(changed_at=timezone.now() - timedelta(hours=3))
    on_it(signed_in, other, "offline")
    assert home(signed_in).count("Alice is on it since") == 1
    assert {findings()[f"offline:{one.pk}"].quiet for one in (offline, other)} == {True}
    Hub.objects.update(down_since=timezone.now() + timedelta(seconds=1))
    assert not findings()[f"offline:{other.pk}"].quiet


def test_an_old_code_is_quiet_until_there_is_another(signed_in: Client, device: Device, left: AccessCode) -> None:
    assert "Codes that may still open the door: Gone Girl." in signed_in.get(f"/devices/{device.pk}/").content.decode()
    on_it(signed_in, device, "overdue", back="home")
    assert findings()[f"overdue:{device.pk}"].quiet
    assert "Alice is on it since" in home(signed_in)
    assert "Alice is on it since" in signed_in.get(f"/devices/{device.pk}/").content.decode()
    with later(minutes=10):
        second = scene.guest(device, "Gone Boy", hours=-50, status=Pin.Status.REMOVING, wanted=Pin.Wanted.ABSENT)
        AccessCode.objects.filter(pk=second.pk).update(ended_at=timezone.now())
        CodePin.objects.filter(code=second).update(ended_at=timezone.now())
    with later(minutes=13):
        assert not findings()[f"overdue:{device.pk}"].quiet


def test_gets_and_other_causes_are_refused(signed_in: Client, device: Device, outside: AccessCode) -> None:
    assert signed_in.get(reverse("code_on_it", args=[outside.pk])).status_code == 405
    assert signed_in.get(reverse("device_on_it", args=[device.pk, "offline"])).status_code == 405
    assert on_it(signed_in, device, "weather") == 404
    assert not TakenOn.objects.exists()


def test_a_viewer_sees_who_is_on_it_and_no_button(client: Client, vera: User, alice: User, outside: AccessCode) -> None:
    client.force_login(vera)
    url = reverse("code_on_it", args=[outside.pk])
    assert url not in home(client)
    assert client.post(url).status_code == 403
    TakenOn.objects.create(
        workspace=outside.device.property.workspace, about="guest", code=outside, by=alice, at=timezone.now()
    )
    assert "Alice is on it since" in home(client)


def test_strangers_find_nothing(client: Client, charlie: User, outside: AccessCode, device: Device) -> None:
    client.force_login(charlie)
    assert client.post(reverse("code_on_it", args=[outside.pk])).status_code == 404
    assert on_it(client, device, "offline") == 404
    assert not TakenOn.objects.exists()
