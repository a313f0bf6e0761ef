"""Digits for one lock: picked so that they collide with nothing that may be on it, kept as a keyed digest."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from devices import pin_rules
from devices.models import MAYBE_ON_LOCK, Device, Pin
from devices.providers.base import PinRules
from portal.secret import Secret, digest


def rules_of(device: Device) -> PinRules:
    """The lock's PIN rules; the common ones while it has not been asked."""
    return device.caps.pins if device.caps else PinRules()


def digest_of(device: Device, secret: Secret) -> str:
    """The keyed digest by which two PINs of one lock are the same to it."""
    return digest(str(device.pk), pin_rules.canonical(rules_of(device), secret.reveal()))


def same(device: Device, one: Secret, other: Secret) -> bool:
    """Both open the door where one does: alike to the lock, button by button."""
    rules = rules_of(device)
    return pin_rules.pressed(rules, one.reveal()) == pin_rules.pressed(rules, other.reveal())


def pick(device: Device) -> Secret:
    """New digits that obey the lock's rules, are not weak, and are no other PIN's of this lock. Raises NoPinLeft.

    Digits that somebody had here before are used again only when there are no others.
    """
    try:
        return _pick(device, Pin.objects.filter(device=device))
    except pin_rules.NoPinLeft:
        return _pick(device, _alive(device))


def length_on(device: Device) -> int | None:
    """The length all PINs on the lock have, where it allows one only and some are there."""
    if not rules_of(device).one_length:
        return None
    first = _alive(device).order_by("pk").first()
    return len(first.secret.reveal()) if first else None


def check(device: Device, secret: Secret, starts_at: datetime | None, ends_at: datetime | None) -> None:
    """Refuse chosen digits that break a rule of the lock or meet another PIN there. Raises ValidationError.

    The same digits may be planned for stays that do not overlap, as long as they are not on the lock now.
    """
    if problem := pin_rules.problem(rules_of(device), secret.reveal(), length=length_on(device)):
        raise ValidationError({"pin": problem})
    if pin_rules.weak(secret.reveal()):
        raise ValidationError({"pin": _("This PIN is too easy to guess. Choose another one.")})
    same = _alive(device).filter(digest=digest_of(device, secret))
    if same.filter(Q(status__in=MAYBE_ON_LOCK) | _overlaps(starts_at, ends_at)).exists():
        raise ValidationError({"pin": _("This PIN is taken on this lock. Choose another one.")})


def insert(
    device: Device,
    secret: Secret,
    *,
    label: str,
    priority: Pin.Priority,
    wanted_from: datetime | None = None,
    wanted_until: datetime | None = None,
    program_at: datetime | None = None,
    give_up_at: datetime | None = None,
) -> Pin:
    """Want a PIN on a lock. Its label should carry a short id of its own within what the lock stores."""
    return Pin.objects.create(
        device=device,
        secret=secret,
        digest=digest_of(device, secret),
        label=label,
        priority=priority,
        wanted_from=wanted_from,
        wanted_until=wanted_until,
        program_at=program_at,
        give_up_at=give_up_at,
    )


def _pick(device: Device, avoid: QuerySet[Pin]) -> Secret:
    taken = set(avoid.values_list("digest", flat=True))
    return pin_rules.generate(
        rules_of(device), taken=lambda form: digest(str(device.pk), form) in taken, length=length_on(device)
    )


def _alive(device: Device) -> QuerySet[Pin]:
    return Pin.objects.filter(device=device).alive()


def _overlaps(starts_at: datetime | None, ends_at: datetime | None) -> Q:
    always = Q(pk__isnull=False)  # an empty Q would vanish beside another
    begins_before_we_end = always if ends_at is None else Q(wanted_from=None) | Q(wanted_from__lt=ends_at)
    ends_after_we_begin = always if starts_at is None else Q(wanted_until=None) | Q(wanted_until__gt=starts_at)
    return begins_before_we_end & ends_after_we_begin
