"""Simulated locks in bulk, each with its spares on it, as if the engine had put them there a while ago."""

import random
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from backups.models import BackupCode, BackupPool
from devices.models import Device, Hub, Pin, Property, SimulatedLock
from devices.pins import digest_of
from devices.providers.base import ALWAYS, Addressing, Capabilities, PinRules
from devices.providers.simulated_lock import stored
from portal.models import Membership, User
from portal.secret import Secret
from tests import factories

EIGHT_DIGITS = PinRules(lengths=(8,))  # so that no id or date looks like a PIN
RADIO = replace(factories.PLAIN, pins=EIGHT_DIGITS)
WIFI = replace(factories.MODERN, pins=EIGHT_DIGITS)
CLOUD = replace(factories.CLOUD, pins=EIGHT_DIGITS)
SPARES = 5


def manager() -> User:
    """Somebody who may do everything in a new workspace."""
    user: User = factories.MembershipFactory(role=Membership.Role.OWNER).user
    return user


def hang(
    count: int, *, owner: User, kinds: Sequence[Capabilities] = (RADIO, WIFI, CLOUD), **lock: object
) -> list[Device]:
    """So many locks of these kinds in turn, 16 a hub, with full pools. `lock`: how the simulated ones behave."""
    workspace = owner.memberships.get().workspace
    place = factories.PropertyFactory(workspace=workspace)
    hubs = [factories.HubFactory(workspace=workspace) for _ in range(0, count, 16)]
    return [_hung(hubs[n // 16], place, n, kinds[n % len(kinds)], lock) for n in range(count)]


def _hung(hub: Hub, place: Property, number: int, caps: Capabilities, behaviour: dict[str, object]) -> Device:
    at = timezone.now()
    device = Device.objects.create(
        property=place,
        hub=hub,
        lock_ref=f"storm-{number}",
        name=f"Door {number}",
        capabilities=caps.to_json(),
        online=Device.Online.YES,
        online_since=at,
        battery=80,
        read_wanted=False,
        read_at=at,
        next_sync_at=at + timedelta(hours=6),
    )
    spares = _spares(device, caps, number)
    SimulatedLock.objects.create(
        hub=hub,
        lock_ref=device.lock_ref,
        name=device.name,
        capabilities=caps.to_json(),
        battery=80,
        codes={pin.code_id or str(pin.slot): stored(caps, pin.secret, pin.label, ALWAYS) for pin in spares},
        next_code_id=SPARES + 1,
        **behaviour,
    )
    return device


def _spares(device: Device, caps: Capabilities, number: int) -> list[Pin]:
    at, by_id = timezone.now(), caps.addressing == Addressing.CODE_ID
    pool = BackupPool.objects.create(device=device, activated_at=at - timedelta(days=30), filled_at=at)
    digits = [str(n) for n in random.Random(f"{number} {device.pk}").sample(range(10_000_000, 99_999_999), SPARES)]
    ids = {secrets.token_hex(2).upper() for _ in range(4 * SPARES)}
    pins = Pin.objects.bulk_create(
        Pin(
            device=device,
            secret=Secret(text),
            digest=digest_of(device, Secret(text)),
            label=f"Backup {code_id} (Seam)",
            priority=Pin.Priority.SPARE,
            status=Pin.Status.SET,
            slot=None if by_id else place,
            code_id=f"code-{place}" if by_id else "",
            confirmed_at=at,
            attempts=1,
        )
        for place, (text, code_id) in enumerate(zip(digits, ids, strict=False), 1)
    )
    BackupCode.objects.bulk_create(
        BackupCode(pool=pool, pin=pin, code_id=pin.label.split()[1], position=position)
        for position, pin in enumerate(pins, 1)
    )
    return pins
