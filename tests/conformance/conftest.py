"""One suite, two worlds. Z-Wave's network is the one of tests/zwave."""

import pytest

from devices.models import Property
from tests.conformance.doors import KINDS, NODES, Door, on_the_air, simulated
from tests.zwave.conftest import network, packages, running_network

__all__ = ["network", "packages", "running_network"]

SLOTS, SCHEDULES, _, CODE_IDS = KINDS
USER_CODE, *OTHER_NODES = NODES
BASIC = {"test_set", "test_remove"}  # operations that every kind of Z-Wave lock is put through


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "door" in metafunc.fixturenames:
        nodes = [USER_CODE, *(OTHER_NODES if metafunc.function.__name__ in BASIC else [])]
        on_air = [pytest.param(node, marks=pytest.mark.zwave) for node in nodes]
        metafunc.parametrize("door", [SLOTS, SCHEDULES, CODE_IDS, *on_air], indirect=True)


@pytest.fixture
def door(request: pytest.FixtureRequest, place: Property) -> Door:
    if request.param in KINDS:
        return simulated(place, request.param)
    return on_the_air(place, request.getfixturevalue("network"), request.param)
