"""Runs turns: makes the provider calls they ask for on threads, and does all database work on the caller's thread.

One lazy thread pool a process. One task so serves many locks at once with one database connection.
"""

import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import DatabaseError

from devices.lease import CALL_SLACK, LeaseLost
from devices.metrics import count_call
from devices.models import Hub
from devices.programming import Call, ProviderFailed, Steps
from devices.providers.base import NoAnswer, Unreachable
from devices.providers.registry import provider_for
from portal.database import name_of

logger = logging.getLogger(__name__)

AT_ONCE = 16  # turns a task serves at the same time
GRACE = 5.0  # seconds past its deadline after which a call counts as unanswered
LOOK_AGAIN = 0.5  # seconds between looks for further work while there is room
SOON = 0.05  # seconds for which all else waits for the answer about a guest whom a lock refused


@dataclass(slots=True)
class _Turn:
    """A turn, and the context it is taken further in: what it binds for log lines is its own."""

    steps: Steps[None]
    context: Context


@dataclass(slots=True)
class _Running:
    turn: _Turn
    call: Call
    expires: float


@dataclass(frozen=True, slots=True)
class _Made:
    """What came of a call, and how many seconds it took."""

    answer: Any = None
    error: Exception | None = None
    seconds: float = 0.0


def run(steps: Steps[None]) -> None:
    """Run one turn on this thread, call by call."""
    context, made = copy_context(), _Made()
    while True:
        try:
            call = context.run(_next, steps, made)
        except (StopIteration, LeaseLost):
            return
        made = _made(call)
        _count(call, made)


def run_many(more: Callable[[], Steps[None] | None]) -> None:
    """Run turns side by side: `more()` gives the next one to start, or None when there is none to be had now.

    It is asked again whenever a turn ends, and every half second while there is room. Returns when all have ended.
    Answers are taken one by one, pressing ones first, and before another turn starts: a guest whom a lock refused
    waits for nobody whose lock was not asked yet, and while that lock may answer at once, for nobody else's either.
    """
    running: dict[Future[_Made], _Running] = {}
    again_at = 0.0  # when there is more to be asked for, by the monotonic clock
    while True:
        ended = False
        guests = _refused_just_now(running)
        if answered := [future for future in guests or running if future.done()]:
            future = min(answered, key=lambda one: running[one].call.waits)
            ended = not _go_on(running.pop(future), future.result(), running)
        elif guests:
            wait(guests, timeout=SOON, return_when=FIRST_COMPLETED)
        elif len(running) < AT_ONCE and again_at <= time.monotonic():
            if steps := more():
                _advance(_Turn(steps, copy_context()), _Made(), running)
            else:
                again_at = time.monotonic() + LOOK_AGAIN
        elif running:
            wait(running, timeout=LOOK_AGAIN, return_when=FIRST_COMPLETED)
        else:
            return
        for future in [f for f, one in running.items() if one.expires < time.monotonic() and not f.done()]:
            future.cancel()  # one that never began must not begin when the lock is somebody else's
            one = running.pop(future)
            ended |= not _go_on(one, _Made(error=TimeoutError(), seconds=one.call.deadline + GRACE), running)
        if ended:
            again_at = 0.0


def _refused_just_now(running: dict[Future[_Made], _Running]) -> list[Future[_Made]]:
    """The calls about guests whom a lock refused that were answered, or may be at any moment."""
    since = time.monotonic() - SOON
    refused = {future: one.call for future, one in running.items() if one.call.refused}
    return [future for future, call in refused.items() if call.asked_at > since or future.done()]


def perform(call: Call) -> Any:
    """Make one provider call about a lock. Raises as `ask` does.

    A process that was stopped and wakes past the call's time does not make it: the lock may be somebody else's by now.
    """
    if time.monotonic() - call.asked_at > CALL_SLACK:
        raise Unreachable("Too late to ask.")
    return ask(call.hub, call.operation, call.lock_ref, *call.arguments, deadline=call.deadline)


def ask(hub: Hub, operation: str, *arguments: Any, deadline: float) -> Any:
    """Make one call to a hub. Raises Unreachable, NoAnswer, or ProviderFailed with no more than a class name."""
    try:
        return getattr(provider_for(hub), operation)(*arguments, deadline=deadline)
    except (Unreachable, NoAnswer, TimeoutError):
        raise
    except BaseException as error:  # a driver's CancelledError is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise ProviderFailed(type(error).__name__) from None


def _made(call: Call) -> _Made:
    began = time.monotonic()
    try:
        return _Made(perform(call), None, time.monotonic() - began)
    except Exception as error:
        return _Made(None, error, time.monotonic() - began)


def _count(call: Call, made: _Made) -> None:
    count_call(call.hub.provider, call.operation, made.seconds, made.answer, made.error)


def _next(steps: Steps[None], made: _Made) -> Call:
    return steps.throw(made.error) if made.error else steps.send(made.answer)


def _go_on(one: _Running, made: _Made, running: dict[Future[_Made], _Running]) -> bool:
    _count(one.call, made)
    return _advance(one.turn, made, running)


def _advance(turn: _Turn, made: _Made, running: dict[Future[_Made], _Running]) -> bool:
    """Let a turn go on to its next call, which is made on a thread in a copy of its context; False: it has ended."""
    call = turn.context.run(_next_or_none, turn.steps, made)
    if call is not None:
        # A copy: a call that was given up may still be in it when the turn goes on.
        future = _pool(os.getpid()).submit(turn.context.copy().run, _made, call)
        running[future] = _Running(turn, call, time.monotonic() + call.deadline + GRACE)
    return call is not None


def _next_or_none(steps: Steps[None], made: _Made) -> Call | None:
    """None: the turn has ended. One that breaks is logged and left to its lease's end; others go on."""
    try:
        return _next(steps, made)
    except (StopIteration, LeaseLost):
        return None
    except DatabaseError as error:
        logger.error("a turn broke: %s", name_of(error))  # the message itself prints the row
    except Exception:
        logger.exception("a turn broke")
    return None


@cache
def _pool(pid: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4 * AT_ONCE, thread_name_prefix="lock-call")
