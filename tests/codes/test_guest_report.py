"""A guest says that the PIN does not work: home, navigation, lists and a mail tell it, until it is settled."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from codes.arrivals import Risk, watch
from codes.at_risk import at_risk, attention
from codes.models import AccessCode
from codes.notifications import notify
from codes.services import cancel_code
from devices.models import Device, Event
from portal.models import User, Workspace
from portal.outbox import send_due
from tests.engine import fill_pool, guest, later, settle

T = Event.Type


def words(client: Client, where: str) -> str:
    return " ".join(strip_tags(client.get(where).content.decode().split('id="main"')[1]).split())


@pytest.fixture
def ben(device: Device) -> AccessCode:
    """Inside his stay, with a code that is set, on a lock with five spares."""
    fill_pool(device)
    code = guest(device, starts=timedelta(hours=-1))
    settle(device)
    return code


def report(code: AccessCode) -> None:
    Client().post(f"/g/{code.guest_token}/not-working/", {"door": str(code.pk)})
    code.refresh_from_db()


def settled(client: Client, code: AccessCode) -> int:
    status = client.post(reverse("code_settled", args=[code.pk])).status_code
    code.refresh_from_db()
    return status


def test_home_lists_it_first_with_what_was_done_and_what_is_left(signed_in: Client, ben: AccessCode) -> None:
    assert "Ben Okafor" not in words(signed_in, "/")
    report(ben)
    page = words(signed_in, "/")
    assert "1 arrival at risk" in page and "Guest says the PIN does not work Said at" in page
    assert "The guest’s page shows backup" in page and "Call to make sure that the door opened." in page


def test_without_a_spare_home_says_that_nothing_could_be_given(signed_in: Client, device: Device) -> None:
    Device.objects.update(capabilities={**device.capabilities, "backup_pool": False})
    code = guest(device, starts=timedelta(hours=-1))
    settle(device)
    report(code)
    assert "No other PIN could be given: let the guest in another way." in words(signed_in, "/")


def test_count_and_list_agree_and_it_is_the_worst(workspace: Workspace, ben: AccessCode) -> None:
    report(ben)
    assert watch(workspace).arrivals[0].risk == Risk.REPORTED
    assert list(at_risk(workspace)) == [ben] and attention(workspace).arrivals == 1


def test_the_lists_say_that_it_needs_attention(signed_in: Client, ben: AccessCode) -> None:
    report(ben)
    for page in (f"/devices/{ben.device_id}/", "/codes/", "/codes/?status=attention"):
        assert "1 code needs attention" in words(signed_in, page)
        assert "The guest says that the PIN does not work." in words(signed_in, page)


def test_settled_by_a_person_it_is_quiet_and_written_down(client: Client, nina: User, ben: AccessCode) -> None:
    report(ben)
    client.force_login(nina)
    page = words(client, f"/codes/{ben.pk}/")
    assert "Ben Okafor said at" in page and "The guest is in" in page
    assert settled(client, ben) == 302 and ben.reported_at is None
    assert settled(client, ben) == 302
    event = Event.objects.get(type=T.CODE_REPORT_SETTLED)
    assert (event.actor, event.subject) == (nina, ben.pk)
    page = words(client, f"/codes/{ben.pk}/")
    assert "Settled: Ben Okafor can open the door." in page and "The guest is in" not in page
    assert "at risk" not in words(client, "/").replace("No arrival at risk", "")


def test_then_the_guest_may_report_again(client: Client, signed_in: Client, ben: AccessCode) -> None:
    report(ben)
    assert "My code is not working" not in words(client, f"/g/{ben.guest_token}/")
    settled(signed_in, ben)
    assert "My code is not working" in words(client, f"/g/{ben.guest_token}/")
    cache.clear()
    report(ben)
    assert ben.reported_at is not None
    assert ben.code_pins.filter(role="backup").count() == 1


def test_a_mail_tells_it_at_once_and_another_that_it_is_settled(
    signed_in: Client, alice: User, ben: AccessCode
) -> None:
    report(ben)
    for _ in range(2):
        notify()
        send_due()
    (told,) = mail.outbox
    assert told.subject == "Act now: Ben Okafor says that the PIN does not work, Lakeview Cottage Front door"
    assert f"/codes/{ben.pk}/" in told.body and "Another PIN was given at once" in told.body
    with later(minutes=2):  # that the PIN changed after it was seen is the same news
        notify()
        send_due()
    assert len(mail.outbox) == 1
    settled(signed_in, ben)
    notify()
    send_due()
    assert mail.outbox[1].subject == "Resolved: Ben Okafor says that the PIN does not work, Lakeview Cottage Front door"
    assert "as your team said" in mail.outbox[1].body


def test_a_workspace_from_before_gets_that_mail_too(alice: User, workspace: Workspace, ben: AccessCode) -> None:
    Workspace.objects.update(mail_roles={"uncovered": ["owner"]})
    report(ben)
    notify()
    send_due()
    assert len(mail.outbox) == 1


def test_a_code_that_is_over_asks_for_nothing(signed_in: Client, workspace: Workspace, ben: AccessCode) -> None:
    report(ben)
    cancel_code(ben)
    assert attention(workspace).arrivals == 0
    assert "said at" not in words(signed_in, f"/codes/{ben.pk}/").split("History")[0]


def test_it_is_a_post_not_for_viewers_and_not_for_strangers(
    client: Client, vera: User, charlie: User, ben: AccessCode
) -> None:
    report(ben)
    for person, status in ((vera, 403), (charlie, 404)):
        client.force_login(person)
        assert settled(client, ben) == status
    assert client.get(reverse("code_settled", args=[ben.pk])).status_code == 405
    assert ben.reported_at is not None


def test_home_needs_no_query_more(signed_in: Client, ben: AccessCode) -> None:
    report(ben)
    with CaptureQueriesContext(connection) as queries:
        signed_in.get("/")
    assert len(queries) <= 8
