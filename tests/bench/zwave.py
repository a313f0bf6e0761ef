"""Setting a code on a Z-Wave lock and reading it back: through the portal's provider, and by the bare client."""

import asyncio
import tempfile
from collections.abc import Awaitable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import aiohttp
from zwave_js_server.client import Client
from zwave_js_server.const import CommandClass
from zwave_js_server.model.node import Node

from devices.providers.base import ALWAYS, Result, Seen, Slot
from devices.providers.zwave import ZwaveProvider
from portal.secret import Secret
from tests.bench.figure import Figure, at_most, unknown
from tests.bench.measure import medians
from tests.bench.run import Run
from tests.zwave.mocknet import HOME, Network, install

NODE = 2
ENABLED = 1  # a user code's status
TITLE = "Z-Wave: set a code and read it back"


def figures(run: Run) -> Iterator[Figure]:
    if hindrance := install():
        yield unknown(TITLE, "≤ 1.2 ×", hindrance)
        return
    with tempfile.TemporaryDirectory(prefix="portal-bench-zwave.") as place:
        network = Network(Path(place) / "cache")
        network.start()
        try:
            yield _figure(network, rounds=run.choose(30, 8))
        finally:
            network.kill()


def _figure(network: Network, rounds: int) -> Figure:
    provider, bare = ZwaveProvider(network.url), BareClient(network.url)
    digits = iter(range(1111, 9999))

    def ours() -> None:
        pin = Secret(str(next(digits)))
        outcome = provider.put(f"{HOME}-{NODE}", Slot(1), pin, "Guest", ALWAYS, deadline=10)
        assert outcome.result == Result.CONFIRMED, outcome
        seen = provider.read(f"{HOME}-{NODE}", Slot(1), deadline=10)
        assert seen.seen == Seen.CODE and seen.pin == pin

    provider_seconds, client_seconds = medians(ours, lambda: bare.set_and_read(str(next(digits))), rounds=rounds)
    bare.close()
    return at_most(
        TITLE, provider_seconds * 1000, client_seconds * 1000, 1.2, unit="ms", peer="the bare client, the same calls"
    )


class BareClient:
    """zwave-js-server-python as its own documentation uses it, on a loop in a thread."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        Thread(target=self._loop.run_forever, daemon=True).start()
        self._node: Node = self._run(self._connect(url))

    def set_and_read(self, digits: str) -> None:
        """Two calls, each waited for, as the portal makes them."""
        self._run(self._invoke("set", 1, ENABLED, digits))
        assert self._run(self._invoke("get", 1))["userCode"] == digits

    async def _connect(self, url: str) -> Node:
        self._session = aiohttp.ClientSession()
        client = Client(url, self._session)
        await client.connect()
        ready = asyncio.Event()
        self._listening = asyncio.create_task(client.listen(ready))
        await ready.wait()
        assert client.driver is not None
        return client.driver.controller.nodes[NODE]

    async def _invoke(self, method: str, *arguments: Any) -> Any:
        api = self._node.endpoints[0]
        return await api.async_invoke_cc_api(CommandClass.USER_CODE, method, *arguments, wait_for_result=True)

    def close(self) -> None:
        self._run(self._session.close())

    def _run(self, work: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)  # type: ignore[arg-type]
