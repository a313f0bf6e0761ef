"""What every test may ask for: the standing cast, a lock that is really there (simulated), a clock that moves."""

import os
from collections.abc import Iterator

import pytest
from django.test import Client

from devices.models import Device, Hub, Property, SimulatedLock
from devices.providers.shared_connection import disconnect
from portal.models import Membership, User, Workspace
from tests import factories
from tests.digits import random_pins_are_none_of_ours

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in the test's thread


@pytest.fixture(autouse=True, scope="session")
def _no_pin_by_chance() -> Iterator[None]:
    with random_pins_are_none_of_ours():
        yield


@pytest.fixture(autouse=True)
def _no_connection_left_behind() -> Iterator[None]:
    """The connection that threads share outlives a test, the test's database does not."""
    yield
    disconnect()


@pytest.fixture
def workspace(db: None) -> Workspace:
    return factories.WorkspaceFactory(name="Lakeview Stays")


@pytest.fixture
def alice(workspace: Workspace) -> User:
    """Owner of the workspace."""
    return factories.MembershipFactory(workspace=workspace, user__name="Alice", role=Membership.Role.OWNER).user


@pytest.fixture
def bob(workspace: Workspace) -> User:
    """Alice's team-mate, a manager."""
    return factories.MembershipFactory(workspace=workspace, user__name="Bob", role=Membership.Role.MANAGER).user


@pytest.fixture
def nina(workspace: Workspace) -> User:
    """Night staff in Alice's workspace."""
    return factories.MembershipFactory(workspace=workspace, user__name="Nina", role=Membership.Role.NIGHT).user


@pytest.fixture
def vera(workspace: Workspace) -> User:
    """A viewer in Alice's workspace."""
    return factories.MembershipFactory(workspace=workspace, user__name="Vera", role=Membership.Role.VIEWER).user


@pytest.fixture
def charlie(db: None) -> User:
    """An outsider: owner of another workspace."""
    return factories.MembershipFactory(
        workspace__name="Elsewhere", user__name="Charlie", role=Membership.Role.OWNER
    ).user


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    """A browser in which Alice is signed in."""
    client.force_login(alice)
    return client


@pytest.fixture
def place(workspace: Workspace) -> Property:
    return factories.PropertyFactory(workspace=workspace, name="Lakeview Cottage")


@pytest.fixture
def hub(workspace: Workspace) -> Hub:
    return factories.HubFactory(workspace=workspace)


@pytest.fixture
def device(place: Property, hub: Hub) -> Device:
    """Alice's lock: 30 slots, own schedules, digits can be read back; its simulated twin holds the truth."""
    return factories.DeviceFactory(property=place, hub=hub, name="Front door")


@pytest.fixture
def lock(device: Device) -> SimulatedLock:
    """The truth behind `device`."""
    return SimulatedLock.objects.get(hub=device.hub, lock_ref=device.lock_ref)
