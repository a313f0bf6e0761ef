"""A hub is only where staff allow one to be, whatever a manager types and whatever a name means by then."""

import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from devices.hub_address import allowed, check, open_socket
from devices.models import Hub
from devices.providers.base import HubUnreachable
from devices.providers.registry import provider_for


@pytest.fixture(autouse=True)
def _networks(settings: Settings) -> None:
    settings.HUB_NETWORKS = [ip_network("192.168.1.0/24"), ip_network("fd00::/8")]


@pytest.fixture
def heard() -> Iterator[tuple[int, list[str]]]:
    """A server on this machine that nobody is to speak to: its port, and who came."""
    came: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        stop = threading.Event()

        def listen() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                came.append("came")
                connection.close()

        listening = threading.Thread(target=listen)
        listening.start()
        yield server.getsockname()[1], came
        stop.set()
        listening.join()


@pytest.mark.parametrize("ip", ["192.168.1.7", "fd00::7"])
def test_what_staff_allow(ip: str) -> None:
    assert allowed(ip)


@pytest.mark.parametrize(
    "ip", ["127.0.0.1", "169.254.169.254", "192.168.2.7", "10.0.0.1", "::1", "::ffff:192.168.2.7", "0.0.0.1", "name"]
)
def test_and_nothing_else(ip: str) -> None:
    assert not allowed(ip)


@pytest.mark.parametrize("address", ["ws://192.168.1.7:3000", "wss://hub.example:3000", "ws://[fd00::7]:3000"])
def test_an_address_that_may_be_one(address: str) -> None:
    check(address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://192.168.1.7", "like ws://"),
        ("file:///etc/passwd", "like ws://"),
        ("ws://", "like ws://"),
        ("ws://192.168.1.7:port", "like ws://"),
        ("ws://[fd00", "like ws://"),
        ("ws://me:secret@192.168.1.7:3000", "before the @"),
        ("ws://127.0.0.1:5432", "Ask its staff"),
        ("ws://169.254.169.254/latest/", "Ask its staff"),
        ("ws://[::1]:3000", "Ask its staff"),
    ],
)
def test_an_address_that_is_none_says_what_to_do(address: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        check(address)


def test_no_socket_is_made_to_anywhere_else() -> None:
    there = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 3000))
    with pytest.raises(PermissionError):
        open_socket(there)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "127.1", "0x7f000001"])
def test_the_provider_never_reaches_what_is_not_allowed(heard: tuple[int, list[str]], host: str) -> None:
    port, came = heard
    hub = Hub(provider=Hub.Provider.ZWAVE, address=f"ws://{host}:{port}")
    with pytest.raises(HubUnreachable):
        provider_for(hub).discover(deadline=3)
    assert not came


def test_it_would_have_been_reached(heard: tuple[int, list[str]], settings: Settings) -> None:
    settings.HUB_NETWORKS = [ip_network("127.0.0.0/8")]
    port, came = heard
    with pytest.raises(HubUnreachable):
        provider_for(Hub(provider=Hub.Provider.ZWAVE, address=f"ws://127.0.0.1:{port}")).discover(deadline=3)
    assert came
