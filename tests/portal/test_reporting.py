"""Reports to Sentry, through the real client into a transport that keeps them: what arrives holds no secret."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from django.db import connection
from django.test import Client
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from devices.models import Device
from portal import context, reporting
from portal.secret import Secret
from portal.work import task
from tests import engine
from tests.portal.test_logs import PIN, TOKEN, broken_row

COOKIE = "x1" + "y2"  # so that its source line does not hold it
DSN = "https://public@sentry.invalid/1"

sent: list[dict[str, Any]] = []


class Kept(Transport):
    """Keeps what would be sent."""

    def capture_envelope(self, envelope: Envelope) -> None:
        sent.extend(item.payload.json for item in envelope.items if item.payload.json is not None)


@pytest.fixture(autouse=True)
def reports() -> Iterator[list[dict[str, Any]]]:
    sent.clear()
    context.forget()
    reporting.start(DSN, environment="tests", transport=Kept)
    yield sent
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().set_client(None)
    sent.clear()


@pytest.fixture
def client(client: Client) -> Client:
    client.raise_request_exception = False
    return client


def places(secret: str, told: Any, path: str = "") -> list[str]:
    """Where in the reports it stands."""
    if isinstance(told, dict):
        return [found for key, value in told.items() for found in places(secret, value, f"{path}.{key}")]
    if isinstance(told, list):
        return [found for number, value in enumerate(told) for found in places(secret, value, f"{path}.{number}")]
    return [path] if secret in str(told) else []


@pytest.mark.django_db(transaction=True)
def test_a_database_error_arrives_by_its_name(device: Device, reports) -> None:
    try:
        broken_row(device)
    except Exception as error:
        sentry_sdk.capture_exception(error)
    assert places(PIN, reports) == places(TOKEN, reports) == []
    last = reports[-1]["exception"]["values"][-1]
    assert last["value"].startswith("IntegrityError")
    if connection.vendor == "postgresql":
        assert last["value"] == "IntegrityError of codes_accesscode_window_fits_kind"


@pytest.mark.django_db
def test_a_guests_page_that_breaks_says_neither_link_nor_pin(
    client: Client, device: Device, reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = engine.guest(device)

    def breaks(request: object, token: str) -> None:
        pin, secret = PIN, Secret(PIN)
        raise RuntimeError(f"{token} wants pin {pin} {secret}".replace(token, f"/g/{token}/"))

    monkeypatch.setattr("codes.guest_views.booking_of", lambda found: breaks(None, code.guest_token))
    link = f"/g/{code.guest_token}/"
    response = client.get(
        f"{link}?pin={PIN}", headers={"Referer": f"http://testserver{link}", "Cookie": f"portal_session={COOKIE}"}
    )
    assert response.status_code == 500
    for secret in (code.guest_token, PIN, COOKIE):
        assert places(secret, reports) == []
    assert reports[-1]["tags"]["code"] == str(code.pk)
    assert reports[-1]["tags"]["request"] == response["X-Request-ID"]


def test_no_local_variables_no_body_and_nobodys_data(reports) -> None:
    def breaks(digits: str) -> None:
        raise ValueError("bug")

    try:
        breaks(PIN)
    except ValueError as error:
        sentry_sdk.capture_exception(error)
    frames = reports[-1]["exception"]["values"][-1]["stacktrace"]["frames"]
    assert frames and not [frame for frame in frames if frame.get("vars")]
    assert places(PIN, reports) == []


@pytest.mark.django_db
def test_what_was_logged_before_comes_along_scrubbed(reports) -> None:
    logger = logging.getLogger("portal.tests")
    logger.warning("Not Found: /g/%s/", TOKEN)
    logger.error("driver said code=%s", PIN, extra={"pin": PIN})
    assert places(PIN, reports) == places(TOKEN, reports) == []
    assert reports[-1]["breadcrumbs"]["values"]


@pytest.mark.django_db(transaction=True)
def test_a_task_that_fails_is_reported_with_its_lock(device: Device, reports) -> None:
    @task("lock")
    def breaks(device_id: str) -> None:
        try:
            broken_row(device)
        except Exception:
            logging.getLogger("portal.tests").exception("it broke")

    breaks(str(device.pk))
    assert reports[-1]["tags"]["lock"] == str(device.pk)
    assert places(PIN, reports) == places(TOKEN, reports) == []
