"""One suite, two worlds. Z-Wave's network is the one of tests/zwave."""

import pytest

from devices.models import Property
from tests.conformance.doors import KINDS, NODES, Door, on_the_air, simulated
from tests.zwave.conftest import network, packages, running_network

__all__ = ["network", "packages", "running_network"]

SLOTS, SCHEDULES, _, CODE_IDS = KINDS
WORLDS = [SLOTS, SCHEDULES, CODE_IDS, *(pytest.param(kind, marks=pytest.mark.zwave) for kind in NODES)]


@pytest.fixture(params=WORLDS)
def door(request: pytest.FixtureRequest, place: Property) -> Door:
    if request.param in KINDS:
        return simulated(place, request.param)
    return on_the_air(place, request.getfixturevalue("network"), request.param)
