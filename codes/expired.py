"""Stays that are over whose PINs may still open a door: which they are, why, and asking for them to be taken off."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db import transaction
from django.db.models import Q, QuerySet

from codes.models import AccessCode, CodePin
from codes.tick import end_stays
from devices import listing
from devices.lookup import full_name
from devices.models import MAYBE_ON_LOCK, Device, Pin
from devices.programming.plan import may_still_land
from devices.services import sync_now
from portal.clock import now
from portal.console import counted, plain
from portal.models import Workspace


@dataclass(frozen=True, slots=True)
class Expired:
    """A PIN of a stay that is over, which may still be on its lock."""

    given: CodePin
    since: datetime  # when the guest's time, or this PIN's, was over

    @property
    def device(self) -> Device:
        return self.given.code.device

    @property
    def lock_is_removed(self) -> bool:
        return self.device.removal == Device.Removal.REMOVED

    @property
    def why(self) -> str:
        """Why it may still be there, as measured."""
        pin, device = self.given.pin, self.device
        if self.lock_is_removed:
            return "the lock was removed from the portal: take the code off at the lock"
        if listing.unreachable(device):
            return plain(listing.likely_cause(device, 0))
        if pin.trouble:
            return f"{Pin.Trouble(pin.trouble).label}; {counted(pin.attempts, 'try', 'tries')}{self._awaited}"
        return f"on its way off{self._awaited}" if pin.status == Pin.Status.REMOVING else "its turn is still to come"

    @property
    def _awaited(self) -> str:
        """Until when a write of it may still land: an empty lock proves nothing before."""
        until = may_still_land(self.given.pin, self.device.caps, now()) if self.device.caps else None
        return f"; a late write may land until {until:%H:%M:%S} UTC" if until else ""

    def to_json(self) -> dict[str, object]:
        return {
            "code": self.given.code_id,
            "label": self.given.pin.label,
            "lock_id": self.device.pk,
            "lock": full_name(self.device),
            "workspace": self.device.property.workspace.name,
            "backup": self.given.role == CodePin.Role.BACKUP,
            "over_since": self.since,
            "status": self.given.pin.status,
            "next_try_at": self.given.pin.next_attempt_at or self.device.next_sync_at,
            "lock_removed": self.lock_is_removed,
            "why": self.why,
        }


def expired(workspace: Workspace | None = None) -> list[Expired]:
    """All of them, the longest over first. One query."""
    at = now()
    over = Q(pin__wanted=Pin.Wanted.ABSENT) | Q(pin__wanted_until__lte=at)
    found: QuerySet[CodePin] = (
        CodePin.objects.filter(over, pin__status__in=MAYBE_ON_LOCK)
        .filter(Q(code__ended_at__isnull=False) | Q(code__ends_at__lte=at))
        .select_related("pin", "code__device__property__workspace", "code__device__hub")
        .defer("pin__secret", "code__guest_nonce")
        .order_by("code__device", "pk")
    )
    if workspace is not None:
        found = found.filter(code__device__property__workspace=workspace)
    return sorted((Expired(given, _since(given, at)) for given in found), key=lambda one: (one.since, one.given.pk))


def unended(workspace: Workspace | None = None) -> QuerySet[AccessCode]:
    """Stays that are over and that no tick has ended yet."""
    found = AccessCode.objects.live().filter(ends_at__lte=now())
    return found if workspace is None else found.of(workspace)


def end_all_stays() -> None:
    """End what the tick would have ended by now, however many they are."""
    before = -1
    while (left := unended().count()) and left != before:  # one that cannot be ended does not keep us here
        end_stays(now())
        before = left


def ask_again(left: Iterable[Expired]) -> list[Device]:
    """Have these PINs taken off at once, without the rest after a failed try; the locks that are asked for."""
    asked = []
    by_lock = sorted((one for one in left if not one.lock_is_removed), key=lambda one: str(one.device.pk))
    for _, group in groupby(by_lock, key=lambda one: one.device.pk):
        some: Sequence[Expired] = list(group)
        with transaction.atomic():
            device = Device.objects.select_for_update().get(pk=some[0].device.pk)
            pins = Pin.objects.filter(pk__in=[one.given.pin_id for one in some], wanted=Pin.Wanted.ABSENT)
            pins.update(next_attempt_at=None)
            sync_now(device, wake=False)
        asked.append(some[0].device)
    return asked


def _since(given: CodePin, at: datetime) -> datetime:
    code = given.code
    moments = [moment for moment in (code.ended_at, code.ends_at) if moment is not None]
    return min([*moments, at])
