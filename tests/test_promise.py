"""The guest's promise as a property: whatever order bookings, faults, crashes and hours come in.

A state machine drives services, clock, engine and simulated lock together (tests/promise). After every step I1–I11
hold, and: whenever a stay is running and its own PIN was confirmed or a spare was ready, the PIN on the guest's link
opens the lock's own truth; after checkout, once the lock answers, no PIN of that stay opens it.
CI takes 300 in all (20 on SQLite, 280 on PostgreSQL), 3000 are the nightly size: `PROMISE_EXAMPLES`.
"""

import os

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from devices.models import Device
from tests import factories
from tests.engine import fill_pool
from tests.promise.machine import Promise
from tests.promise.world import KINDS, START

EXAMPLES = int(os.environ.get("PROMISE_EXAMPLES", "60"))
STEPS = int(os.environ.get("PROMISE_STEPS", "10"))


@pytest.fixture
def locks(db: None) -> dict[str, Device]:
    """One lock of each kind, with five spares that the real engine put there."""
    with time_machine.travel(START, tick=False):
        locks = {kind: factories.DeviceFactory(caps=caps) for kind, caps in KINDS.items()}
        for device in locks.values():
            assert len(fill_pool(device)) == 5
    return locks


@pytest.mark.timeout(0)  # as long as so many examples take
def test_a_guest_never_stands_outside(locks: dict[str, Device], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Promise, "locks", locks, raising=False)
    run_state_machine_as_test(
        Promise,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # shrinking takes minutes; the steps are printed as they are
            report_multiple_bugs=False,
        ),
    )
