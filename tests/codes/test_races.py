"""Tick, turns and people all at once on the same locks: nobody deadlocks, and the promises hold."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from backups.models import BackupCode
from backups.services import refill
from codes.models import AccessCode, CodePin
from codes.services import cancel_code, change_code, pull_backup, reveal
from codes.tick import sweep, tick
from devices.models import Device, Pin, SimulatedLock
from devices.services import check_lock
from portal.models import User
from tests import factories
from tests.engine import guest, truth, turn

ROUNDS = 12


def people(dice: random.Random, device: Device, alice: User) -> None:
    code = dice.choice([*AccessCode.objects.filter(device=device), None])
    wish = dice.choice(["add", "move", "cancel", "pull", "reveal", "check", "fault"])
    if wish == "fault":
        SimulatedLock.objects.filter(lock_ref=device.lock_ref).update(fault=dice.choice(["", "reject_set", "full"]))
    elif wish == "check":
        check_lock(device, actor=alice)
    elif wish == "add" or code is None:
        guest(device)
    elif wish == "move":
        change_code(code, name=code.name, starts_at=code.starts_at, ends_at=code.ends_at + timedelta(days=1))
    elif wish == "cancel":
        cancel_code(code, actor=alice)
    elif wish == "pull":
        pull_backup(code, actor=alice)
    else:
        reveal(code, actor=alice)


@pytest.mark.django_db(transaction=True)
def test_eight_threads_on_two_locks(alice: User) -> None:
    devices = factories.DeviceFactory.create_batch(2)
    for device in devices:
        refill(device)

    def work(number: int) -> None:
        dice = random.Random(number)
        try:
            for _ in range(ROUNDS):
                device = Device.objects.get(pk=dice.choice(devices).pk)
                if number == 0:
                    tick()
                    sweep()
                elif number < 4:
                    turn(device)
                else:
                    try:
                        people(dice, device, alice)
                    except ValidationError:
                        continue
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))  # an error, a deadlock among them, is raised here

    given = list(CodePin.objects.values_list("pin", flat=True))
    assert len(given) == len(set(given))
    assert not CodePin.objects.filter(role="backup", pin__backup_code__drawn_at=None).exists()
    assert all(BackupCode.objects.spare().filter(pool__device=device).count() <= 5 for device in devices)
    ended = Pin.objects.filter(code_pin__code__ended_at__isnull=False)
    assert not ended.exclude(wanted=Pin.Wanted.ABSENT).exists()
    for device in devices:
        said_set = Pin.objects.filter(device=device, status=Pin.Status.SET)
        assert {pin.secret.reveal() for pin in said_set} <= set(truth(device).values())
    assert not SimulatedLock.objects.filter(two_writers__gt=0).exists()
