"""What the tests of locks may ask for besides."""

import pytest

from devices.providers.base import Slot
from tests.devices.rig import Rig


@pytest.fixture
def rig(db: None) -> Rig:
    """A lock that holds 7391 in slot 3."""
    rig = Rig()
    rig.put(Slot(3), "7391")
    return rig
