"""Forms that are sent twice do their work once, and never not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from codes import booking
from codes.models import AccessCode
from devices.models import Device, Event
from portal import once
from tests import engine
from tests.codes.test_code_add_view import typed, url


@contextmanager
def failing(statement: str, table: str) -> Iterator[None]:
    """The database goes away at each statement of that kind on that table."""

    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(statement) and table in sql:
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield


@pytest.mark.django_db
def test_a_token_works_once() -> None:
    token = once.new_token()
    assert [once.first_time(token), once.first_time(token)] == [True, False]


@pytest.mark.django_db
def test_what_is_undone_gives_the_token_back() -> None:
    token = once.new_token()
    with transaction.atomic():
        assert once.first_time(token)
        transaction.set_rollback(True)
    assert once.first_time(token)


@pytest.mark.django_db
def test_a_token_that_the_database_did_not_take_is_no_second_time() -> None:
    """Django's cache says False then, as if somebody had come before."""
    with failing("INSERT", "portal_cache"), pytest.raises(OperationalError):
        once.first_time(once.new_token())


def test_a_booking_is_not_called_done_when_the_database_goes_away_at_its_token(
    signed_in: Client, device: Device
) -> None:
    signed_in.raise_request_exception = False
    with failing("INSERT", "portal_cache"):
        assert signed_in.post(url(device), soon()).status_code == 503
    assert signed_in.post(url(device), soon()).status_code == 302
    assert AccessCode.objects.count() == 1


def test_the_same_form_works_after_the_database_was_away(signed_in: Client, device: Device) -> None:
    signed_in.raise_request_exception = False
    with failing("INSERT", "codes_accesscode"):
        assert signed_in.post(url(device), soon()).status_code == 503
    assert signed_in.post(url(device), soon()).status_code == 302
    assert AccessCode.objects.count() == 1


def test_the_same_form_works_after_its_worker_was_killed(
    signed_in: Client, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(**values: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(booking, "add_codes", killed)
    with pytest.raises(SystemExit):
        signed_in.post(url(device), soon())
    monkeypatch.undo()
    assert signed_in.post(url(device), soon()).status_code == 302
    assert AccessCode.objects.count() == 1


def test_a_guests_report_is_heard_after_the_database_was_away(client: Client, device: Device) -> None:
    code = engine.guest(device, starts=timedelta(hours=-1))
    engine.turn(device)
    client.raise_request_exception = False
    press = reverse("guest_not_working", args=[code.guest_token])
    with failing("INSERT", "portal_cache"):
        assert client.post(press, {"door": str(code.pk)}).status_code == 503
    client.post(press, {"door": str(code.pk)})
    assert Event.objects.filter(type=Event.Type.CODE_NOT_WORKING).count() == 1


def soon() -> dict[str, str]:
    """A stay that begins tomorrow."""
    days = [f"{timezone.now() + timedelta(days=days):%Y-%m-%dT%H:%M}" for days in (1, 3)]
    return typed(starts_at=days[0], ends_at=days[1])
