"""The engine: one lock's turn, as a generator that does no I/O of its own.

`program` reads and writes rows, *yields* the provider calls it wants and is sent what they gave (an error is thrown
in). So it runs call by call in a test, without threads, clocks or sleeps, and many turns share one task. It knows
PINs: what is wanted on a lock and what was seen there. It knows no guests and no pools; `seen` tells those who do.
"""

from collections.abc import Callable

from django.db import transaction

from devices.lease import Lease
from devices.metrics import Ending, timed_turn
from devices.models import MAYBE_ON_LOCK, Device, Event, Hub, Pin
from devices.programming.full_read import read_in_full
from devices.programming.look import settle_by_reading
from devices.programming.plan import (
    FULL_READ_EVERY,
    Action,
    in_doubt,
    may_still_land,
    never_tried,
    next_due,
    next_job,
    silence,
)
from devices.programming.remove import remove
from devices.programming.turn import Call, ProviderFailed, Silence, Steps, Turn, TurnOver
from devices.programming.write import has_room, write
from devices.providers.base import Health
from portal.clock import now
from portal.context import bind
from portal.tally import flush

__all__ = ["Call", "ProviderFailed", "Steps", "program"]

BATTERY_LOW = 15  # percent
FLUSH_EVERY = 1.0  # seconds between writes of what was counted


def program(lease: Lease, seen: Callable[[Pin], None]) -> Steps[None]:
    """Give one lock its turn and hand the lease back. Raises LeaseLost when somebody else has it now.

    `seen(pin)` is called for each PIN whose status or window changed, inside the transaction that changed it.
    """
    bind(lock=lease.device_id)  # the runner gives each turn a context of its own
    turn = Turn(lease, seen)
    with timed_turn(turn.device.hub.provider) as timed:
        timed.ending = yield from _whole(turn)
    flush(at_most_every=FLUSH_EVERY)


def _whole(turn: Turn) -> Steps[Ending]:
    ending = Ending.ANSWERED
    try:
        yield from _work(turn)
        _answered(turn)
    except TurnOver:
        ending = Ending.TIME_UP
        turn.look_again()
        _answered(turn)
    except Silence as ended_by:
        ending = Ending.SILENT
        turn.look_again()
        yield from _fell_silent(turn, ended_by)
    left = turn.pins()  # as they are known: whoever wants something else by now makes the lock due at its release
    if turn.hub_answers and turn.hub_is_down():
        _hub_is_up(turn)
    if turn.device.removal == Device.Removal.REMOVING:
        _finish_removal(turn)
    turn.lease.release(next_due(turn.device, left, now()), seen_at=turn.answered_at)
    return ending


def _work(turn: Turn) -> Steps[None]:
    _withdraw_never_tried(turn)
    if turn.device.caps is None:
        caps = yield from turn.ask("capabilities")
        turn.note_lock(capabilities=caps.to_json())
    if _health_in_doubt(turn) or _full_read_due(turn):
        yield from _ask_health(turn)
    if _full_read_due(turn):
        yield from read_in_full(turn)
    for pin in turn.pins():
        if in_doubt(pin) and not may_still_land(pin, turn.caps, now()):
            yield from settle_by_reading(turn, pin)  # what could land has landed: what does the lock hold now?
    done: set[int] = set()
    while job := next_job(turn.pins(), now(), done, room=has_room(turn)):
        done.add(job.pin.pk)
        turn.pressing &= job.action == Action.WRITE and job.pin.priority == Pin.Priority.PERSON
        if job.action == Action.REMOVE:
            yield from remove(turn, job.pin)
            continue
        if job.action == Action.READ:
            yield from settle_by_reading(turn, job.pin)
            continue
        yield from write(turn, job.pin)
        if job.pin.status == Pin.Status.REFUSED and job.pin.priority == Pin.Priority.SPARE:
            done |= {pin.pk for pin in turn.pins() if pin.priority == Pin.Priority.SPARE}


def _withdraw_never_tried(turn: Turn) -> None:
    """PINs that stopped being wanted before they were ever sent leave no trace on the lock."""
    at = now()
    for pin in [*turn.pins(), *turn.dropped]:
        if never_tried(pin, at):
            closed = Pin.Status.REMOVED if pin.attempts else Pin.Status.WITHDRAWN
            turn.note(pin, status=closed, removed_at=now() if pin.attempts else None, next_attempt_at=None)


def _health_in_doubt(turn: Turn) -> bool:
    device = turn.device
    return device.online != Device.Online.YES or device.failures > 0 or device.hub.down_since is not None


def _full_read_due(turn: Turn) -> bool:
    device = turn.device
    return device.read_wanted or device.read_at is None or device.read_at + FULL_READ_EVERY <= now()


def _ask_health(turn: Turn) -> Steps[None]:
    health: Health = yield from turn.ask("health")
    if not health.online:
        raise Silence(Pin.Trouble.OFFLINE)
    turn.note_online(True)
    if health.battery is not None and health.battery != turn.device.battery:
        was = turn.device.battery
        turn.note_lock(battery=health.battery)
        if health.battery <= BATTERY_LOW and (was is None or was > BATTERY_LOW):
            turn.record(Event.Type.DEVICE_LOW_BATTERY, battery=health.battery)


def _answered(turn: Turn) -> None:
    turn.answered_at = now()
    turn.note_online(True)
    silent_before = turn.device.failures or turn.device.trouble in (Pin.Trouble.OFFLINE, Pin.Trouble.NO_ANSWER)
    if silent_before and not turn.troubled:
        turn.note_lock(trouble="", trouble_count=0, trouble_since=None)
    if turn.device.failures:
        turn.note_lock(failures=0)
    turn.hub_answers = True


def _fell_silent(turn: Turn, ended_by: Silence) -> Steps[None]:
    """Whose silence is it? Ask for the lock's health once; then let lock or hub rest, longer each time."""
    try:
        if ended_by.hub:
            raise ended_by
        health: Health = yield from turn.ask("health")
        online = health.online
    except TurnOver:
        online = turn.device.online == Device.Online.YES
    except Silence as silent:
        online = False
        if silent.hub:
            _hub_is_down(turn)
        turn.hub_answers = not silent.hub
    else:
        turn.answered_at = now() if online else None
        turn.hub_answers = True
    turn.went_wrong(ended_by.trouble if online else Pin.Trouble.OFFLINE)
    turn.note_online(online)
    turn.note_lock(failures=turn.device.failures + 1)


def _hub_is_down(turn: Turn) -> None:
    """Nothing behind this hub can answer: one probe at a time stands for all of its locks."""
    at = now()
    with transaction.atomic():
        turn.lease.hold()
        hub = Hub.objects.select_for_update().get(pk=turn.device.hub_id)
        rest = silence(hub.probes + 1, guest_waits=True)
        Hub.objects.filter(pk=hub.pk).update(down_since=hub.down_since or at, probes=hub.probes + 1, probe_at=at + rest)


def _hub_is_up(turn: Turn) -> None:
    """The hub spoke, if only of this one lock: the others behind it are due at once."""
    down = Hub.objects.filter(pk=turn.device.hub_id, down_since__isnull=False)
    with transaction.atomic():
        turn.lease.hold()
        came_back = down.update(down_since=None, probe_at=None, probes=0)
    if came_back:
        Device.objects.filter(hub=turn.device.hub_id, failures__gt=0).exclude(pk=turn.device.pk).update(
            next_sync_at=now()
        )


def _finish_removal(turn: Turn) -> None:
    """A lock that is being removed is removed once nothing of ours is left on it."""
    with transaction.atomic():
        if turn.lease.hold().removal != Device.Removal.REMOVING:  # it may have been added again meanwhile
            return
        if not Pin.objects.filter(device=turn.device, status__in=MAYBE_ON_LOCK).exists():
            turn.note_lock(removal=Device.Removal.REMOVED, removed_at=now())
            turn.record(Event.Type.DEVICE_REMOVED)
