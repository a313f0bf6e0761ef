"""The portal's own processes, started for a measurement: workers and tick, as an operator would."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from django.db import connection
from django_q.models import OrmQ

from devices.models import Device
from tests.bench.databases import ROOT, environment
from tests.bench.locks import batch

SETTLED = 60.0  # seconds within which everything that is waited for happens


@contextmanager
def portal(*, workers: int, hosts: int = 1, tick: bool = True) -> Iterator[None]:
    """So many hosts with so many worker processes each, and one tick; ready to work when this is entered."""
    with ExitStack() as stack:
        for _ in range(hosts):
            stack.enter_context(_process("qcluster", QUEUE_WORKERS=str(workers)))
        if tick:
            stack.enter_context(_process("tick"))
            _warm_up(workers * hosts)
        yield


def until(done: Callable[[], object], *, within: float = SETTLED, pause: float = 0.05) -> None:
    """Wait for it. Raises TimeoutError."""
    ends = time.monotonic() + within
    while not done():
        if time.monotonic() > ends:
            raise TimeoutError(f"not done within {within:g} s")
        time.sleep(pause)


def forget_everything_due() -> None:
    """Nothing that is left over may work beside the next measurement."""
    Device.objects.update(next_sync_at=None)
    OrmQ.objects.all().delete()


def _warm_up(processes: int) -> None:
    """Every process has imported everything and has its connections once each has served some locks."""
    first = batch(8 * processes, pins=1, latency=lambda number: 50)
    first.due()
    until(lambda: not first.left())


@contextmanager
def _process(command: str, **more: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env=environment(_url(), **more),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _url() -> str:
    connection.ensure_connection()
    return os.environ["DATABASE_URL"]
