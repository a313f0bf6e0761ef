"""Filling a seeded lock: what the portal believes of it and what is truly on it, always the same.

The only place but the simulator itself that writes a simulated lock's truth.
"""

import secrets
import uuid
from datetime import datetime, timedelta
from itertools import count

from django.conf import settings

from backups.models import BackupCode, BackupPool
from codes.models import AccessCode, CodePin
from codes.own_pin import label_for
from codes.schedule import AFTER_CHANGE, give_up_at, leads_of, program_at
from devices import pins
from devices.models import Device, Event, Pin, SimulatedLock
from devices.providers.base import ALWAYS, Addressing, ReadBack, Window
from devices.providers.simulated_lock import capabilities_of, stored
from portal.secret import Secret

BOOKED = timedelta(days=12)  # before check-in
HELD = timedelta(days=30)  # so long the portal has had the lock


class Filling:
    """One lock while it is being filled. Ends with `done()`."""

    def __init__(self, device: Device, truth: SimulatedLock, at: datetime) -> None:
        self.device, self.truth, self.at = device, truth, at
        self.caps = capabilities_of(truth)
        self.events: list[Event] = []
        self._numbers = count(self.caps.first_slot)
        self._code_ids = iter(secrets.SystemRandom().sample(range(0x1000, 0x10000), 10))
        self._seen_at = device.read_at or at
        self.log(Event.Type.DEVICE_ADDED, at - HELD)

    def done(self) -> None:
        self.truth.save(update_fields=["codes", "next_code_id"])
        Event.objects.bulk_create(sorted(self.events, key=lambda event: event.at))

    def log(self, type: Event.Type, at: datetime, code: AccessCode | None = None, **data: object) -> None:
        names = {"name": code.name} if code else {}
        self.events.append(
            Event(
                workspace_id=self.device.property.workspace_id,
                device=self.device,
                type=type,
                at=min(at, self.at),
                subject=code.pk if code else None,
                data={**names, **data},
            )
        )

    # Guests

    def guest(self, name: str, starts: datetime, ends: datetime) -> None:
        """A stay: over, on the lock already, or still to be put there."""
        if ends <= self.at:
            self._past(name, starts, ends)
        elif starts - leads_of(self.device).programming <= self.at:
            self._set(name, starts, ends)
        else:
            self._planned(name, starts, ends)

    def ongoing(self, name: str) -> None:
        """Somebody whose code is on the lock for good."""
        self._set(name, None, None)

    def covered(self, name: str, starts: datetime, ends: datetime, *, booked: datetime) -> None:
        """A stay booked at the last minute, whose own PIN never got through: it has a backup, not replaced yet."""
        pulled_at = booked + AFTER_CHANGE
        code = self._code(name, starts, ends, booked=booked)
        own = self._pin(label_for(code), starts, ends, wanted=Pin.Wanted.ABSENT, status=Pin.Status.WITHDRAWN)
        self._give(code, own, CodePin.Role.OWN)
        position = self._pool.codes.spare().count() + 1
        backup = self._spare(position, drawn_at=pulled_at)
        Pin.objects.filter(pk=backup.pin_id).update(priority=Pin.Priority.PERSON, wanted_from=starts, wanted_until=ends)
        self._give(code, backup.pin, CodePin.Role.BACKUP, given_at=pulled_at)
        self._spare(position, ready=False)
        self.log(
            Event.Type.BACKUP_PULLED,
            pulled_at,
            code,
            backup=backup.code_id,
            reason=Pin.Trouble.OFFLINE,
            tries=0,
        )

    def _past(self, name: str, starts: datetime, ends: datetime) -> None:
        gone_at = ends + timedelta(seconds=40)
        code = self._code(name, starts, ends)
        code.ended_at = ends
        code.save(update_fields=["ended_at"])
        pin = self._pin(label_for(code), starts, ends, wanted=Pin.Wanted.ABSENT, status=Pin.Status.REMOVED)
        Pin.objects.filter(pk=pin.pk).update(removed_at=gone_at, attempts=1)
        self._give(code, pin, CodePin.Role.OWN, ended_at=ends)
        self.log(Event.Type.CODE_REMOVED, gone_at, code, role=CodePin.Role.OWN)

    def _set(self, name: str, starts: datetime | None, ends: datetime | None) -> None:
        code = self._code(name, starts, ends)
        pin = self._pin(label_for(code), starts, ends)
        programmed = program_at(leads_of(self.device), starts)
        since = max(programmed, code.changed_at) if programmed else code.changed_at
        self._put(pin, Window(starts, ends), max(since, self._seen_at))
        self._give(code, pin, CodePin.Role.OWN)
        sent = Pin.objects.filter(pk=pin.pk, status=Pin.Status.SENT).exists()
        self.log(Event.Type.CODE_SET, since, code, tries=1, sent=sent)

    def _planned(self, name: str, starts: datetime, ends: datetime) -> None:
        leads = leads_of(self.device)
        code = self._code(name, starts, ends)
        pin = self._pin(label_for(code), starts, ends)
        Pin.objects.filter(pk=pin.pk).update(
            program_at=program_at(leads, starts), give_up_at=give_up_at(leads, starts, code.changed_at)
        )
        self._give(code, pin, CodePin.Role.OWN)

    # The lock itself

    def trouble(self, trouble: Pin.Trouble, since: datetime, *, times: int) -> None:
        """The lock has been silent since then."""
        Device.objects.filter(pk=self.device.pk).update(
            online=Device.Online.NO,
            online_since=since,
            failures=times,
            trouble=trouble,
            trouble_count=times,
            trouble_since=since,
        )

    def stranger(self) -> None:
        """A code that somebody else put on the lock."""
        place = self._place()
        secret = pins.pick(self.device)
        self.truth.codes[place] = stored(self.caps, secret, "", ALWAYS)
        number: str | int = int(place) if self.caps.addressing is Addressing.SLOT else place
        Device.objects.filter(pk=self.device.pk).update(unmanaged=[number])
        self.log(Event.Type.UNMANAGED_FOUND, self.at - timedelta(days=20), place=place)

    # The pool

    def pool(self, ready: int) -> None:
        """The lock's pool, with so many spares on the lock."""
        begun = self.at - HELD
        filled = begun + timedelta(seconds=20) if ready > 1 else None
        self._pool = BackupPool.objects.create(device=self.device, activated_at=begun, filled_at=filled)
        self.log(Event.Type.POOL_ACTIVATED, begun)
        for position in range(1, ready + 1):
            self._spare(position)

    def _spare(self, position: int, *, drawn_at: datetime | None = None, ready: bool = True) -> BackupCode:
        code_id = f"{next(self._code_ids):X}"
        label = f"Backup {code_id} ({settings.BACKUP_BRAND})"
        pin = self._pin(label, None, None, priority=Pin.Priority.SPARE)
        if ready:
            confirmed = self._seen_at - timedelta(minutes=9 * position)
            self._put(pin, ALWAYS, confirmed)
        return BackupCode.objects.create(
            pool=self._pool, pin=pin, code_id=code_id, position=position, drawn_at=drawn_at
        )

    # Rows and truth

    def _code(
        self, name: str, starts: datetime | None, ends: datetime | None, booked: datetime | None = None
    ) -> AccessCode:
        booked = booked or self._usually_booked(starts)
        code = AccessCode.objects.create(
            device=self.device,
            name=name,
            booking_reference=self._reference(name, starts) if starts else "",
            kind=AccessCode.Kind.TIME_BOUND if starts else AccessCode.Kind.ONGOING,
            starts_at=starts,
            ends_at=ends,
            changed_at=booked,
        )
        AccessCode.objects.filter(pk=code.pk).update(created_at=booked)
        self.log(Event.Type.CODE_CREATED, booked, code)
        return code

    def _reference(self, name: str, starts: datetime) -> str:
        """One booking at one property has one reference, however many doors."""
        booking = uuid.uuid5(self.device.property_id, f"{name} {starts.isoformat()}")
        return f"HM{booking.hex[:6].upper()}"

    def _usually_booked(self, starts: datetime | None) -> datetime:
        return min(starts - BOOKED, self.at - timedelta(days=1)) if starts else self.at - HELD / 2

    def _pin(
        self,
        label: str,
        starts: datetime | None,
        ends: datetime | None,
        *,
        wanted: Pin.Wanted = Pin.Wanted.PRESENT,
        status: Pin.Status = Pin.Status.PLANNED,
        priority: Pin.Priority = Pin.Priority.PERSON,
    ) -> Pin:
        secret: Secret = pins.pick(self.device)
        return Pin.objects.create(
            device=self.device,
            secret=secret,
            digest=pins.digest_of(self.device, secret),
            label=label,
            priority=priority,
            wanted=wanted,
            wanted_from=starts,
            wanted_until=ends,
            status=status,
        )

    def _put(self, pin: Pin, window: Window, at: datetime) -> None:
        """On the lock, and known to be there."""
        place = self._place()
        self.truth.codes[place] = stored(self.caps, pin.secret, pin.label, window)
        seen = window if self.caps.native_schedules else ALWAYS
        by_slot = self.caps.addressing is Addressing.SLOT
        read = self.caps.read_back is not ReadBack.NONE
        Pin.objects.filter(pk=pin.pk).update(
            status=Pin.Status.SET if read else Pin.Status.SENT,
            slot=int(place) if by_slot else None,
            code_id="" if by_slot else place,
            seen_from=seen.starts_at,
            seen_until=seen.ends_at,
            confirmed_at=at if read else None,
            attempts=1,
        )

    def _place(self) -> str:
        number = next(self._numbers)
        if self.caps.addressing is Addressing.SLOT:
            return str(number)
        self.truth.next_code_id = number + 1
        return f"code-{number}"

    def _give(
        self,
        code: AccessCode,
        pin: Pin,
        role: CodePin.Role,
        *,
        given_at: datetime | None = None,
        ended_at: datetime | None = None,
    ) -> None:
        CodePin.objects.create(code=code, pin=pin, role=role, given_at=given_at or code.changed_at, ended_at=ended_at)
