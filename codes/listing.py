"""A lock's code list: regular and backup codes together, in the order in which they matter. Reads only.

What needs attention comes first, then guests by check-in with the backup right under the code it covers, then
ongoing codes, then those that are over, and at the end the backups that are ready.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backups.models import BackupCode
from codes.cover import door_pin, given_to, holding
from codes.lock_pins import LockPins
from codes.models import AccessCode, CodePin
from codes.status import Status, backup_in_use, code_status, spare_status
from devices import listing
from devices.listing import Words
from devices.models import Device, Pin
from portal.clock import now
from portal.moments import soon

GUEST, ONGOING, BACKUP, ATTENTION = "guest", "ongoing", "backup", "attention"


class Row(NamedTuple):
    """One line of the list. `pin_id` names the PIN that works now, None: none does. Digits are not in here."""

    key: str
    kind: str
    name: str
    status: Status
    code_id: UUID | None = None
    reference: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    pin_id: int | None = None
    cover: str = ""  # "Guest uses Backup 7F3A", or "Covers Ben Okafor"
    cover_key: str = ""  # the row it speaks of
    over: bool = False
    under: bool = False


PLACES = {GUEST: 2, ONGOING: 3, BACKUP: 5}  # in the list, unless something more urgent is to be said of it


class Group(NamedTuple):
    """A code with its backups, or a backup that is ready."""

    rows: tuple[Row, ...]
    attention: bool

    def order(self) -> tuple[object, ...]:
        first = self.rows[0]
        place = 4 if first.over else PLACES[first.kind]
        if self.attention:
            place = int(first.over)  # a guest who is to come in goes before a PIN that is to go
        begins = first.starts_at.timestamp() if first.starts_at else float("inf")
        return place, begins, first.name.casefold(), first.key

    def says(self, words: str) -> bool:
        text = " ".join(f"{row.name} {row.reference}" for row in self.rows).casefold()
        return all(word in text for word in words.casefold().split())


@dataclass(frozen=True)
class CodeList:
    """A lock's codes as its page shows them, after the filter. `total` is before it."""

    device: Device
    rows: list[Row]
    total: int
    troubled: int
    pending: bool
    filtered: bool = False
    pins: Sequence[Pin] = ()  # of guests and staff, before the filter
    codes: Sequence[AccessCode] = ()  # with all their PINs, before the filter

    @property
    def health(self) -> str:
        return health(self.troubled)

    @cached_property
    def next_arrival(self) -> Words:
        """`Chloé Martin, Sat 15:00, not on lock yet`"""
        return _next_arrival(self.codes, self.device)


def health(troubled: int) -> str:
    """The line above a list."""
    if not troubled:
        return _("All codes OK")
    needing = ngettext("%(count)d code needs attention", "%(count)d codes need attention", troubled)
    return needing % {"count": troubled}


def code_list(device: Device, pins: LockPins, *, show: str = "", words: str = "") -> CodeList:
    """The list, filtered by kind (guest, ongoing, backup, attention) and words. No query, given the lock's PINs."""
    codes = pins.codes
    groups = [_group(code, device) for code in codes]
    groups += [_grouped(spare_row(spare, device)) for spare in pins.backups.codes if _listed(spare)]
    groups.sort(key=Group.order)
    chosen = [group for group in groups if group.says(words)] if words else groups
    return CodeList(
        device=device,
        rows=[row for group in chosen for row in group.rows if _shown(row, group, show)],
        total=sum(len(group.rows) for group in groups),
        troubled=sum(group.attention for group in groups),
        pending=any(row.status.pending for group in groups for row in group.rows),
        filtered=bool(words or show),
        pins=[given.pin for code in codes for given in given_to(code)],
        codes=codes,
    )


def code_row(code: AccessCode, device: Device) -> Row:
    """One access code as a row; its `code_pins` are prefetched with pins and backup codes."""
    return _row(code, list(given_to(code)), device)


def _row(code: AccessCode, given: list[CodePin], device: Device) -> Row:
    has, pk = holding(given), code.pk
    pin = door_pin(code, has)
    backup = has.backup if has.backup and has.backup.pin.maybe_on_lock else None
    return Row(
        key=f"code-{pk}",
        kind=GUEST if code.time_bound else ONGOING,
        name=code.name,
        status=code_status(code, given, device, has),
        code_id=pk,
        reference=code.booking_reference,
        starts_at=code.starts_at,
        ends_at=code.ends_at,
        pin_id=pin.pk if pin else None,
        cover=_("Guest uses Backup %(id)s") % {"id": backup.pin.backup_code.code_id} if backup else "",
        cover_key=f"backup-{backup.pin.backup_code.pk}" if backup else "",
        over=code.ended_at is not None,
    )


def _group(code: AccessCode, device: Device) -> Group:
    given = list(given_to(code))
    row = _row(code, given, device)
    backups = [one for one in given if one.role == CodePin.Role.BACKUP and _still_matters(one)]
    return _grouped(row, *map(given_row, backups))


def _grouped(*rows: Row) -> Group:
    return Group(rows, any(row.status.attention for row in rows))


def given_row(given: CodePin) -> Row:
    code, backup = given.code, given.pin.backup_code
    return Row(
        key=f"backup-{backup.pk}",
        kind=BACKUP,
        name=str(backup),
        status=backup_in_use(given),
        starts_at=code.starts_at,
        ends_at=code.ends_at,
        cover=_("Covers %(name)s") % {"name": code.name},
        cover_key=f"code-{code.pk}",
        over=code.ended_at is not None,
        under=True,
    )


def spare_row(spare: BackupCode, device: Device) -> Row:
    return Row(key=f"backup-{spare.pk}", kind=BACKUP, name=str(spare), status=spare_status(spare, device))


def _listed(spare: BackupCode) -> bool:
    """Spares that are on the lock or may be; those still to come are told by the pool."""
    return spare.drawn_at is None and spare.pin.maybe_on_lock


def _still_matters(given: CodePin) -> bool:
    return given.pin.maybe_on_lock or (given.ended_at is None and given.code.ended_at is None)


def _shown(row: Row, group: Group, show: str) -> bool:
    if show == ATTENTION:
        return group.attention
    return row.kind == show if show in (GUEST, ONGOING, BACKUP) else True


def _next_arrival(codes: Sequence[AccessCode], device: Device) -> Words:
    at = now()
    coming = [code for code in codes if code.ended_at is None and code.starts_at and code.starts_at > at]
    starts_at = min((code.starts_at for code in coming if code.starts_at), default=None)
    if starts_at is None:
        return ""
    nearest = [code for code in coming if code.starts_at == starts_at]
    code = min(nearest, key=lambda code: (_works(code), code.name))  # who stands outside goes first
    begins = soon(starts_at, listing.zone_of(device))
    state = _("on the lock") if _works(code) else _("not on lock yet")
    return format_html("{}, {}, {}", code.name, begins, state)


def _works(code: AccessCode) -> bool:
    return any(
        one.ended_at is None and (one.pin.confirmed or (one.role == CodePin.Role.BACKUP and one.pin.maybe_on_lock))
        for one in given_to(code)
    )
