"""Locks that wait too long for their turn, and hubs that do not answer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db.models import Count, Q

from codes.doctor.finding import Finding, ago, note, ok, wrong
from devices.discovery import NoAnswer, Unreachable, reach
from devices.lease import free, speakable
from devices.lookup import full_name
from devices.models import Device, Hub
from portal.clock import now
from portal.console import counted

TOO_LONG = timedelta(minutes=2)  # for a lock that could be spoken to
DEADLINE = 8.0  # seconds for a hub's answer
AT_ONCE = 8


def due() -> Iterator[Finding]:
    waiting = Device.objects.filter(free(), speakable(), next_sync_at__lte=now()).exclude(
        removal=Device.Removal.REMOVED
    )
    oldest = waiting.select_related("property").order_by("next_sync_at").first()
    if oldest is None or oldest.next_sync_at is None:
        kept = Device.objects.exclude(removal=Device.Removal.REMOVED).count()
        yield ok("locks", f"none of {counted(kept, 'lock')} waits for its turn")
        return
    age, count = now() - oldest.next_sync_at, counted(waiting.count(), "lock")
    says = f"{count} due, the longest “{full_name(oldest)}” for {ago(age)}"
    remedy = "See that tick and workers run. This one now: manage.py sync_locks " + f'"{full_name(oldest)}" --here'
    yield wrong("locks", says, remedy) if age > TOO_LONG else ok("locks", says)


def hubs() -> Iterator[Finding]:
    """Ask each hub for its locks, several at once."""
    known = Count("devices", filter=~Q(devices__removal=Device.Removal.REMOVED))
    found = list(Hub.objects.select_related("workspace").annotate(locks=known).order_by("workspace__name", "name"))
    if not found:
        yield note("hubs", "there are none yet", "Add one in the portal, or see manage.py import_locks --help.")
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield from threads.map(_hub, found)


def _hub(hub: Hub) -> Finding:
    name = f"“{hub.name}” of {hub.workspace.name}"
    try:
        there = reach(hub, deadline=DEADLINE)
    except (Unreachable, NoAnswer, TimeoutError) as error:
        since = f", down for {ago(now() - hub.down_since)}" if hub.down_since else ""
        reason = "cannot be reached" if isinstance(error, Unreachable) else "did not answer"
        remedy = f"See that {hub.get_provider_display()} runs at {hub.address} and that this host reaches it."
        return wrong("hubs", f"{name} {reason}{since}", remedy)
    except Exception as error:  # a driver may raise anything, and its words may hold more than we want to print
        return wrong("hubs", f"{name} failed: {type(error).__name__}", "See the workers' log for this hub.")
    return ok("hubs", f"{name} answers: {counted(there, 'lock')}")
