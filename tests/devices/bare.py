"""Locks without a pool, so that a guest's PIN is all there is. Import the fixtures to have them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from codes.services import change_code
from devices.models import Device, Hub, Property
from tests import factories
from tests.engine import own


@pytest.fixture
def make(place: Property, hub: Hub):
    """Locks without a pool, so that a guest's PIN is all there is."""

    def lock(caps=factories.MODERN, **changes) -> Device:
        return factories.DeviceFactory(property=place, hub=hub, caps=replace(caps, backup_pool=False, **changes))

    return lock


@pytest.fixture
def device(make) -> Device:
    return make()


def digits(code) -> str:
    return own(code).secret.reveal()


def extend(code, **by: float) -> None:
    code.refresh_from_db()
    change_code(code, name=code.name, starts_at=code.starts_at, ends_at=code.ends_at + timedelta(**by))
