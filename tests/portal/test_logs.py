"""Log lines: one JSON object each, with the ids of what they are about, and never a PIN, a guest's link or a row."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection
from django.db.models import F
from django.test import Client
from django.utils import timezone
from gunicorn.config import Config

from codes import tasks
from codes.models import AccessCode
from codes.tick import tick
from devices import runner
from devices.models import Device, Pin
from devices.runner import run_many
from portal import context, scrub
from portal.gunicorn_log import Lines
from portal.logs import formatter
from portal.secret import Secret
from portal.work import TaskFailed, task
from tests import engine, factories

ROOT = Path(__file__).resolve().parent.parent.parent
PIN = "48213"
TOKEN = "Zk3vTq0aYwLrN8s5eUxC1dBf"


@pytest.fixture(autouse=True)
def _nobody_bound() -> Iterator[None]:
    context.forget()
    yield
    context.forget()


@pytest.fixture
def written() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What all loggers write from here on, as the portal formats it in production."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter("json"))
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def raw(lines: list[dict[str, Any]]) -> str:
    return json.dumps(lines, ensure_ascii=False)


@pytest.fixture
def log() -> logging.Logger:
    return logging.getLogger("portal.tests")


def broken_row(device: Device) -> None:
    """A real error of the database about a row with a PIN in it and a guest's link: PostgreSQL prints the whole row."""
    code = engine.guest(device, PIN)
    AccessCode.objects.filter(pk=code.pk).update(name=TOKEN, booking_reference=PIN, ends_at=F("starts_at"))


def test_a_line_is_one_object_with_time_level_and_where_from(log: logging.Logger, written) -> None:
    log.warning("two\nlines about %s", "a lock", extra={"tries": 3})
    (line,) = written()
    assert line["event"] == "two\nlines about a lock"
    assert (line["level"], line["logger"], line["tries"]) == ("warning", "portal.tests", 3)
    assert line["timestamp"].endswith("Z")


def test_people_get_text(log: logging.Logger) -> None:
    record = log.makeRecord("portal.tests", logging.INFO, "", 0, "hello %s", ("you",), None)
    with context.about(lock="abc"):
        line = formatter("text").format(record)
    assert "hello you" in line and "lock=abc" in line and not line.startswith("{")


@pytest.mark.parametrize(
    "say",
    [
        lambda log: log.error("refused %s", Secret(PIN)),
        lambda log: log.error("refused %r", {"pins": [Secret(PIN)]}),
        lambda log: log.error("refused", extra={"secret": Secret(PIN), "deep": {"one": [{"pin": PIN}]}}),
        lambda log: log.error('driver said {"userCode": "%s"}', PIN),
        lambda log: log.error("bad pin=%s, code: %s", PIN, PIN),
        lambda log: log.warning("Not Found: /g/%s/", TOKEN),
        lambda log: log.warning("see https://portal.example/g/%s/not-working/?x=1", TOKEN),
        lambda log: log.warning("see /join/%s/ and /accounts/password/reset/key/%s/", TOKEN, TOKEN),
        lambda log: log.error("it failed: %s", IntegrityError(f"x\nDETAIL:  Failing row contains ({PIN}, {TOKEN}).")),
        lambda log: log.error("it failed: %s", DataError(f'invalid input syntax for type integer: "{PIN}"')),
        lambda log: log.error("it failed: %(why)s", {"why": DataError(f'invalid input syntax: "{PIN}"')}),
        lambda log: log.error("it failed: x\nDETAIL:  Failing row contains (%s,\n %s).", PIN, TOKEN),
    ],
)
def test_nothing_that_opens_a_door_is_in_a_line(log: logging.Logger, written, say) -> None:
    say(log)
    assert written()
    assert PIN not in raw(written()) and TOKEN not in raw(written())


@pytest.mark.parametrize(
    "harmless",
    [
        "code 12345678-1234-4321-9999-123456789012 was left",
        "status code 404",
        "listening on 127.0.0.1:48213",
        "GET /devices/12/ took 48213 ms",
    ],
)
def test_what_is_harmless_stays(log: logging.Logger, written, harmless: str) -> None:
    log.info(harmless)
    log.warning(harmless)
    assert written()[-1]["event"] == harmless


@pytest.mark.django_db(transaction=True)
def test_a_real_database_error_is_told_by_its_name_alone(device: Device, log: logging.Logger, written) -> None:
    try:
        try:
            broken_row(device)
        except IntegrityError as error:
            raise RuntimeError("could not be saved") from error
    except RuntimeError:
        log.exception("it broke")
    told = written()[-1]["exception"]
    assert "Traceback (most recent call last)" in told and "broken_row" in told
    assert "IntegrityError" in told and told.endswith("RuntimeError: could not be saved")
    if connection.vendor == "postgresql":
        assert "codes_accesscode_window_fits_kind" in told
    assert PIN not in raw(written()) and TOKEN not in raw(written())


@pytest.mark.django_db(transaction=True)
def test_a_task_that_meets_one_stores_and_says_its_name_alone(device: Device) -> None:
    """django-q keeps and logs a failed task's text and traceback."""

    @task("lock")
    def breaks(device_id: str) -> None:
        broken_row(device)

    with pytest.raises(TaskFailed, match=r"^IntegrityError") as failed:
        breaks(str(device.pk))
    assert PIN not in scrub.traceback_of(failed.value)
    assert PIN not in str(failed.value) and failed.value.__suppress_context__


# requests


@pytest.mark.django_db
def test_a_request_is_one_line_with_its_ids(signed_in: Client, alice, device: Device, written) -> None:
    response = signed_in.get(f"/devices/{device.pk}/", headers={"X-Request-ID": "from-the-proxy-1"})
    assert response["X-Request-ID"] == "from-the-proxy-1"
    line = next(one for one in written() if one["logger"] == "portal.access")
    assert line["event"] == f"GET /devices/{device.pk}/ 200"
    assert (line["request"], line["user"], line["lock"]) == ("from-the-proxy-1", str(alice.pk), str(device.pk))
    assert (line["method"], line["status"]) == ("GET", 200)


@pytest.mark.django_db
def test_a_codes_page_carries_the_code(signed_in: Client, device: Device, written) -> None:
    code = engine.guest(device)
    signed_in.post(f"/codes/{code.pk}/reveal/")
    assert written()[-1]["code"] == str(code.pk)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given", ["", "short", "with space inside", "x" * 65, "new\\nline-injected", '"quoted-id"', "-starts-badly"]
)
def test_an_id_that_is_not_well_formed_is_replaced(client: Client, given: str) -> None:
    response = client.get("/healthz", headers={"X-Request-ID": given})
    assert len(response["X-Request-ID"]) == 32
    assert client.get("/healthz")["X-Request-ID"] != response["X-Request-ID"]


@pytest.mark.django_db
def test_a_guests_link_is_in_no_line(client: Client, device: Device, written) -> None:
    code = engine.guest(device)
    assert client.get(f"/g/{code.guest_token}/").status_code == 200
    assert client.get(f"/g/{TOKEN}/").status_code == 404
    first, *others = [one for one in written() if one["logger"] == "portal.access"]
    assert first["path"] == "/g/••••/"
    assert first["code"] == str(code.pk)
    assert others
    assert code.guest_token not in raw(written()) and TOKEN not in raw(written())


@pytest.mark.django_db
def test_monitors_make_no_lines(client: Client, written) -> None:
    client.get("/healthz")
    assert not [one for one in written() if one["logger"] == "portal.access"]


@pytest.mark.django_db
def test_a_page_that_breaks_is_logged_with_the_requests_ids(
    client: Client, alice, written, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(alice)
    client.raise_request_exception = False

    def breaks(*args: object) -> None:
        raise IntegrityError(f"DETAIL:  Failing row contains ({PIN}).")

    monkeypatch.setattr("portal.views._home_context", breaks)
    assert client.get("/").status_code == 500
    line = next(one for one in written() if "exception" in one)
    assert line["user"] == str(alice.pk) and line["request"]
    assert PIN not in raw(written())


@pytest.mark.django_db
def test_a_request_leaves_nothing_behind_on_its_thread(signed_in: Client, device: Device) -> None:
    signed_in.get(f"/devices/{device.pk}/")
    assert context.bound() == {}


# turns and ticks


@pytest.mark.django_db(transaction=True)
def test_turns_side_by_side_keep_their_own_ids_on_every_thread(
    device: Device, place, hub, written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is logged by a lock's call, on the pool's thread, carries that lock's id and no other's."""
    other = factories.DeviceFactory(property=place, hub=hub)
    called = logging.getLogger("portal.tests.call")
    really = runner.perform

    def perform(call: Any) -> Any:
        called.warning("called", extra={"ref": call.lock_ref})
        return really(call)

    monkeypatch.setattr(runner, "perform", perform)
    for one in (device, other):
        engine.guest(one)
    tasks.sync_lock(str(device.pk))
    lines = [one for one in written() if one["event"] == "called"]
    ids = {device.lock_ref: str(device.pk), other.lock_ref: str(other.pk)}
    assert {one["ref"] for one in lines} == set(ids)
    assert all(one["lock"] == ids[one["ref"]] and one["task"] == "sync_lock" for one in lines)
    assert context.bound() == {}


def test_a_turn_that_breaks_says_which_lock(written) -> None:
    def turn(lock: str) -> Any:
        context.bind(lock=lock)
        raise RuntimeError("bug")
        yield

    waiting = [turn("one"), turn("two")]
    run_many(lambda room: [waiting.pop(0)] if waiting else [])
    assert [one["lock"] for one in written() if one["event"] == "a turn broke"] == ["one", "two"]
    assert context.bound() == {}


@pytest.mark.django_db
def test_the_tick_says_which_code(device: Device, written, monkeypatch: pytest.MonkeyPatch) -> None:
    code = engine.guest(device)
    Pin.objects.update(give_up_at=timezone.now())

    def breaks(*args: object) -> None:
        logging.getLogger("portal.tests").warning("covering")
        raise RuntimeError("bug")

    monkeypatch.setattr("codes.tick.cover_if_due", breaks)
    tick()
    line = next(one for one in written() if one["event"] == "covering")
    assert (line["code"], line["lock"]) == (str(code.pk), str(device.pk))


def test_threads_do_not_share_what_is_bound(log: logging.Logger, written) -> None:
    context.bind(lock="mine")
    thread = Thread(target=lambda: log.warning("theirs"))
    thread.start()
    thread.join()
    log.warning("mine")
    theirs, mine = written()
    assert "lock" not in theirs and mine["lock"] == "mine"


# programs of others


def run(argv: list[str], **environment: str) -> str:
    """What a program of ours writes to standard error."""
    done = subprocess.run(
        [sys.executable, *argv], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    return done.stderr


def test_gunicorns_own_lines_are_json_too() -> None:
    argv = ["-m", "gunicorn", "portal.wsgi", "--logger-class", "portal.gunicorn_log.Lines", "--bind", "256.0.0.1:1"]
    lines = run([*argv, "--no-control-socket"]).splitlines()
    assert lines
    assert {json.loads(line)["logger"] for line in lines} == {"gunicorn.error"}


def test_gunicorns_access_log_if_somebody_turns_it_on_has_no_links() -> None:
    class Response:
        status, sent, headers = "200 OK", 1, [("X-Accel-Redirect", f"/g/{TOKEN}/")]

    class Request:
        headers = [("REFERER", f"https://portal.example/g/{TOKEN}/")]

    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": f"/g/{TOKEN}/?a=1",
        "PATH_INFO": f"/g/{TOKEN}/",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_REFERER": f"/g/{TOKEN}/",
    }
    atoms = Lines(Config()).atoms(Response(), Request(), environ, timedelta(0))
    assert TOKEN not in repr(atoms)
    assert atoms["r"] == "GET /g/••••/?a=1 HTTP/1.1"


def test_the_queues_own_lines_are_json_too() -> None:
    """A failed task's line, as django-q's monitor writes it in a process of its own."""
    source = (
        "import django; django.setup(); from django_q.conf import logger; "
        f"logger.error('Failed %s - %s', 'x', 'Error\\nDETAIL:  Failing row contains ({PIN}). : Traceback y')"
    )
    (line,) = run(["-c", source], DJANGO_SETTINGS_MODULE="tests.settings").splitlines()
    assert json.loads(line)["logger"] == "django-q"
    assert PIN not in line and "Traceback y" in line
