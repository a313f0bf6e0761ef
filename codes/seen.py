"""What a change on the lock means for the people who hold a PIN there.

`seen(pin)` runs inside the transaction in which the engine wrote the change: a spare that becomes ready covers the most
urgent guest in that same transaction, and a lock that refuses a guest's PIN leaves no moment without an answer.
"""

from datetime import datetime

from django.db.models import BigIntegerField

from backups.models import BackupCode
from backups.services import refill, spare_seen
from codes.change_pin import next_seen
from codes.cover import NOT_THERE, cover, cover_next, current
from codes.models import AccessCode, CodePin
from codes.own_pin import MOST_TRIES, replace_own_pin
from codes.schedule import after_refusal, give_up_at, leads_of
from devices.activity import record
from devices.models import Event, Pin
from devices.programming.turn import LOCK
from portal.clock import now
from portal.context import about
from portal.prepared import Given, Prepared

T = Event.Type
GIVEN = Prepared(lambda: CodePin.objects.select_related("code").filter(pin=Given("pin", BigIntegerField())))
SPARE = Prepared(
    lambda: BackupCode.objects.select_related("pool__device__property", "pin").filter(
        pin=Given("pin", BigIntegerField())
    )
)
ABOUT_SETTING = {T.CODE_CREATED, T.CODE_CHANGED, T.CODE_PIN_CHANGED, T.CODE_RETRIED, T.CODE_SET, T.CODE_DELAYED}


def seen(pin: Pin) -> None:
    """A PIN's status or window changed on the lock. Of the intent to write a person's PIN nobody tells."""
    for given in GIVEN(pin=pin.pk):
        given.pin, given.code.device = pin, pin.device
        with about(code=given.code_id):
            _guest_pin_seen(given)
        return
    for spare in SPARE(pin=pin.pk):
        spare_seen(spare)
        if pin.status == Pin.Status.SET and spare.drawn_at is None and spare.retired_at is None:
            cover_next(spare.pool.device)


def _guest_pin_seen(given: CodePin) -> None:
    code, pin = given.code, given.pin
    if pin.status == Pin.Status.REMOVED:
        if code.ended_at is not None:
            record(code.device, Event.Type.CODE_REMOVED, subject=code.pk, name=code.name, role=given.role)
        return
    if code.ended_at is not None or given.ended_at is not None or pin.wanted != Pin.Wanted.PRESENT:
        return
    if not pin.confirmed:  # what is planned anew now is planned by the settings of now, not of when the turn began
        (code.device,) = LOCK(pk=code.device_id)
    if pin.trouble == Pin.Trouble.FULL and not pin.maybe_on_lock:
        refill(code.device, wake=False)  # spares above what the lock has room for make way
    if given.role == CodePin.Role.BACKUP:
        _backup_seen(given)
    elif given.role == CodePin.Role.NEXT:
        next_seen(given)
    else:
        _own_seen(given)


def _backup_seen(given: CodePin) -> None:
    """A guest's backup is there; or gone or refused: then it is another one's turn, for a stay that runs at once."""
    code, pin = given.code, given.pin
    if pin.confirmed:
        _needs_no_deadline(pin)
        AccessCode.objects.filter(pk=code.pk).update(uncovered_since=None)
    elif pin.status in NOT_THERE and (_staying(code) or pin.status == Pin.Status.REFUSED):
        if cover(code, wake=False) is None:  # none ready: the engine goes on putting this one back
            Pin.objects.filter(pk=pin.pk, give_up_at=None).update(give_up_at=now())
    elif pin.status in NOT_THERE:
        _set_deadline(given, code.starts_at)


def _own_seen(given: CodePin) -> None:
    pin = given.pin
    if pin.confirmed:
        _own_is_set(given)
    elif pin.status == Pin.Status.REFUSED:
        _own_was_refused(given)
    elif pin.status == Pin.Status.GONE:
        _own_is_gone(given)
    elif pin.status == Pin.Status.SET:
        _set_deadline(given, pin.seen_until or given.code.starts_at)  # somebody cut its window on the lock
    elif pin.status != Pin.Status.WRITING:
        _set_deadline(given, given.code.starts_at)
        _told_of_trouble(given)


def _told_of_trouble(given: CodePin) -> None:
    """The first of several tries that fail for one reason stands in the code's history."""
    code, pin = given.code, given.pin
    if not pin.trouble:
        return
    latest = Event.objects.filter(subject=code.pk, type__in=ABOUT_SETTING).order_by("-at", "-pk").first()
    if latest is None or latest.type != T.CODE_DELAYED or latest.data.get("reason") != pin.trouble:
        tries = pin.attempts
        record(code.device, T.CODE_DELAYED, subject=code.pk, name=code.name, reason=pin.trouble, tries=tries)


def _set_deadline(given: CodePin, needed_at: datetime | None) -> None:
    """A PIN that was confirmed and is not any more is given up one day, too."""
    due = give_up_at(leads_of(given.code.device), needed_at if given.code.time_bound else None, now())
    Pin.objects.filter(pk=given.pin_id, give_up_at=None).update(give_up_at=due)


def _needs_no_deadline(pin: Pin) -> None:
    """It is there. The turn goes on with this very row."""
    if pin.give_up_at is not None:
        Pin.objects.filter(pk=pin.pk).update(give_up_at=None)
        pin.give_up_at = None


def _own_is_set(given: CodePin) -> None:
    code, pin = given.code, given.pin
    _needs_no_deadline(pin)
    if code.uncovered_since is not None or code.failed_at is not None:
        AccessCode.objects.filter(pk=code.pk).update(uncovered_since=None, failed_at=None)
    sent = pin.status == Pin.Status.SENT
    record(code.device, Event.Type.CODE_SET, subject=code.pk, name=code.name, tries=pin.attempts, sent=sent)


def _own_was_refused(given: CodePin) -> None:
    """Other digits may do, three at most, if the digits are ours to choose. Else it is a backup's turn."""
    code, pin = given.code, given.pin
    at = now()
    worth_it = pin.trouble != Pin.Trouble.UNSUPPORTED and not code.pin_chosen
    tried = code.code_pins.filter(role=CodePin.Role.OWN, given_at__gte=code.changed_at).count()
    if worth_it and tried < MOST_TRIES and replace_own_pin(code, given):
        return
    AccessCode.objects.filter(pk=code.pk, failed_at=None).update(failed_at=at)
    record(code.device, Event.Type.CODE_FAILED, subject=code.pk, name=code.name, reason=pin.trouble, tries=tried)
    if code.starts_at is None:
        return
    due = after_refusal(leads_of(code.device), code.starts_at, at)
    Pin.objects.filter(pk=pin.pk).update(give_up_at=due)
    if due <= at:
        cover(code, wake=False)


def _own_is_gone(given: CodePin) -> None:
    """Somebody took it off the lock. The engine puts it back; a guest who is staying gets a backup meanwhile."""
    code, pin = given.code, given.pin
    if _staying(code) and current(code, CodePin.Role.BACKUP) is None:
        covered = cover(code, wake=False)
        if covered:  # a guest who may hold these digits gets them back as well
            Pin.objects.filter(pk=pin.pk, wanted=Pin.Wanted.TOLERATED).update(wanted=Pin.Wanted.PRESENT)
    else:
        _set_deadline(given, code.starts_at)


def _staying(code: AccessCode) -> bool:
    return code.starts_at is not None and code.starts_at <= now()
