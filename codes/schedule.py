"""When a stay's PIN is programmed, and when we stop waiting for it. Pure: codes, leads and instants."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from devices.models import Device

AFTER_CHANGE = timedelta(minutes=2)  # so long a last-minute change may take before a backup is pulled


@dataclass(frozen=True, slots=True)
class Leads:
    """A lock's leads before check-in. `native`: the lock keeps schedules by itself."""

    programming: timedelta
    cover: timedelta
    native: bool


def leads_of(device: Device) -> Leads:
    """The workspace's leads for this kind of lock."""
    workspace = device.property.workspace
    if device.caps is not None and device.caps.native_schedules:
        return Leads(workspace.programming_lead_native, workspace.cover_lead_native, native=True)
    return Leads(workspace.programming_lead, workspace.cover_lead, native=False)


def program_at(leads: Leads, starts_at: datetime | None) -> datetime | None:
    """When the PIN goes to the lock; None for an ongoing code: at once."""
    return starts_at - leads.programming if starts_at else None


def give_up_at(leads: Leads, needed_at: datetime | None, changed_at: datetime) -> datetime | None:
    """When a PIN that is not confirmed is covered; None for an ongoing code, which never is.

    `needed_at` is the check-in, or the old checkout when a stay that runs is extended.
    """
    if needed_at is None:
        return None
    return max(needed_at - leads.cover, changed_at + AFTER_CHANGE)


def after_refusal(leads: Leads, needed_at: datetime, at: datetime) -> datetime:
    """A lock that refused for good is not waited for."""
    return max(needed_at - leads.cover, at)
