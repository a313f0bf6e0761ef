"""Runs turns: makes the provider calls they ask for on threads, and does all database work on the caller's thread.

One lazy thread pool a process. One task so serves many locks at once with one database connection.
"""

import logging
import os
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any

from django.db import DatabaseError

from devices.lease import CALL_SLACK, SEVERAL, LeaseLost
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


def run_many(more: Callable[[int], Sequence[Steps[None]]]) -> None:
    """Run turns side by side: `more(room)` gives those to start, `room` at most; none when none is to be had now.

    It is asked again when turns have ended, and every half second while there is room. Returns when all have ended.
    Answers are taken one by one, pressing ones first, and before other turns start, but for a few that take the places
    of as many that ended: a guest whom a lock refused waits for nobody whose lock was not asked yet, and while that
    lock may answer at once, for nobody else's either.
    """
    side = _SideBySide()
    again_at = 0.0  # when there is more to be asked for, by the monotonic clock
    left = 0  # turns that ended since others started
    while True:
        guests = side.refused_just_now()
        answered = side.answered(guests)
        ended = 0
        if side.room and not guests and again_at <= time.monotonic() and (left >= SEVERAL or not answered):
            started = more(side.room)
            for steps in started:
                side.start(steps)
            left = 0
            if not started:
                again_at = time.monotonic() + LOOK_AGAIN
        elif answered:
            ended = 0 if side.go_on(answered) else 1
        elif guests:
            side.wait(SOON)
        elif side.running:
            side.wait(LOOK_AGAIN)
        else:
            return
        ended += side.give_up_late_ones()
        if ended:
            left += ended
            again_at = 0.0


class _SideBySide:
    """Turns that run side by side, each with a call that is being made."""

    def __init__(self) -> None:
        self.running: dict[Future[_Made], _Running] = {}
        self._over: SimpleQueue[Future[_Made]] = SimpleQueue()  # calls, as they end
        self._answered: set[Future[_Made]] = set()  # those that ended and were not yet taken further

    @property
    def room(self) -> int:
        return AT_ONCE - len(self.running)

    def start(self, steps: Steps[None]) -> None:
        self._advance(_Turn(steps, copy_context()), _Made())

    def wait(self, seconds: float) -> None:
        """Until a call ends, for so long at most."""
        with suppress(Empty):
            self._note(self._over.get(timeout=seconds))

    def refused_just_now(self) -> list[Future[_Made]]:
        """The calls about guests whom a lock refused that were answered, or may be at any moment."""
        since = time.monotonic() - SOON
        refused = {future: one.call for future, one in self.running.items() if one.call.refused}
        return [future for future, call in refused.items() if call.asked_at > since or future.done()]

    def answered(self, among: Collection[Future[_Made]]) -> Future[_Made] | None:
        """The most pressing call that has ended, of these if there are any."""
        while not self._over.empty():
            self._note(self._over.get())
        ended = self._answered.intersection(among) if among else self._answered
        return min(ended, key=lambda one: self.running[one].call.waits, default=None)

    def go_on(self, answered: Future[_Made]) -> bool:
        """Let its turn go on to its next call; False: it has ended."""
        self._answered.remove(answered)
        return self._go_on(self.running.pop(answered), answered.result())

    def give_up_late_ones(self) -> int:
        """Let turns go on whose calls are past their deadline; how many ended by that."""
        at, ended = time.monotonic(), 0
        for future in [f for f, one in self.running.items() if one.expires < at and not f.done()]:
            future.cancel()  # one that never began must not begin when the lock is somebody else's
            one = self.running.pop(future)
            ended += not self._go_on(one, _Made(error=TimeoutError(), seconds=one.call.deadline + GRACE))
        return ended

    def _note(self, over: Future[_Made]) -> None:
        if over in self.running:  # not given up
            self._answered.add(over)

    def _go_on(self, one: _Running, made: _Made) -> bool:
        _count(one.call, made)
        return self._advance(one.turn, made)

    def _advance(self, turn: _Turn, made: _Made) -> bool:
        """The turn's next call is made on a thread, in a copy of its context; False: it has ended."""
        call = turn.context.run(_next_or_none, turn.steps, made)
        if call is not None:
            # A copy: a call that was given up may still be in it when the turn goes on.
            future = _pool(os.getpid()).submit(turn.context.copy().run, _made, call)
            self.running[future] = _Running(turn, call, time.monotonic() + call.deadline + GRACE)
            future.add_done_callback(self._over.put)
        return call is not None


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
