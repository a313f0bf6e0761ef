"""Mail that must arrive: kept until it is sent, retried, never in the way."""

from datetime import timedelta

import pytest
import time_machine
from django.core.mail import EmailMessage
from django.utils import timezone

from portal.models import OutgoingMail
from portal.outbox import post, send_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A mail server that refuses; gives whom it was asked to write to."""
    asked: list[str] = []

    def refuse(message: EmailMessage) -> int:
        asked.extend(message.to)
        raise ConnectionRefusedError("the password is wrong: hunter2")

    monkeypatch.setattr(EmailMessage, "send", refuse)
    return asked


def test_everybody_gets_their_own_once(mailoutbox: list[EmailMessage]) -> None:
    post(["a@example.org", "b@example.org"], "Hello\nthere", "Words")
    send_due()
    send_due()
    assert [mail.to for mail in mailoutbox] == [["a@example.org"], ["b@example.org"]]
    assert mailoutbox[0].subject == "Hello there"
    assert not OutgoingMail.objects.exists()


def test_a_failure_is_logged_by_class_and_tried_again(
    broken: list[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(["a@example.org"], "Hello", "Words")
    send_due()
    send_due()
    assert broken == ["a@example.org"]
    assert "ConnectionRefusedError" in caplog.text and "hunter2" not in caplog.text
    with time_machine.travel(timezone.now() + timedelta(seconds=16), tick=False):
        send_due()
    assert broken == ["a@example.org"] * 2
    assert OutgoingMail.objects.get().tries == 2


def test_one_bad_address_holds_up_nobody(monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]) -> None:
    real = EmailMessage.send

    def picky(message: EmailMessage) -> int:
        if message.to == ["bad@example.org"]:
            raise ValueError
        return real(message)

    monkeypatch.setattr(EmailMessage, "send", picky)
    post(["bad@example.org", "good@example.org"], "Hello", "Words")
    send_due()
    assert [mail.to for mail in mailoutbox] == [["good@example.org"]]


def test_what_another_sender_has_claimed_is_left_to_it(mailoutbox: list[EmailMessage]) -> None:
    post(["a@example.org"], "Hello", "Words")
    OutgoingMail.objects.update(next_try_at=timezone.now() + timedelta(minutes=1))
    send_due()
    assert not mailoutbox


def test_yesterdays_warning_is_given_up(broken: list[str]) -> None:
    post(["a@example.org"], "Hello", "Words")
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        send_due()
    assert not OutgoingMail.objects.exists()
