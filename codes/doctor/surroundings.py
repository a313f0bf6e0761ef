"""What the portal stands on besides its database: time zones, static files, mail."""

import zoneinfo
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from smtplib import SMTPException

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.files.storage import Storage
from django.core.mail import mailers
from django.core.mail.backends.smtp import EmailBackend

from codes.doctor.finding import Finding, ago, note, ok, wrong
from devices.models import Property
from portal.clock import now
from portal.console import counted
from portal.models import OutgoingMail

FEW_ZONES = 300  # a whole zone database has about 600
MAIL_WAITS = timedelta(minutes=15)
MAIL_TIMEOUT = 8  # seconds


def time_zones() -> Iterator[Finding]:
    known = zoneinfo.available_timezones()
    if len(known) < FEW_ZONES:
        yield wrong("time zones", f"only {len(known)} are known", "Install tzdata: uv sync --no-dev")
        return
    odd = Property.objects.exclude(time_zone__in=known).order_by("name").first()
    if odd is not None:
        says = f"“{odd.time_zone}” of {odd.name} is not known"
        yield wrong("time zones", says, "Update tzdata, or give the property another zone in the portal.")
        return
    yield ok("time zones", f"{len(known)} known, tzdata {_tzdata()}")


def static_files() -> Iterator[Finding]:
    """In production each file has an entry in the manifest that `collectstatic` writes."""
    storage: Storage = staticfiles_storage
    if not isinstance(storage, ManifestFilesMixin):
        yield ok("static files", "served from their sources")
        return
    names = sorted({name for finder in finders.get_finders() for name, _ in finder.list(None)})
    kept = storage.hashed_files
    missing = [name for name in names if name not in kept or not storage.exists(kept[name])]
    if missing:
        says = f"{len(missing)} of {len(names)} are not collected, {missing[0]} for one"
        yield wrong("static files", says, "Run: manage.py collectstatic --noinput")
    else:
        yield ok("static files", f"{counted(len(names), 'file')} collected in {settings.STATIC_ROOT}")


def mail() -> Iterator[Finding]:
    yield from _waiting_mail()
    server = mailers.default
    if not isinstance(server, EmailBackend):
        kind = type(server).__module__.rpartition(".")[2]
        says, remedy = f"mail goes to “{kind}”, to nobody’s inbox", "Set EMAIL_HOST and its companions."
        yield note("mail", says, remedy) if settings.DEBUG else wrong("mail", says, remedy)
        return
    server.timeout = MAIL_TIMEOUT
    try:
        server.open()
        server.close()
    except (OSError, SMTPException) as error:
        says = f"{settings.EMAIL_SERVER} does not take mail: {type(error).__name__}"
        yield wrong("mail", says, "See EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_TLS.")
    else:
        yield ok("mail", f"{settings.EMAIL_SERVER} takes mail")


def _waiting_mail() -> Iterator[Finding]:
    waiting = OutgoingMail.objects.order_by("created_at", "pk")
    oldest = waiting.first()
    if oldest is not None and (age := now() - oldest.created_at) > MAIL_WAITS:
        says = f"{counted(waiting.count(), 'mail')} not sent yet, the oldest for {ago(age)} after {oldest.tries} tries"
        yield wrong("mail", says, "See that manage.py tick runs, and its log for the reason.")


def _tzdata() -> str:
    try:
        return version("tzdata")
    except PackageNotFoundError:
        return "of the system"
