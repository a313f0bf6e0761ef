"""One guest, several doors: a code a lock under one booking reference. They share a link, and change together."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from codes.guest_link import new_nonce
from codes.models import AccessCode, AccessCodeQuerySet
from codes.services import add_code, cancel_code, change_code
from devices.activity import record
from devices.models import Device, Event
from portal.models import User


def add_codes(
    *, devices: Sequence[Device], booking_reference: str = "", actor: User | None = None, **fields: Any
) -> list[AccessCode]:
    """Add a code to each lock, all or none. `fields` are those of `codes.services.add_code`.

    Several codes get a reference that joins them if they have none. Raises ValidationError, naming the lock if there
    are several.
    """
    if len(devices) > 1 and not booking_reference.strip():
        booking_reference = f"STAY-{secrets.token_hex(3).upper()}"
    added = {}
    with transaction.atomic():
        for device in sorted(devices, key=lambda device: device.pk):  # rows are locked in one order everywhere
            try:
                code = add_code(device=device, booking_reference=booking_reference, actor=actor, **fields)
            except ValidationError as error:
                raise _named(error, device) if len(devices) > 1 else error from error
            added[device.pk] = code
    return [added[device.pk] for device in devices]


def change_codes(
    codes: Sequence[AccessCode],
    *,
    name: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
    booking_reference: str | None = None,
    actor: User | None = None,
) -> None:
    """Give the codes of one booking the same stay, all or none; the first one's name to those that shared it.

    And the same reference, which puts them on another link; None: each keeps its own. Raises ValidationError, naming
    the lock if there are several.
    """
    shared = codes[0].name
    with transaction.atomic():
        for code in sorted(codes, key=lambda code: code.device_id):  # rows are locked in one order everywhere
            called = name if code.name == shared else code.name
            try:
                change_code(
                    code,
                    name=called,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    booking_reference=booking_reference,
                    actor=actor,
                )
            except ValidationError as error:
                raise _named(error, code.device) if len(codes) > 1 else error from error


def cancel_codes(codes: Sequence[AccessCode], *, actor: User | None = None) -> None:
    """End the codes of one booking, all or none."""
    with transaction.atomic():
        for code in sorted(codes, key=lambda code: code.device_id):
            cancel_code(code, actor=actor)


def other_doors(code: AccessCode) -> AccessCodeQuerySet:
    """The booking's codes on other doors, those that are not over."""
    return shared_with(code).live().exclude(pk=code.pk).select_related("device__hub").order_by("device__name", "pk")


def shared_with(code: AccessCode) -> AccessCodeQuerySet:
    """The guests' codes that a guest's link shows together with this one, itself included.

    Those of one booking reference at one property whose stays overlap: a reference that comes again a year later is
    another guest's.
    """
    same = AccessCode.objects.filter(pk=code.pk)
    if not code.booking_reference or not code.time_bound:
        return same
    return AccessCode.objects.filter(
        device__property=code.device.property_id,
        booking_reference__iexact=code.booking_reference,
        kind=AccessCode.Kind.TIME_BOUND,
        starts_at__lt=code.ends_at,
        ends_at__gt=code.starts_at,
    )


def others_of_reference(codes: Sequence[AccessCode]) -> list[str]:
    """Names of other guests whose link shares these codes: somebody used one reference for two parties."""
    names = {code.name.casefold() for code in codes}
    found = {other.name for code in codes for other in shared_with(code).live()}
    return sorted(name for name in found if name.casefold() not in names)


def renew_link(code: AccessCode, *, actor: User | None = None) -> None:
    """Make the guest's link lead nowhere, and a new one in its place, for all codes that it shows."""
    with transaction.atomic():
        for one in shared_with(code).select_for_update(of=("self",)).order_by("pk"):
            AccessCode.objects.filter(pk=one.pk).update(guest_nonce=new_nonce())
        record(code.device, Event.Type.CODE_LINK_RENEWED, actor=actor, subject=code.pk, name=code.name)
    code.refresh_from_db(fields=["guest_nonce"])


def _named(error: ValidationError, device: Device) -> ValidationError:
    """The refusal with the lock's name before each sentence, beside the same fields."""
    if not hasattr(error, "error_dict"):
        return ValidationError([_told(device, words) for words in error.messages])
    return ValidationError({name: [_told(device, w) for w in e] for name, e in error.message_dict.items()})


def _told(device: Device, words: str) -> str:
    return _("%(lock)s: %(problem)s") % {"lock": device.name, "problem": words}
