"""The mail that invites somebody."""

import logging

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.metrics import MAILS
from portal.models import Invitation

logger = logging.getLogger(__name__)


def link_to(path: str) -> str:
    """A page's address as it goes into a mail."""
    return f"{settings.PORTAL_URL.rstrip('/')}{path}"


def send_invitation(invitation: Invitation, token: str) -> bool:
    """Mail the link. False: the mail could not be sent; the reason is logged by its class."""
    told = {
        "who": invitation.invited_by,
        "workspace": invitation.workspace,
        "role": invitation.get_role_display(),
        "link": link_to(reverse("join", args=[token])),
        "until": f"{invitation.expires_at:%-d %B %Y}",
    }
    subject = _("%(who)s invites you to %(workspace)s") % told
    body = _(
        "%(who)s invites you to “%(workspace)s” in the Customer Portal, as: %(role)s.\n\n"
        "Accept here, until %(until)s:\n%(link)s\n\n"
        "The link works once. If you did not expect this, do nothing."
    )
    message = EmailMessage(" ".join(subject.split()), body % told, to=[invitation.email])
    try:
        message.send()
    except Exception as error:
        logger.error("an invitation could not be mailed: %s", type(error).__name__)
        MAILS.count("failed")
        return False
    MAILS.count("sent")
    return True
