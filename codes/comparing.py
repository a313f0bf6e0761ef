"""Holding locks against the portal, and having the engine mend them. For commands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from codes.turns import give_turns
from devices.lease import Lease
from devices.lookup import full_name
from devices.models import Device
from devices.programming import Steps
from devices.programming.differences import Comparison, Difference, differences
from devices.services import sync_now

NOT_READ = "its turn did not come: a worker holds it, or its hub is down or busy"


@dataclass(frozen=True, slots=True)
class Compared:
    """One lock, how it differs, and what of it was mended."""

    device: Device
    comparison: Comparison
    mended: Sequence[Difference] = ()

    @property
    def left(self) -> list[Difference]:
        """What still differs."""
        return [one for one in self.comparison.differences if one.counts]

    @property
    def fine(self) -> bool:
        return not self.left and not self.comparison.trouble

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.device.pk,
            "lock": full_name(self.device),
            "workspace": self.device.property.workspace.name,
            "readable": self.comparison.readable,
            "trouble": self.comparison.trouble,
            "differences": [_told(one) for one in self.left],
            "known": [_told(one) for one in self.comparison.differences if not one.counts],
            "mended": [_told(one) for one in self.mended],
        }


def compare_locks(devices: Sequence[Device], *, seconds: float, done: Callable[[int], None]) -> list[Compared]:
    """Read each lock in full, side by side, under its lease. Nothing is changed."""
    told: dict[UUID, Comparison] = {}

    def turn(lease: Lease) -> Steps[None]:
        yield from differences(lease, partial(told.__setitem__, lease.device_id))

    give_turns([device.pk for device in devices], turn, seconds=seconds, ended=lambda _: done(1))
    return [Compared(device, told.get(device.pk, Comparison(trouble=NOT_READ))) for device in devices]


def mend_locks(found: Sequence[Compared], *, seconds: float, done: Callable[[int], None]) -> list[Compared]:
    """Have the engine mend the locks that differ, by turns given here, and look at them once more."""
    differ = [one for one in found if one.left]
    for one in differ:
        sync_now(one.device, read=True, wake=False)
    give_turns([one.device.pk for one in differ], seconds=seconds, ended=lambda _: done(1))
    again = compare_locks([one.device for one in differ], seconds=seconds, done=done)
    after = {before.device.pk: _mended(before, one) for before, one in zip(differ, again, strict=True)}
    return [after.get(one.device.pk, one) for one in found]


def _mended(before: Compared, after: Compared) -> Compared:
    if after.comparison.trouble:
        return replace(before, comparison=replace(before.comparison, trouble=after.comparison.trouble))
    left = {_which(one) for one in after.comparison.differences}
    return replace(after, mended=[one for one in before.left if _which(one) not in left])


def _which(one: Difference) -> tuple[str, str]:
    return one.kind, one.label or one.place


def _told(one: Difference) -> dict[str, object]:
    return {"kind": one.kind.value, "label": one.label, "place": one.place, "mends": one.mends, "why": one.why}
