"""The way to a Z-Wave JS server: one event loop in one thread per process, one lasting connection per server.

Callers are plain threads; each call carries its own deadline, kept twice: by the loop, and by the waiting thread in
case the loop itself is stuck. After a fork the child starts with a loop and connections of its own.
"""

import asyncio
import atexit
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress

import aiohttp
from zwave_js_server.client import Client
from zwave_js_server.exceptions import BaseZwaveJSServerError, FailedCommand, FailedZWaveCommand
from zwave_js_server.model.driver import Driver

from devices.hub_address import open_socket
from devices.providers.base import HubUnreachable, NoAnswer

CONNECT_DEADLINE, ALIVE_DEADLINE = (
    10.0,
    3.0,
)  # seconds; a large network sends its whole state when a client starts to listen
GRACE = 2.0  # seconds a thread waits beyond its deadline for the loop to give up by itself
NOT_ACKNOWLEDGED, DROPPED = 204, 202  # zwave-js: the node is out of reach; it was, so this was not tried any more


class DriverRefused(Exception):
    """The driver answered with an error. Carries its number alone: zwave-js repeats rejected arguments in its texts."""

    def __init__(self, code: int | str) -> None:
        super().__init__(f"Z-Wave JS error {code}")
        self.code = code

    @property
    def out_of_reach(self) -> bool:
        return self.code in (NOT_ACKNOWLEDGED, DROPPED)


class _NoWireTraffic(logging.Filter):
    """The client library logs every message at DEBUG, PINs and all. Nothing below INFO gets out, whatever the level."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.INFO


for _name in ("zwave_js_server", "zwave_js_server.event", "zwave_js_server.server"):
    logging.getLogger(_name).addFilter(_NoWireTraffic())


async def heard[T](answer: Awaitable[T]) -> T:
    """Await the client library, whose failures become DriverRefused or NoAnswer.

    A server that dies while we wait cancels the wait (asyncio.CancelledError), as our own deadline does: only the
    latter is passed on.
    """
    try:
        return await answer
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise NoAnswer("The connection to the Z-Wave server broke off.") from None
    except FailedZWaveCommand as failed:
        raise DriverRefused(failed.zwave_error_code) from None
    except FailedCommand as failed:
        raise DriverRefused(failed.error_code) from None
    except (BaseZwaveJSServerError, aiohttp.ClientError, OSError):
        raise NoAnswer("The connection to the Z-Wave server broke off.") from None
    except (AssertionError, KeyError, ValueError):
        raise NoAnswer("The Z-Wave server's answer makes no sense.") from None


class Link:
    """One server. Connects when it is first needed, and again when the connection was lost."""

    def __init__(self, address: str, loop: asyncio.AbstractEventLoop) -> None:
        self._address = address
        self._loop = loop
        self._client: Client | None = None
        self._listening: asyncio.Task[None] | None = None
        self._connecting: asyncio.Task[Driver] | None = None
        self._probing: asyncio.Task[None] | None = None

    def run[T](self, work: Callable[[Driver], Awaitable[T]], deadline: float) -> T:
        """Do the work on the loop and wait. Raises HubUnreachable when nothing was sent, NoAnswer past the deadline.

        Work that is cut off is cancelled here, not in the driver: what was sent may still be done.
        """
        future = asyncio.run_coroutine_threadsafe(self._within(work, deadline), self._loop)
        try:
            return future.result(deadline + GRACE)
        except (TimeoutError, CancelledError):
            future.cancel()
            raise NoAnswer("The Z-Wave connection is stuck.") from None

    async def close(self) -> None:
        """Let go of the server. The next call connects again."""
        client, listening = self._client, self._listening
        self._client = self._listening = None
        if client is None:
            return
        if listening is not None:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        await client.aiohttp_session.close()

    async def _within[T](self, work: Callable[[Driver], Awaitable[T]], deadline: float) -> T:
        try:
            async with asyncio.timeout(deadline):
                return await work(await self._driver())
        except TimeoutError:
            if self._probing is None or self._probing.done():
                self._probing = asyncio.create_task(self._probe())
            raise NoAnswer(f"No answer within {deadline:g} seconds.") from None

    async def _probe(self) -> None:
        """After a call that timed out: does the server itself still answer? If not, the next call connects anew."""
        client = self._client
        if client is None:
            return
        try:
            async with asyncio.timeout(ALIVE_DEADLINE):
                await heard(client.async_send_command({"command": "driver.get_log_config"}))
        except (TimeoutError, NoAnswer, DriverRefused):
            if client is self._client:
                await self.close()

    async def _driver(self) -> Driver:
        """The connected server's driver. However many calls wait for it, one attempt stands for all."""
        if self._client is not None and self._client.connected and self._client.driver is not None:
            return self._client.driver
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            return await asyncio.shield(self._connecting)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise HubUnreachable("The Z-Wave server does not answer.") from None
            raise HubUnreachable("The connection to the Z-Wave server was given up.") from None

    async def _connect(self) -> Driver:
        await self.close()
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(socket_factory=open_socket))
        try:
            async with asyncio.timeout(CONNECT_DEADLINE):
                client = Client(self._address, session)
                await client.connect()
                ready = asyncio.Event()
                listening = asyncio.create_task(self._listen(client, ready))
                await ready.wait()
        except (TimeoutError, BaseZwaveJSServerError, aiohttp.ClientError, OSError, ValueError, KeyError) as error:
            await session.close()
            raise HubUnreachable(f"The Z-Wave server cannot be reached ({type(error).__name__}).") from None
        if client.driver is None:
            await session.close()
            raise HubUnreachable("The Z-Wave server broke off.")
        self._client, self._listening = client, listening
        return client.driver

    async def _listen(self, client: Client, ready: asyncio.Event) -> None:
        """Receive until the connection ends, then let go of it."""
        try:
            await client.listen(ready)
        except (BaseZwaveJSServerError, aiohttp.ClientError, OSError, ValueError, KeyError, AssertionError):
            logging.getLogger(__name__).info("The connection to a Z-Wave server ended.")
        finally:
            ready.set()  # a server that broke off before it was ready must not keep _connect waiting
            await client.aiohttp_session.close()


class _Process:
    """This process's loop thread and its links, made when first needed."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.links: dict[str, Link] = {}
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="zwave", daemon=True).start()

    def close(self) -> None:
        """Close all connections, then stop the thread. For a process that ends."""
        closing: Future[None] = asyncio.run_coroutine_threadsafe(self._close_links(), self.loop)
        with suppress(TimeoutError, CancelledError):
            closing.result(GRACE)
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def _close_links(self) -> None:
        await asyncio.gather(*(link.close() for link in self.links.values()), return_exceptions=True)


_lock = threading.Lock()
_process: _Process | None = None


def link_to(address: str) -> Link:
    """This process's link to the server at the address."""
    global _process
    with _lock:
        if _process is None or _process.pid != os.getpid():
            _process = _Process()
        if address not in _process.links:
            _process.links[address] = Link(address, _process.loop)
        return _process.links[address]


@atexit.register
def close() -> None:
    """Close this process's connections."""
    global _process
    with _lock:
        process, _process = _process, None
    if process is not None and process.pid == os.getpid():
        process.close()


def _after_fork() -> None:
    global _lock, _process
    _lock, _process = threading.Lock(), None


os.register_at_fork(after_in_child=_after_fork)
