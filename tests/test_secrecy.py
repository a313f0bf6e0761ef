"""A day in a lock's life and all it leaves behind: a PIN is on the guest's page and in a recorded reveal, else nowhere.

Digits are eight here, so that a PIN found in a text is a PIN and not a part of a time or a number.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product

import pytest
from cryptography.fernet import Fernet
from django.contrib import admin
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from codes.models import AccessCode, CodePin
from codes.notifications import notify
from devices.models import Device, Event, Hub, Pin, Property
from devices.pin_rules import canonical
from devices.providers.base import PinRules
from portal.models import User
from portal.outbox import send_due
from portal.secret import Secret, digest
from tests import engine, factories
from tests.engine import fault, fill_pool, later, settle
from tests.test_isolation import ALL, LAST, address, arguments

__all__ = ["arguments"]  # the fixture
LONG = replace(factories.MODERN, pins=PinRules(lengths=(8,)))
CHOSEN = "73915046"
FAULTS = ("apply_then_silent", "reject_set", "unreachable", "")


@dataclass
class Traces:
    """What was written down anywhere, by where."""

    texts: dict[str, list[str]] = field(default_factory=dict)

    def add(self, where: str, text: str) -> None:
        self.texts.setdefault(where, []).append(text)

    def places_of(self, digits: set[str]) -> set[str]:
        """Where any of these PINs stands."""
        any_of = re.compile("|".join(digits))
        return {where for where, texts in self.texts.items() if any(any_of.search(text) for text in texts)}


@pytest.fixture
def door(place: Property, hub: Hub) -> Device:
    """The lock this is about; `device`, on whose rows all pages are looked at, is another."""
    return factories.DeviceFactory(property=place, hub=hub, name="Street door", caps=LONG)


@pytest.fixture
def traces(caplog: pytest.LogCaptureFixture) -> Iterator[Traces]:
    """Logs at their most talkative, statements with their values included."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "factory")  # the tests' own tools
    connection.force_debug_cursor = True
    found = Traces()
    yield found
    connection.force_debug_cursor = False


def book(client: Client, device: Device, name: str, pin: str = "", minutes: float = -5) -> AccessCode:
    local = timezone.localtime(timezone.now() + timedelta(minutes=minutes))
    typed = {
        "kind": "time_bound",
        "name": name,
        "starts_at": f"{local:%Y-%m-%dT%H:%M}",
        "ends_at": f"{local + timedelta(days=2):%Y-%m-%dT%H:%M}",
        "pin": pin,
        "once": f"token-of-{name}".replace(" ", "-"),
    }
    assert client.post(reverse("code_add", args=[device.pk]), typed).status_code == 302
    return AccessCode.objects.filter(name=name).latest("created_at")


def take_down_the_queue(traces: Traces) -> None:
    for row in OrmQ.objects.all():
        traces.add("queue", f"{row.task!r} {row.payload}")


def live(client: Client, device: Device, traces: Traces) -> list[AccessCode]:
    """Everything happens to this lock."""
    device.property.time_zone = "UTC"
    device.property.save(update_fields=["time_zone"])
    fill_pool(device)
    codes = [book(client, device, "Ben Okafor", CHOSEN), book(client, device, "Ana Ruiz"), book(client, device, "Cleo")]
    settle(device)
    for name in FAULTS:
        fault(device, name)
        client.post(reverse("device_check", args=[device.pk]))
        for code in codes:
            client.post(reverse("code_backup", args=[code.pk]))
            traces.add("reveal", client.post(reverse("code_reveal", args=[code.pk])).content.decode())
            traces.add("guest's page", Client().get(reverse("guest_page", args=[code.guest_token])).content.decode())
        take_down_the_queue(traces)
        settle(device)
        notify()
    Client().post(reverse("guest_not_working", args=[codes[1].guest_token]), {"door": str(codes[1].pk)})
    engine.wipe(device)
    with later(minutes=10):
        settle(device)
        notify()
        send_due()
    for message in mail.outbox:
        traces.add("mail", f"{message.subject}\n{message.body}")
    return codes


def dump() -> str:
    """The whole database as text, row by row."""
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        rows = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  our own tables
            rows += [str(row) for row in cursor.fetchall()]
    return "\n".join(rows)


def look_everywhere(client: Client, traces: Traces, arguments: dict[str, list[object]]) -> None:
    """Every page and download, as an owner sees it and as staff do."""
    for name in (name for name in ALL if name not in LAST and name != "guest_page"):
        traces.add("a page", client.get(address(name, arguments)).getvalue().decode())
    staff = Client()
    staff.force_login(factories.UserFactory(is_staff=True, is_superuser=True))
    for model in admin.site._registry:
        meta = model._meta
        traces.add("admin", staff.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")).content.decode())
        for row in model._default_manager.all()[:10]:
            url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
            traces.add("admin", staff.get(url).content.decode())


def test_a_pin_is_on_the_guests_page_and_in_a_recorded_reveal_and_nowhere_else(
    signed_in: Client,
    door: Device,
    traces: Traces,
    arguments: dict[str, list[object]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    codes = live(signed_in, door, traces)
    digits = {pin.secret.reveal() for pin in Pin.objects.filter(device=door)}
    assert CHOSEN in digits and len(digits) > 8
    shown = {one for one in digits for text in traces.texts["reveal"] if one in text}
    look_everywhere(signed_in, traces, {**arguments, "device": [door.pk], "code": [codes[0].pk]})
    for event in Event.objects.all():
        traces.add("event", f"{event} {event.data}")
    traces.add("log", caplog.text)
    traces.add("database", dump())
    assert set(traces.texts) >= {"mail", "queue", "event", "log", "database", "a page", "admin"}
    assert traces.places_of(digits) == {"guest's page", "reveal"}
    assert_recorded(shown)


def assert_recorded(shown: set[str]) -> None:
    """Each PIN that anybody was shown has when, and who asked is in the activity."""
    for given in CodePin.objects.select_related("pin"):
        assert given.revealed_at is not None or given.pin.secret.reveal() not in shown
    assert Event.objects.filter(type=Event.Type.CODE_REVEALED, actor__isnull=False).count() >= len(shown) > 2


def test_a_copy_of_the_database_without_the_keys_opens_no_door(door: Device, settings: Settings) -> None:
    fill_pool(door)
    engine.guest(door, pin=Secret(CHOSEN))
    settle(door)
    copy = dump()
    sealed = [pin.secret.seal() for pin in Pin.objects.all()]
    assert len(sealed) == len(set(sealed)) == 6 and CHOSEN not in copy
    settings.PIN_KEYS = [Fernet.generate_key().decode()]
    for pin in Pin.objects.all():
        with pytest.raises(ImproperlyConfigured, match="No key in PIN_KEYS opens"):
            pin.secret.reveal()


def test_trying_all_digits_finds_none_without_the_digests_key(device: Device, settings: Settings) -> None:
    """Four digits are ten thousand tries; without the key each of them proves nothing."""
    device.capabilities = factories.MODERN.to_json()
    device.save(update_fields=["capabilities"])
    code = engine.guest(device)
    stored = engine.own(code).digest
    plain = engine.own(code).secret.reveal()
    rules = factories.MODERN.pins
    assert digest(str(device.pk), canonical(rules, plain)) == stored
    settings.PIN_DIGEST_KEY = "a guess"
    tries = ("".join(four) for four in product("0123456789", repeat=4))
    assert not any(digest(str(device.pk), canonical(rules, one)) == stored for one in tries)


def test_who_took_a_copy_is_nobody_in_the_portal(signed_in: Client, alice: User) -> None:
    """No session key, no guest's link and no invitation's link stands in it."""
    signed_in.post(reverse("person_invite"), {"email": "new@example.org", "role": "viewer"})
    send_due()
    invitation = re.search(r"/join/([^/\s]+)/", mail.outbox[-1].body)
    assert invitation is not None
    assert invitation[1] not in dump() and str(signed_in.session.session_key) not in dump()
