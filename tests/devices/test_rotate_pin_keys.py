"""`manage.py rotate_pin_keys`: afterwards the old key can go, and nothing is lost."""

from threading import Thread
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, models, transaction

from devices.models import Device, Hub, Pin, SimulatedLock
from devices.providers.base import ALWAYS, Slot
from devices.providers.simulator import SimulatorProvider, contents
from devices.stores import stores_of_secrets
from portal import rotation
from portal.models import User
from portal.secret import Secret, SecretField, key_of, looks_sealed
from tests import factories
from tests.commands import a_worker, help_of, rows, run
from tests.engine import fault, guest, own, settle, truth

NEW = "QW5vdGhlcktleUZvclRlc3RzT25seS0xMjM0NTY3OCE="


@pytest.fixture
def full(device: Device, alice: User) -> Device:
    """Something in every store: PINs, credentials, two-factor secrets, codes on a simulated lock and on their way."""
    Hub.objects.update(credentials=Secret("hub password"))
    factories.PinFactory.create_batch(3, device=device)
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(alice)
    provider = SimulatorProvider(device.hub)
    provider.put(device.lock_ref, Slot(3), Secret("7391"), "Guest", ALWAYS, deadline=5)
    fault(device, "late", late_ms=600_000)
    provider.put(device.lock_ref, Slot(4), Secret("4207"), "Guest", ALWAYS, deadline=5)
    return device


def new_key_first(settings: Any) -> None:
    settings.PIN_KEYS = [NEW, *settings.PIN_KEYS]


def test_afterwards_the_old_key_can_go_and_nothing_is_lost(full: Device, alice: User, settings: Any) -> None:
    pins = {pin.pk: pin.secret.reveal() for pin in Pin.objects.all()}
    recovery = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()
    new_key_first(settings)
    ran = run("rotate_pin_keys")
    assert (ran.status, "1 older key can go" in ran.out) == (0, True)
    settings.PIN_KEYS = [NEW]
    assert {pin.pk: pin.secret.reveal() for pin in Pin.objects.all()} == pins
    assert Hub.objects.get().credentials.reveal() == "hub password"
    assert Secret.sealed(Authenticator.objects.get(type="totp").data["secret"]).reveal() == "JBSWY3DPEHPK3PXP"
    assert RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes() == recovery
    lock = SimulatedLock.objects.get()
    assert [code.pin.reveal() for code in contents(lock)] == ["7391"]
    assert Secret.sealed(lock.pending[0]["code"]["pin"]).reveal() == "4207"


def test_without_it_the_old_key_could_not_go(full: Device, settings: Any) -> None:
    settings.PIN_KEYS = [NEW]
    with pytest.raises(ImproperlyConfigured):
        Pin.objects.first().secret.reveal()
    ran = run("rotate_pin_keys")
    assert ran.status == 1 and "No key opens 3 in devices.Pin.secret" in ran.out
    assert key_of(Pin.objects.first().secret) is None  # left as it was: the key may come back


def test_what_no_key_opens_does_not_keep_the_others_from_their_turn(full: Device, settings: Any) -> None:
    lost = Pin.objects.first()
    old, settings.PIN_KEYS = settings.PIN_KEYS, ["TG9zdEtleUZvclRlc3RzT25seS0xMjM0NTY3ODkwMTI="]
    Pin.objects.filter(pk=lost.pk).update(secret=Secret("4711"))
    settings.PIN_KEYS = [NEW, *old]
    told = run("rotate_pin_keys", "--json")
    assert (told.status, told.data["unreadable"], told.data["need_old_key"]) == (1, 1, 0)
    (store,) = [one for one in told.data["stores"] if one["unreadable"]]
    assert (store["store"], store["unreadable_rows"]) == ("devices.Pin.secret", [str(lost.pk)])


def test_a_dry_run_counts_and_changes_nothing(full: Device, settings: Any) -> None:
    new_key_first(settings)
    before = rows_raw()
    ran = run("rotate_pin_keys", "--dry-run")
    assert ran.status == 1 and "8 secrets would be sealed anew. Nothing was changed." in ran.out
    assert rows_raw() == before


def test_twice_writes_once(full: Device, settings: Any) -> None:
    new_key_first(settings)
    assert run("rotate_pin_keys", "--json").data["written"] > 0
    before = rows_raw()
    again = run("rotate_pin_keys", "--json")
    assert (again.status, again.data["written"]) == (0, 0)
    assert rows_raw() == before


def test_json_tells_each_store(full: Device, settings: Any) -> None:
    new_key_first(settings)
    told = run("rotate_pin_keys", "--dry-run", "--json").data
    assert {key: told[key] for key in ("dry_run", "keys", "written", "need_old_key", "unreadable")} == {
        "dry_run": True,
        "keys": 2,
        "written": 0,
        "need_old_key": 8,
        "unreadable": 0,
    }
    assert {one["store"]: one["older_key"] for one in told["stores"]} == {
        "devices.Hub.credentials": 1,
        "devices.Pin.secret": 3,
        "mfa.Authenticator.data": 2,
        "devices.SimulatedLock.codes": 1,
        "devices.SimulatedLock.pending": 1,
    }


def test_many_rows_go_in_batches(device: Device, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.PinFactory.create_batch(7, device=device)
    monkeypatch.setattr(rotation, "BATCH", 2)
    new_key_first(settings)
    assert run("rotate_pin_keys").status == 0
    assert {key_of(pin.secret) for pin in Pin.objects.all()} == {0}


@pytest.mark.parametrize("keys", [[], ["no key"]])
def test_without_good_keys_it_ends_with_2_and_touches_nothing(full: Device, settings: Any, keys: list[str]) -> None:
    before = rows_raw()
    settings.PIN_KEYS = keys
    ran = run("rotate_pin_keys")
    assert ran.status == 2 and "PIN_KEYS" in ran.error
    assert rows_raw() == before


def test_no_secret_and_no_key_is_printed(full: Device, settings: Any) -> None:
    new_key_first(settings)
    told = run("rotate_pin_keys").out + run("rotate_pin_keys", "--json").out
    assert not [pin for pin in Pin.objects.all() if pin.secret.reveal() in told.split()]
    assert "gAAAA" not in told and NEW not in told and "hub password" not in told


def test_beside_a_worker_nothing_is_lost(transactional_db: None, settings: Any) -> None:
    """The worker goes on setting and taking off codes, whose rows it holds and writes."""
    device = factories.DeviceFactory()
    SimulatedLock.objects.update(latency_ms=5)
    codes = [guest(device, f"Guest {n}") for n in range(4)]
    new_key_first(settings)
    with a_worker(device):
        for _ in range(4):
            assert run("rotate_pin_keys").status == 0
    settle(device)
    settings.PIN_KEYS = [NEW]
    assert {own(code).secret.reveal() for code in codes} <= set(truth(device).values())
    assert SimulatedLock.objects.get().two_writers == 0


@pytest.mark.usefixtures("transactional_db")
def test_a_row_that_somebody_holds_is_not_waited_for_and_comes_again(settings: Any) -> None:
    """On PostgreSQL rows are held; SQLite has one writer, who is waited for."""
    pin = factories.PinFactory()
    new_key_first(settings)
    if not connections["default"].features.has_select_for_update_skip_locked:
        assert run("rotate_pin_keys").status == 0
        return
    seen: list[int] = []

    def elsewhere() -> None:
        seen.append(run("rotate_pin_keys").status)
        connections.close_all()

    with transaction.atomic():
        Pin.objects.select_for_update().get(pk=pin.pk)
        thread = Thread(target=elsewhere)
        thread.start()
        thread.join(timeout=20)
    assert seen == [1]  # it said so, and did not hang
    assert run("rotate_pin_keys").status == 0


def test_every_column_that_can_hold_a_sealed_value_is_known(full: Device) -> None:
    """Look at every text and JSON column there is: what begins like a sealed value stands in a known store."""
    known = {(store.model, store.field) for store in stores_of_secrets()}
    holders = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.TextField | models.CharField | models.JSONField | SecretField)
        if any(_holds(value) for value in model._base_manager.values_list(field.name, flat=True))
    }
    assert holders == known


def test_its_help_tells_the_order_of_steps() -> None:
    told = help_of("devices", "rotate_pin_keys")
    assert "examples:" in told and "exit status:" in told and "END of PIN_KEYS" in told


def _holds(value: Any) -> bool:
    if isinstance(value, Secret) or looks_sealed(value):
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(_holds, inner))


def rows_raw() -> Any:
    """All rows, sealed tokens as they stand."""
    pins = [(pin.pk, pin.secret.seal()) for pin in Pin.objects.order_by("pk")]
    hubs = [hub.credentials.seal() for hub in Hub.objects.exclude(credentials=None)]
    return rows(), pins, hubs
