"""`manage.py doctor`: each thing that can be wrong is found, with its remedy, and the others are told all the same."""

import smtplib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_q.models import OrmQ

from backups.models import BackupPool
from codes.doctor import database, surroundings
from devices import pins
from devices.models import Device, Hub, Pin, Property
from portal.models import Heartbeat, OutgoingMail, User
from portal.outbox import post
from portal.queue import beat, enqueue
from portal.readiness import problems
from portal.secret import Secret
from tests import factories
from tests.commands import Ran, a_worker, help_of, rows, run
from tests.digits import stands_in
from tests.engine import fill_pool, guest

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def healthy(device: Device, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Device:
    """An installation in which nothing is wrong."""
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE")  # the tests' own; Django's checks refuse it, rightly
    settings.PORTAL_URL = "https://portal.example.com"
    settings.EMAIL_SERVER = "mail.example.com"
    options = {"host": "mail.example.com", "username": "portal", "password": "hidden"}
    settings.MAILERS = {"default": {"BACKEND": SMTP, "OPTIONS": options}}
    monkeypatch.setattr(surroundings.EmailBackend, "open", lambda self: True)
    call_command("createcachetable")
    beat("tick")
    beat("worker")
    Device.objects.update(next_sync_at=timezone.now() + timedelta(hours=1))
    factories.PinFactory(device=device)
    pin = Pin.objects.get()
    Pin.objects.update(digest=pins.digest_of(device, pin.secret))
    return device


def wrong(ran: Ran) -> dict[str, str]:
    """What is wrong, by area; each has a remedy."""
    found = [one for one in ran.data["findings"] if one["state"] == "wrong"]
    assert all(one["remedy"] for one in found)
    return {one["area"]: one["says"] for one in found}


def doctor() -> Ran:
    return run("doctor", "--json")


def test_nothing_wrong_ends_with_0(healthy: Device) -> None:
    ran = run("doctor")
    assert ran.status == 0 and "Nothing is wrong." in ran.out
    assert doctor().data["ok"] is True and wrong(doctor()) == {}


def test_json_tells_each_finding(healthy: Device) -> None:
    told = doctor().data
    assert sorted(told) == ["findings", "ok"]
    assert {tuple(sorted(one)) for one in told["findings"]} == {("area", "remedy", "says", "state")}
    assert {one["area"] for one in told["findings"]} == {
        *("settings", "static files", "database", "migrations", "clock", "time zones"),
        *("keys", "tick", "worker", "queue", "locks", "hubs", "mail"),
    }


def test_without_network_hubs_and_mail_are_left_alone(healthy: Device) -> None:
    areas = {one["area"] for one in run("doctor", "--no-network", "--json").data["findings"]}
    assert "locks" in areas and not {"hubs", "mail"} & areas


def test_it_changes_nothing(healthy: Device) -> None:
    before = rows()
    run("doctor")
    run("doctor", "--json")
    assert rows() == before


@pytest.mark.parametrize(
    ("name", "value"),
    [("SECRET_KEY", ""), ("PIN_KEYS", []), ("PIN_KEYS", ["no key"]), ("PIN_DIGEST_KEY", ""), ("PORTAL_URL", "")],
)
def test_a_setting_that_is_missing_is_named(healthy: Device, settings: Any, name: str, value: Any) -> None:
    setattr(settings, name, value)
    ran = doctor()
    assert ran.status == 1 and name in wrong(ran)["settings"]
    assert "locks" in {one["area"] for one in ran.data["findings"]}  # the others are told all the same


def test_what_django_finds_before_a_deployment_is_noted(healthy: Device, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = False
    ran = run("doctor")
    assert ran.status == 0 and "security.W008" in ran.out


def age_beat(name: str, **by: float) -> None:
    Heartbeat.objects.filter(name=name).update(beat_at=timezone.now() - timedelta(**by))


def make_due(**by: float) -> None:
    Device.objects.update(next_sync_at=timezone.now() - timedelta(**by))


def stuck_queue() -> None:
    enqueue("codes.tasks.heartbeat")
    OrmQ.objects.update(lock=timezone.now() - timedelta(minutes=9))


def unsent_mail() -> None:
    post(["alice@example.org"], "Act now", "…")
    OutgoingMail.objects.update(created_at=timezone.now() - timedelta(hours=1), tries=4)


FAULTS: dict[str, tuple[Callable[[], object], str, str]] = {
    "tick": (lambda: age_beat("tick", minutes=2), "tick", "2 min ago"),
    "worker": (lambda: age_beat("worker", minutes=4), "worker", "4 min ago"),
    "no sign": (lambda: Heartbeat.objects.all().delete(), "worker", "never gave a sign of life"),
    "clock ahead": (lambda: age_beat("tick", minutes=-5), "clock", "in the future"),
    "queue": (stuck_queue, "queue", "1 waiting, the oldest for 9 min"),
    "lock": (lambda: make_due(minutes=7), "locks", "“Lakeview Cottage / Front door” for 7 min"),
    "mail": (unsent_mail, "mail", "1 mail not sent yet, the oldest for 1 h after 4 tries"),
    "zone": (lambda: Property.objects.update(time_zone="Europe/Atlantis"), "time zones", "Europe/Atlantis"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_has_a_remedy(healthy: Device, name: str) -> None:
    happens, area, says = FAULTS[name]
    happens()
    ran = doctor()
    assert ran.status == 1 and says in wrong(ran)[area]
    assert set(wrong(ran)) <= {area, "tick", "worker"}


def test_it_says_what_readyz_says(healthy: Device) -> None:
    for happens, area, _ in (FAULTS[name] for name in ("tick", "worker", "queue")):
        happens()
        assert area in {problem.part for problem in problems()} and area in wrong(doctor())


def test_a_lock_that_rests_is_not_waiting(healthy: Device) -> None:
    make_due(minutes=7)
    Hub.objects.update(down_since=timezone.now(), probe_at=timezone.now() + timedelta(minutes=1))
    assert "locks" not in wrong(doctor())


def test_a_hub_that_cannot_be_reached_is_named_with_its_address(healthy: Device) -> None:
    factories.HubFactory(provider="zwave", name="Attic", address="ws://127.0.0.1:9", workspace=healthy.hub.workspace)
    ran = run("doctor")
    assert ran.status == 1 and "“Attic” of Lakeview Stays cannot be reached" in ran.out
    assert "ws://127.0.0.1:9" in ran.out


def test_a_driver_that_breaks_is_one_finding(healthy: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError("PIN 4711")

    monkeypatch.setattr("codes.doctor.locks.reach", breaks)
    ran = doctor()
    assert "failed: ZeroDivisionError" in wrong(ran)["hubs"] and "4711" not in ran.out


def test_a_migration_that_is_missing_keeps_it_from_looking_further(healthy: Device) -> None:
    latest = MigrationRecorder.Migration.objects.filter(app="codes").latest("name")
    MigrationRecorder.Migration.objects.filter(pk=latest.pk).delete()
    ran = doctor()
    assert f"1 not applied, from codes.{latest.name}" in wrong(ran)["migrations"]
    states = {one["area"]: one["state"] for one in ran.data["findings"]}
    assert states["queue"] == states["hubs"] == "skipped" and states["settings"] != "skipped"


def test_a_database_that_is_newer_is_noted(healthy: Device) -> None:
    MigrationRecorder.Migration.objects.create(app="codes", name="0999_later", applied=timezone.now())
    ran = run("doctor")
    assert ran.status == 0 and "codes.0999_later" in ran.out


def test_without_a_database_it_says_so_and_tells_the_rest(healthy: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> None:
        raise OperationalError("could not connect to postgresql://portal:secret@db/portal")

    with monkeypatch.context() as patched:
        patched.setattr(database.connection, "ensure_connection", down)
        ran = doctor()
    assert ran.status == 1 and wrong(ran) == {"database": "the database failed: OperationalError"}
    assert "postgresql://" not in ran.out


def test_a_cache_table_that_is_missing_is_named(healthy: Device) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE portal_cache")
    assert "portal_cache" in wrong(doctor())["database"]


def test_clocks_apart_are_found(healthy: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_database_now", lambda: timezone.now() + timedelta(seconds=9))
    monkeypatch.setattr(database.connection, "vendor", "postgresql")
    assert "9.0 s between" in "".join(one.says for one in database.clock())
    monkeypatch.setattr(database, "_database_now", timezone.now)
    assert [one.state.value for one in database.clock()] == ["ok"]


def test_the_databases_own_clock_is_read(healthy: Device) -> None:
    (clock,) = database.clock()
    assert clock.state == "ok" and "0." in clock.says


def test_a_key_that_is_lost_is_found_without_showing_a_thing(healthy: Device, settings: Any) -> None:
    digits = Pin.objects.get().secret.reveal()
    settings.PIN_KEYS = ["QW5vdGhlcktleUZvclRlc3RzT25seS0xMjM0NTY3OCE="]
    ran = doctor()
    assert wrong(ran) == {"keys": "no key in PIN_KEYS opens 1 of 1 in devices.Pin.secret"}
    assert not stands_in(digits, ran.out) and "gAAAA" not in ran.out


def test_an_old_key_that_is_still_needed_is_noted(healthy: Device, settings: Any) -> None:
    settings.PIN_KEYS = ["QW5vdGhlcktleUZvclRlc3RzT25seS0xMjM0NTY3OCE=", *settings.PIN_KEYS]
    ran = run("doctor")
    assert ran.status == 0 and "rotate_pin_keys" in ran.out


def test_another_digest_key_is_found(healthy: Device, settings: Any) -> None:
    settings.PIN_DIGEST_KEY = "another"
    assert "PIN_DIGEST_KEY is not the one" in wrong(doctor())["keys"]


def test_static_files_that_were_not_collected_are_found(healthy: Device, settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]  # ours alone: it is quicker
    manifest = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": manifest}}
    assert "are not collected" in wrong(doctor())["static files"]
    call_command("collectstatic", interactive=False, verbosity=0)
    assert "static files" not in wrong(doctor())
    (gone,) = (tmp_path / "static").glob("favicon.*.svg")
    gone.unlink()
    assert "favicon.svg for one" in wrong(doctor())["static files"]


def test_a_mail_server_that_refuses_is_found(healthy: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise smtplib.SMTPAuthenticationError(535, b"portal / hidden")

    monkeypatch.setattr(surroundings.EmailBackend, "open", refuses)
    ran = doctor()
    assert wrong(ran) == {"mail": "mail.example.com does not take mail: SMTPAuthenticationError"}
    assert "hidden" not in ran.out


@pytest.mark.parametrize("debug", [False, True])
def test_mail_to_a_terminal_is_wrong_but_for_a_developer(healthy: Device, settings: Any, debug: bool) -> None:
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    settings.DEBUG = debug
    assert ("mail" in wrong(doctor())) is not debug


def test_an_examination_that_breaks_is_a_finding_itself(healthy: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings.zoneinfo, "available_timezones", lambda: 1 / 0)
    ran = doctor()
    assert wrong(ran) == {"time zones": "this examination broke: ZeroDivisionError"}


def test_no_pin_is_in_what_it_says(healthy: Device, alice: User) -> None:
    fill_pool(healthy)
    guest(healthy)
    Hub.objects.update(credentials=Secret("hub password"))
    told = run("doctor").out + doctor().out
    assert BackupPool.objects.exists() and "hub password" not in told
    assert not [pin for pin in Pin.objects.all() if pin.secret.reveal() in told.split()]


def test_beside_a_worker_it_looks_on(transactional_db: None) -> None:
    device = factories.DeviceFactory()
    guest(device)
    with a_worker(device):
        for _ in range(3):
            assert {"locks", "hubs", "keys"}.isdisjoint(wrong(doctor()))


def test_its_help_has_examples_and_exit_statuses() -> None:
    told = help_of("codes", "doctor")
    assert "examples:" in told and "exit status:" in told
