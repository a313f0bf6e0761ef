"""What the settings say: secrets that are missing, and what Django's own checks find."""

from collections.abc import Callable, Iterator
from functools import partial

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from codes.doctor.finding import Finding, note, ok, wrong
from portal.secret import Secret, digest

AREA = "settings"
FERNET = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


def look() -> Iterator[Finding]:
    problems = [*_secrets(), *_addresses(), *_djangos_checks()]
    yield from problems
    if settings.DEBUG:
        yield note(AREA, "DEBUG is on: for development and the demo only", "Unset DEBUG where guests depend on it.")
    elif not problems:
        yield ok(AREA, "complete, and clean by `check --deploy`")


def _secrets() -> Iterator[Finding]:
    if not _has_secret_key():
        yield wrong(AREA, "SECRET_KEY is not set", "Set it to any long random text, the same on all hosts.")
    uses: dict[str, Callable[[], str]] = {"PIN_KEYS": Secret("").seal, "PIN_DIGEST_KEY": partial(digest, "")}
    for name, use in uses.items():
        try:
            use()
        except ImproperlyConfigured as error:
            remedy = f"Make one with: {FERNET}" if name == "PIN_KEYS" else "The same on all hosts; it never changes."
            yield wrong(AREA, f"{name}: {error}", remedy)


def _has_secret_key() -> bool:
    try:
        return bool(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django's own answer to an empty one
        return False


def _addresses() -> Iterator[Finding]:
    if not settings.ALLOWED_HOSTS:
        yield wrong(AREA, "ALLOWED_HOSTS is empty: every request is refused", "Set it to the portal's host names.")
    if not settings.PORTAL_URL:
        yield wrong(AREA, "PORTAL_URL is empty: links in mails lead nowhere", "Set it to the portal's own address.")
    if settings.SUPPORT_CONTACT.endswith("@example.com") and not settings.DEBUG:
        yield note(AREA, "SUPPORT_CONTACT is the example's", "Set it to your support's address or https URL.")


def _djangos_checks() -> Iterator[Finding]:
    for found in checks.run_checks(include_deployment_checks=not settings.DEBUG):
        says = f"{found.id}: {found.msg.splitlines()[0]}"
        hint = (found.hint or "").replace("\n", " ") or "See Django's documentation for this check."
        if not found.is_silenced():
            yield wrong(AREA, says, hint) if found.is_serious() else note(AREA, says, hint)
