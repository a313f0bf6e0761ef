"""The connection to the Z-Wave server: bounded in time, made anew after a failure, one per process, silent in logs."""

import logging
import os
import signal
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from devices.providers.base import ALWAYS, HubUnreachable, NoAnswer, Result, Seen, Slot
from devices.providers.zwave import ZwaveProvider
from devices.providers.zwave_link import ALIVE_DEADLINE, GRACE
from portal.secret import Secret
from tests.zwave.mocknet import HOME, Network

LOCK = f"{HOME}-2"
NOWHERE = "ws://127.0.0.1:9"


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def put(provider: ZwaveProvider, deadline: float) -> Result:
    return provider.put(LOCK, Slot(2), Secret("4711"), "Guest", ALWAYS, deadline=deadline).result


def eventually(network: Network, codes: dict[int, str]) -> bool:
    ends = time.monotonic() + 10
    while network.codes(2) != codes and time.monotonic() < ends:
        time.sleep(0.05)
    return network.codes(2) == codes


@pytest.mark.parametrize(
    "address",
    [
        "",
        "127.0.0.1:3000",
        "http://127.0.0.1:3000",
        "ws://",
        "ws:///path",
        "ws://host:port",
        "ws://host:99999",
        "ftp://host",
    ],
)
def test_only_a_websocket_address_is_taken(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        ZwaveProvider(address)


@pytest.mark.parametrize("address", ["ws://127.0.0.1:3000", "wss://zwave.example.org/socket", " ws://[::1]:3000 "])
def test_websocket_addresses_are_taken_without_connecting(address: str) -> None:
    assert ZwaveProvider(address)


def test_a_hub_that_is_not_there_is_unreachable() -> None:
    provider = ZwaveProvider(NOWHERE)
    with at_most(3):
        with pytest.raises(HubUnreachable):
            provider.discover(deadline=10)
        assert put(provider, 10) == Result.UNREACHABLE
        assert provider.read(LOCK, Slot(2), deadline=10).seen == Seen.NO_ANSWER


def test_a_write_that_times_out_is_unknown_and_may_land_late(provider: ZwaveProvider, network: Network) -> None:
    network.fault(2, None, delayMs=1500)
    with at_most(0.5 + GRACE):
        assert put(provider, 0.5) == Result.UNKNOWN
    assert network.codes(2) == {}
    assert eventually(network, {2: "4711"})


def test_reads_are_bounded_too(provider: ZwaveProvider, network: Network) -> None:
    network.fault(2, None, delayMs=1500)
    with at_most(2 * 0.3 + GRACE):
        assert provider.read(LOCK, Slot(2), deadline=0.3).seen == Seen.NO_ANSWER
        with pytest.raises(NoAnswer):
            provider.read_all(LOCK, deadline=0.3)


def test_a_lock_counted_dead_is_tried_again(provider: ZwaveProvider, network: Network) -> None:
    network.fault(2, "unreachable")
    for _ in range(2):
        assert put(provider, 10) == Result.UNKNOWN
    network.fault(2, None)
    assert put(provider, 10) == Result.CONFIRMED


def test_many_threads_share_one_connection(provider: ZwaveProvider, network: Network) -> None:
    for node in (2, 3, 4, 5):
        network.plant(node, 1, f"{node}{node}11")
    with ThreadPoolExecutor(12) as pool:
        reads = [
            pool.submit(ZwaveProvider(network.url).read, f"{HOME}-{node}", Slot(1), deadline=10)
            for node in (2, 3, 4, 5) * 3
        ]
        pins = [each.result().pin for each in reads]
    assert pins == [Secret(f"{node}{node}11") for node in (2, 3, 4, 5) * 3]


def test_a_forked_child_connects_by_itself(provider: ZwaveProvider, network: Network) -> None:
    provider.health(LOCK, deadline=10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads is what this is about
        child = os.fork()
    if child == 0:
        answered = provider.health(LOCK, deadline=10).online
        os._exit(0 if answered else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert provider.health(LOCK, deadline=10).online


def test_a_server_that_dies_mid_call_leaves_the_write_unknown_and_is_found_again(own_network: Network) -> None:
    provider = ZwaveProvider(own_network.url)
    own_network.fault(2, None, delayMs=5000)
    with ThreadPoolExecutor(2) as pool:
        write = pool.submit(put, provider, 20)
        read = pool.submit(provider.read, LOCK, Slot(3), deadline=20)
        time.sleep(0.7)
        own_network.kill()
        with at_most(3):
            assert write.result() == Result.UNKNOWN
            assert read.result().seen == Seen.NO_ANSWER
    with at_most(3):
        assert put(provider, 10) == Result.UNREACHABLE
        with pytest.raises(HubUnreachable):
            provider.health(LOCK, deadline=10)
    own_network.start()
    assert put(provider, 10) == Result.CONFIRMED
    assert own_network.codes(2) == {2: "4711"}


def test_a_server_that_hangs_is_let_go_and_found_again(own_network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.providers.zwave.KNOWN_FOR", -1)  # nobody has asked lately what the lock can do
    provider = ZwaveProvider(own_network.url)
    assert provider.health(LOCK, deadline=10).online
    os.kill(own_network.pid, signal.SIGSTOP)
    try:
        with at_most(1 + GRACE):
            assert put(provider, 1) == Result.UNREACHABLE  # asked first what the lock can do, so nothing was sent
        time.sleep(ALIVE_DEADLINE + 0.5)  # by then it has failed to say that it is alive
        with at_most(1 + GRACE), pytest.raises(HubUnreachable):
            provider.health(LOCK, deadline=1)
    finally:
        os.kill(own_network.pid, signal.SIGCONT)
    assert provider.health(LOCK, deadline=15).online
    assert provider.read(LOCK, Slot(2), deadline=10).seen == Seen.EMPTY
    assert own_network.codes(2) == {}


def test_no_pin_is_logged_at_any_level(
    provider: ZwaveProvider, network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (None, "zwave_js_server", "aiohttp", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    for node in (2, 5):
        lock = f"{HOME}-{node}"
        provider.put(lock, Slot(2), Secret("471108"), "Guest", ALWAYS, deadline=10)
        provider.read(lock, Slot(2), deadline=10)
        provider.put(lock, Slot(3), Secret("471108 "), "Guest", ALWAYS, deadline=10)
    assert "471108" not in caplog.text
