"""A second host joins: two webs, two clusters, two ticks on one database; then the first one dies. Real processes."""

import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from socket import create_server

import pytest
from django.test import Client

from codes.models import AccessCode
from devices.models import Device, Hub, Pin, SimulatedLock
from portal.models import Membership, User, Workspace
from tests import factories
from tests.engine import guest, own, truth
from tests.running import Running, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]

LOCKS = 8


class Host:
    """One machine's three programs."""

    def __init__(self, folder: Path, name: str) -> None:
        with create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.log = folder / f"{name}.log"
        web = Running("serve", "--bind", f"127.0.0.1:{self.port}", "--workers", "1")
        work = Running("work", log=self.log, QUEUE_LOG_LEVEL="INFO", LOG_LEVEL="INFO")
        self.programs = [web, work, Running("tick")]

    def page(self, path: str, session: str) -> str:
        """The page for the person of this session; "" while it is not served."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        request.add_header("Cookie", f"portal_session={session}")
        with suppress(OSError), urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.read().decode() if answer.status == HTTPStatus.OK else ""
        return ""

    def has_run(self, task: str) -> bool:
        return f"Processed '{task}'" in self.log.read_text()

    def die(self) -> None:
        """The power goes: kill -9 for each program, and no word to anybody."""
        for program in self.programs:
            program.process.kill()

    def stop(self) -> None:
        for program in self.programs:
            program.stop()


@pytest.fixture
def devices(transactional_db: None) -> list[Device]:
    workspace = factories.WorkspaceFactory()
    hub: Hub = factories.HubFactory(workspace=workspace)
    place = factories.PropertyFactory(workspace=workspace)
    return [factories.DeviceFactory(hub=hub, property=place, name=f"Lock {n}") for n in range(LOCKS)]


@pytest.fixture
def session(devices: list[Device]) -> str:
    """Somebody who is signed in."""
    workspace = Workspace.objects.get()
    person: User = factories.MembershipFactory(workspace=workspace, role=Membership.Role.OWNER).user
    client = Client()
    client.force_login(person)
    return client.cookies["portal_session"].value


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Callable[[str], Host]]:
    hosts: list[Host] = []

    def start(name: str) -> Host:
        hosts.append(Host(tmp_path, name))
        return hosts[-1]

    yield start
    for each in hosts:
        each.stop()


def set_on_locks(codes: list[AccessCode]) -> bool:
    return all(own(code).status == Pin.Status.SET for code in codes)


def test_two_hosts_share_the_work_and_one_alone_finishes_it(
    devices: list[Device], session: str, host: Callable[[str], Host]
) -> None:
    first, second = host("first"), host("second")
    wait_for(lambda: all("Lock 3" in each.page("/devices/", session) for each in (first, second)))

    SimulatedLock.objects.update(latency_ms=150)
    codes = [guest(device, f"Guest of {device}") for device in devices]
    wait_for(lambda: set_on_locks(codes))
    wait_for(lambda: first.has_run("codes.tasks.sync_lock") and second.has_run("codes.tasks.sync_lock"))

    late = [guest(device, f"Late guest of {device}") for device in devices]
    wait_for(lambda: any(own(code).status == Pin.Status.WRITING for code in late))
    first.die()
    wait_for(lambda: set_on_locks(late), within=120)  # what the first had in hand waits for its leases to run out
    assert "Lock 3" in second.page("/devices/", session)
    for device in devices:
        digits = list(truth(device).values())
        assert len(digits) == len(set(digits))
    assert not SimulatedLock.objects.exclude(two_writers=0).exists()
