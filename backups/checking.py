"""Pools of all workspaces that need somebody: for monitors. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from backups.services import SETTING_UP
from backups.status import PoolStatus, State, pools_of
from devices import listing
from devices.lookup import full_name
from devices.models import Device
from portal.clock import now
from portal.console import plain
from portal.models import Workspace

AT_ONCE = 300  # locks looked at with one query
ORDER = {State.EXHAUSTED: 0, State.LOW: 1}


@dataclass(frozen=True, slots=True)
class CheckedPool:
    """A lock's pool as monitors see it. A pool that should be there by now and is not counts as exhausted."""

    device: Device
    status: PoolStatus
    state: State

    @property
    def since(self) -> datetime | None:
        return self.status.pool.exhausted_since if self.status.pool else None

    @property
    def cause(self) -> str:
        """The likely cause, as measured; "" when nothing was."""
        if self.status.pool is None and self.state == State.EXHAUSTED:
            return "no pool was ever made: run manage.py refill_pools"
        return plain(listing.likely_cause(self.device, self.status.used))

    @property
    def taken_on_by(self) -> str:
        pool = self.status.pool
        return str(pool.acknowledged_by) if pool and pool.acknowledged_by else ""

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.device.pk,
            "lock": full_name(self.device),
            "workspace": self.device.property.workspace.name,
            "state": self.state.value,
            "ready": self.status.ready,
            "size": self.status.size,
            "pulled_last_7_days": self.status.pulled,
            "exhausted_since": self.since,
            "cause": self.cause,
            "taken_on_by": self.taken_on_by,
        }


def check_pools(workspace: Workspace | None = None) -> list[CheckedPool]:
    """The pools of all locks in use that have one or should, the worst first."""
    locks = Device.objects.filter(removal=Device.Removal.KEPT, capabilities__backup_pool=True)
    if workspace is not None:
        locks = locks.filter(property__workspace=workspace)
    return sorted(_checked(list(locks.select_related("property__workspace", "hub"))), key=_worst_first)


def _checked(devices: list[Device]) -> Iterator[CheckedPool]:
    for start in range(0, len(devices), AT_ONCE):
        some = devices[start : start + AT_ONCE]
        statuses = pools_of(some)
        for device in some:
            yield CheckedPool(device, statuses[device.pk], _state(device, statuses[device.pk]))


def _state(device: Device, status: PoolStatus) -> State:
    never_made = status.pool is None and device.added_at < now() - SETTING_UP
    return State.EXHAUSTED if never_made else status.state


def _worst_first(pool: CheckedPool) -> tuple[object, ...]:
    workspace = pool.device.property.workspace.name
    return ORDER.get(pool.state, 2), pool.status.ready, workspace, full_name(pool.device), str(pool.device.pk)
