"""Mail that must arrive: written down in the transaction that has something to tell, sent and retried afterwards."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.core.mail import EmailMessage

from portal.clock import now
from portal.metrics import MAILS
from portal.models import OutgoingMail

logger = logging.getLogger(__name__)

CLAIM = timedelta(minutes=2)  # longer than one mail takes; then another sender may try
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=10)
TOO_OLD = timedelta(hours=24)  # a warning of yesterday misleads
AT_ONCE = 50


def post(to: Iterable[str], subject: str, body: str) -> None:
    """Have the mail sent to each of them, apart. Goes out when the transaction is through."""
    line = " ".join(subject.split())[:250]
    OutgoingMail.objects.bulk_create(OutgoingMail(to=one, subject=line, body=body) for one in to)


def send_due() -> None:
    """Send what is due. A mail that cannot be sent is logged by its error's class and tried again later."""
    at = now()
    for mail in OutgoingMail.objects.filter(next_try_at__lte=at).order_by("created_at", "pk")[:AT_ONCE]:
        mine = OutgoingMail.objects.filter(pk=mail.pk, next_try_at=mail.next_try_at)
        if mine.update(next_try_at=at + CLAIM, tries=mail.tries + 1):
            _send(mail)


def _send(mail: OutgoingMail) -> None:
    row = OutgoingMail.objects.filter(pk=mail.pk)
    try:
        EmailMessage(mail.subject, mail.body, to=[mail.to]).send()
    except Exception as error:
        logger.error("mail %d could not be sent (try %d): %s", mail.pk, mail.tries + 1, type(error).__name__)
        if mail.created_at < now() - TOO_OLD:
            MAILS.count("given_up")
            logger.error("mail %d is given up", mail.pk)
            row.delete()
            return
        MAILS.count("failed")
        row.update(next_try_at=now() + min(FIRST_WAIT * 2 ** min(mail.tries, 10), LONGEST_WAIT))
    else:
        MAILS.count("sent")
        row.delete()
