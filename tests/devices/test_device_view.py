"""A lock's page: codes, pool, warning and activity together, for those who may see them."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from pytest_django import Settings

from backups.models import BackupPool
from devices.models import Device, Event, Hub, Property
from portal.models import User
from tests import factories, scene


def page_of(client: Client, device: Device, **query: str) -> str:
    return client.get(reverse("device", args=[device.pk]), query).content.decode()


def words_of(client: Client, device: Device, **query: str) -> str:
    return " ".join(strip_tags(page_of(client, device, **query)).split())


def test_regular_and_backup_codes_stand_in_one_list(signed_in: Client, device: Device) -> None:
    scene.lively(device)
    words = words_of(signed_in, device)
    for part in ("Amelia Hart", "Housekeeping", "Covers Ben Okafor", "Ready (confirmed"):
        assert part in words


def test_no_pin_is_on_the_page(signed_in: Client, device: Device) -> None:
    scene.lively(device)
    digits = [pin.secret.reveal() for pin in device.pins.all()]
    page = page_of(signed_in, device)
    assert digits
    assert not [d for d in digits if re.search(rf"(?<![\w-]){d}(?![\w-])", page)]
    assert "••••" in page


def test_times_are_the_propertys_with_the_zone_named(signed_in: Client, device: Device) -> None:
    Property.objects.update(time_zone="Asia/Tokyo")
    scene.lively(device)
    assert "Schedule (Tokyo time)" in words_of(signed_in, device)


def test_several_pulls_warn_once_with_names_and_what_to_do(signed_in: Client, device: Device) -> None:
    scene.lively(device)
    words = words_of(signed_in, device)
    assert words.count("2 backup codes pulled in the last 7 days") == 1
    assert "Ana Ruiz and Ben Okafor are covered." in words
    assert "Check that the lock is online and connected. If this continues, contact support." in words
    assert "See what happened" in words


def test_exhausted_names_cause_next_arrival_and_support(signed_in: Client, device: Device) -> None:
    scene.exhausted(device)
    words = words_of(signed_in, device)
    assert "Backup pool exhausted No backup codes are ready on this lock. Codes already set still work." in words
    assert "Next arrival: Chloé Martin," in words and "not on lock yet." in words
    assert "Likely cause: offline since" in words


def test_support_is_prefilled_without_a_pin(signed_in: Client, device: Device, settings: Settings) -> None:
    settings.SUPPORT_CONTACT = "help@example.com"
    scene.exhausted(device)
    page = page_of(signed_in, device)
    href = page.split('href="mailto:')[1].split('"')[0].replace("&amp;", "&")
    fields = parse_qs(urlsplit(f"mailto:{href}").query)
    assert href.startswith("help@example.com?")
    assert "Front door" in fields["subject"][0]
    assert "Likely cause: offline since" in fields["body"][0] and "Since: " in fields["body"][0]
    assert not [p for p in device.pins.all() if p.secret.reveal() in fields["body"][0].split()]


def test_support_may_be_a_page(signed_in: Client, device: Device, settings: Settings) -> None:
    settings.SUPPORT_CONTACT = "https://support.example.com/new"
    scene.exhausted(device)
    assert 'href="https://support.example.com/new"' in page_of(signed_in, device)


def test_a_warning_taken_on_says_who_and_asks_no_more(signed_in: Client, alice: User, device: Device) -> None:
    pool = scene.lively(device)
    BackupPool.objects.filter(pk=pool.pk).update(acknowledged_at=timezone.now(), acknowledged_by=alice)
    words = words_of(signed_in, device)
    assert "Alice is on it since" in words
    assert "I’m on it" not in words


def test_an_empty_lock_names_the_next_step(signed_in: Client, device: Device) -> None:
    factories.BackupPoolFactory(device=device)
    assert "No codes yet. Add a guest’s code. Backup codes appear by themselves." in words_of(signed_in, device)


def test_a_lock_without_support_says_so(signed_in: Client, place: Property, hub: Hub) -> None:
    device = factories.DeviceFactory(property=place, hub=hub, caps=factories.UNREADABLE)
    words = words_of(signed_in, device)
    assert "This lock does not support backup codes. We warn you if a guest’s code fails." in words


def test_filtered_to_none_can_be_cleared(signed_in: Client, device: Device) -> None:
    scene.lively(device)
    assert "No codes match. Clear filter" in words_of(signed_in, device, q="nobody")


def test_the_health_line_is_the_filter(signed_in: Client, device: Device) -> None:
    scene.lively(device)
    link = f'href="/devices/{device.pk}/?show=attention">1 code needs attention'
    assert link in page_of(signed_in, device)
    words = words_of(signed_in, device, show="attention")
    assert "Dmitri" in words and "Amelia" not in words


def test_codes_of_others_are_counted(signed_in: Client, device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(unmanaged=[3, 4])
    assert "2 more codes on this lock were put there by somebody else." in words_of(signed_in, device)


def test_backups_say_why_they_cannot_be_edited(signed_in: Client, device: Device) -> None:
    scene.lively(device)
    assert "Backup codes cannot be renamed, edited or deleted" in words_of(signed_in, device)


def test_activity_is_plain_sentences(signed_in: Client, device: Device) -> None:
    scene.lively(device)
    words = words_of(signed_in, device)
    assert "given to Ben Okafor: the lock refused the PIN, 3 tries" in words


def test_a_viewer_sees_no_pin_and_changes_nothing(client: Client, vera: User, device: Device) -> None:
    scene.lively(device)
    client.force_login(vera)
    words = words_of(client, device)
    assert "Amelia Hart" in words
    for offer in ("Show PIN", "Add code", "Check lock now", "I’m on it", "Remove lock"):
        assert offer not in words


def test_a_stranger_finds_nothing(client: Client, charlie: User, device: Device) -> None:
    client.force_login(charlie)
    for name in ("device", "device_live", "device_remove"):
        assert client.get(reverse(name, args=[device.pk])).status_code == 404
    assert client.post(reverse("device_check", args=[device.pk])).status_code == 404


def test_signed_out_is_sent_to_sign_in(client: Client, device: Device) -> None:
    assert client.get(reverse("device", args=[device.pk]))["Location"].startswith("/accounts/login/")


def test_it_refuses_post(signed_in: Client, device: Device) -> None:
    assert signed_in.post(reverse("device", args=[device.pk])).status_code == 405


def test_a_filter_keeps_the_address_in_step(signed_in: Client, device: Device) -> None:
    headers = {"HX-Request": "true", "HX-Trigger": "filter"}
    poll = signed_in.get(reverse("device_live", args=[device.pk]), {"q": "ben", "show": ""}, headers=headers)
    assert poll["HX-Replace-Url"] == f"/devices/{device.pk}/?q=ben"


def test_it_looks_again_soon_only_while_something_is_pending(signed_in: Client, device: Device) -> None:
    pool = factories.BackupPoolFactory(device=device)
    factories.BackupCodeFactory.create_batch(5, pool=pool)
    assert "every 20s" in page_of(signed_in, device)
    scene.guest(device, "Chloé Martin")
    assert "every 4s" in page_of(signed_in, device)


@pytest.mark.parametrize("count", [3, 10])
def test_queries_do_not_grow_with_rows(signed_in: Client, device: Device, count: int) -> None:
    pool = scene.exhausted(device)
    for number in range(count):
        scene.guest(device, f"Guest {number}", hours=number)
        scene.covered(device, pool, f"Covered {number}")
    for url in (reverse("device", args=[device.pk]), reverse("device_live", args=[device.pk])):
        with CaptureQueriesContext(connection) as queries:
            signed_in.get(url)
        assert len(queries) <= 8, [q["sql"][:90] for q in queries]


def test_check_lock_now_is_recorded(signed_in: Client, alice: User, device: Device) -> None:
    answer = signed_in.post(reverse("device_check", args=[device.pk]))
    assert answer["Location"] == reverse("device", args=[device.pk])
    assert Event.objects.get(type=Event.Type.DEVICE_CHECKED).actor == alice
    device.refresh_from_db()
    assert device.read_wanted


def test_checking_is_a_post_and_not_for_viewers(client: Client, vera: User, alice: User, device: Device) -> None:
    client.force_login(vera)
    assert client.post(reverse("device_check", args=[device.pk])).status_code == 403
    client.force_login(alice)
    assert client.get(reverse("device_check", args=[device.pk])).status_code == 405


def test_being_removed_is_said_and_offers_no_new_codes(signed_in: Client, device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(removal=Device.Removal.REMOVING)
    words = words_of(signed_in, device)
    assert "This lock is being removed" in words
    assert "Add code" not in words


def test_an_old_removal_is_overdue(signed_in: Client, device: Device) -> None:
    scene.exhausted(device)
    assert "Removal overdue (may still open the door)" in words_of(signed_in, device)
    assert timezone.now() - timedelta(minutes=2) > device.access_codes.get(name="Felix Past").ended_at
