"""`/metrics`: who may read it, and what it says."""

import re
from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from portal import tally
from portal.models import OutgoingMail
from portal.outbox import send_due
from portal.queue import beat, enqueue
from tests import scene

TOKEN = "a-token-for-tests-only"

pytestmark = pytest.mark.django_db


@pytest.fixture
def may_read(settings) -> dict[str, str]:
    settings.METRICS_TOKEN = TOKEN
    return {"Authorization": f"Bearer {TOKEN}"}


def read(client: Client, headers: dict[str, str]) -> dict[tuple[str, ...], float]:
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200
    found = text_string_to_metric_families(response.content.decode())
    return {(one.name, *one.labels.values()): one.value for family in found for one in family.samples}


def test_it_is_not_there_until_somebody_may_read_it(client: Client) -> None:
    assert client.get("/metrics").status_code == 404


def test_under_debug_it_is_open(client: Client, settings) -> None:
    settings.DEBUG = True
    assert client.get("/metrics").status_code == 200


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer pässword"]
)
def test_a_wrong_token_is_refused_even_under_debug(client: Client, settings, may_read, given: str) -> None:
    settings.DEBUG = True
    response = client.get("/metrics", headers={"Authorization": given})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert b"portal_" not in response.content


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("10.1.2.3", {}, 200),
        ("fd00::7", {}, 200),
        ("192.0.2.1", {}, 404),
        ("", {}, 404),
        ("10.1.2.3", {"X-Forwarded-For": "10.1.2.3"}, 404),  # a proxy stands there: anybody's request
        ("10.1.2.3", {"Forwarded": "for=10.1.2.3"}, 404),
    ],
)
def test_an_allowed_network_reads_if_it_asks_directly(
    client: Client, settings, address: str, headers: dict[str, str], status: int
) -> None:
    settings.METRICS_NETWORKS = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
    assert client.get("/metrics", headers=headers, REMOTE_ADDR=address).status_code == status


def test_it_is_read_only(client: Client, may_read) -> None:
    assert client.post("/metrics", headers=may_read).status_code == 405


def test_it_says_so_when_the_database_is_away(client: Client, may_read) -> None:
    def away(*args: object) -> None:
        raise OperationalError

    with connection.execute_wrapper(away):
        assert client.get("/metrics", headers=may_read).status_code == 503


def test_it_follows_the_conventions(client: Client, may_read) -> None:
    text = client.get("/metrics", headers=may_read).content.decode()
    names = re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE)
    assert len(names) == len({name for name, _ in names}) > 12
    for name, help in names:
        assert re.fullmatch(r"portal_[a-z_]+", name)
        assert help.endswith(".")
        if f"# TYPE {name} counter" in text:
            assert name.endswith("_total")


def test_it_names_nobody(client: Client, may_read, device) -> None:
    scene.lively(device)
    text = client.get("/metrics", headers=may_read).content.decode()
    words = {"Okafor", "Front door", "Lakeview", str(device.pk), device.lock_ref, str(device.hub_id)}
    assert not [word for word in words if word in text]


def test_the_queue_by_depth_and_age(client: Client, may_read) -> None:
    assert read(client, may_read)["portal_queue_oldest_task_age_seconds",] == 0
    enqueue("codes.tasks.heartbeat")
    enqueue("codes.tasks.heartbeat")
    told = read(client, may_read)
    assert told["portal_queue_tasks", "waiting"] == 2
    assert told["portal_queue_tasks", "taken"] == 0
    assert told["portal_queue_oldest_task_age_seconds",] > 0


def test_the_beats(client: Client, may_read) -> None:
    beat("tick")
    assert abs(read(client, may_read)["portal_heartbeat_timestamp_seconds", "tick"] - timezone.now().timestamp()) < 60


@pytest.mark.django_db(transaction=True)
def test_mails_by_what_became_of_them(client: Client, may_read, monkeypatch: pytest.MonkeyPatch) -> None:
    tally._pending.take(0)
    OutgoingMail.objects.create(to="a@example.org", subject="x", body="x")
    send_due()

    def refuses(*args: object, **kwargs: object) -> None:
        raise OSError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuses)
    OutgoingMail.objects.create(to="b@example.org", subject="x", body="x")
    OutgoingMail.objects.create(
        to="c@example.org", subject="x", body="x", created_at=timezone.now() - timedelta(days=2)
    )
    send_due()
    tally.flush()
    told = read(client, may_read)
    assert [told["portal_mails_total", outcome] for outcome in ("sent", "failed", "given_up")] == [1, 1, 1]
    assert told["portal_mails_waiting",] == 1
    assert told["portal_mails_oldest_age_seconds",] > 0
