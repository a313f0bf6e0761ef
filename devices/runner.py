"""Runs turns: makes the provider calls they ask for on threads, and does all database work on the caller's thread.

One lazy thread pool a process. One task so serves many locks at once with one database connection.
"""

import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import DatabaseError

from devices.lease import LeaseLost
from devices.programming import Call, ProviderFailed, Steps
from devices.providers.base import NoAnswer, Unreachable
from devices.providers.registry import provider_for
from portal.database import name_of

logger = logging.getLogger(__name__)

AT_ONCE = 16  # turns a task serves at the same time
GRACE = 5.0  # seconds past its deadline after which a call counts as unanswered
LOOK_AGAIN = 0.5  # seconds between looks for further work while there is room


@dataclass(slots=True)
class _Running:
    steps: Steps[None]
    expires: float


def run(steps: Steps[None]) -> None:
    """Run one turn on this thread, call by call."""
    answer: Any = None
    error: Exception | None = None
    while True:
        try:
            call = steps.throw(error) if error else steps.send(answer)
        except (StopIteration, LeaseLost):
            return
        answer, error = _made(call)


def run_many(more: Callable[[], Steps[None] | None]) -> None:
    """Run turns side by side: `more()` gives the next one to start, or None when there is none to be had now.

    It is asked again whenever a turn ends, and every half second while there is room. Returns when all have ended.
    """
    running: dict[Future[Any], _Running] = {}
    while True:
        while len(running) < AT_ONCE and (steps := more()):
            _advance(steps, None, None, running)
        if not running:
            return
        done, _ = wait(running, timeout=LOOK_AGAIN, return_when=FIRST_COMPLETED)
        for future in done:
            turn = running.pop(future)
            answer, error = future.result()
            _advance(turn.steps, answer, error, running)
        for future in [f for f, turn in running.items() if turn.expires < time.monotonic()]:
            future.cancel()  # one that never began must not begin when the lock is somebody else's
            _advance(running.pop(future).steps, None, TimeoutError(), running)


def perform(call: Call) -> Any:
    """Make one provider call. Raises Unreachable, NoAnswer, or ProviderFailed with no more than a class name."""
    try:
        provider = provider_for(call.hub)
        return getattr(provider, call.operation)(call.lock_ref, *call.arguments, deadline=call.deadline)
    except (Unreachable, NoAnswer, TimeoutError):
        raise
    except BaseException as error:  # a driver's CancelledError is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise ProviderFailed(type(error).__name__) from None


def _made(call: Call) -> tuple[Any, Exception | None]:
    try:
        return perform(call), None
    except Exception as error:
        return None, error


def _advance(steps: Steps[None], answer: Any, error: Exception | None, running: dict[Future[Any], _Running]) -> None:
    """Let a turn go on to its next call. One that breaks is logged and left to its lease's end; others go on."""
    try:
        call = steps.throw(error) if error else steps.send(answer)
    except (StopIteration, LeaseLost):
        return
    except DatabaseError as error:
        logger.error("a turn broke: %s", name_of(error))  # the message itself prints the row
        return
    except Exception:
        logger.exception("a turn broke")
        return
    future = _pool(os.getpid()).submit(_made, call)
    running[future] = _Running(steps, time.monotonic() + call.deadline + GRACE)


@cache
def _pool(pid: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4 * AT_ONCE, thread_name_prefix="lock-call")
