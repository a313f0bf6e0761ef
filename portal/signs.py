"""Signs of life of a queue cluster: its processes write them down a pipe, its watchdog reads them.

A check is a task that is in no table: the pusher hands one out every few seconds, a worker runs it, the monitor takes
its result. What comes back from that round tells that this very cluster works, whatever other hosts do, and costs the
database nothing. A line is far below PIPE_BUF, so lines of many processes never mix; what does not fit is dropped.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum

CHECK_EVERY = 3.0  # seconds between two checks


class Sign(StrEnum):
    GUARDING = "guarding"  # the sentinel looks after its processes
    BEGAN = "began"  # a worker took a task
    ENDED = "ended"  # and is free again
    CHECKED = "checked"  # a worker ran a check
    ANSWERED = "answered"  # and the monitor took its result


_pipe: int | None = None  # where this process and those forked from it give signs; None: nobody watches
_checked = float("-inf")


def report_to(pipe: int) -> None:
    """Give signs down this pipe from now on. Call it before the cluster forks."""
    global _pipe
    os.set_blocking(pipe, False)  # a watchdog that does not read must not hold up the work
    _pipe = pipe


def give(sign: Sign) -> None:
    """Tell the watchdog, if there is one that listens."""
    if _pipe is not None:
        with suppress(OSError):
            os.write(_pipe, f"{sign} {os.getpid()}\n".encode())


def check_is_due() -> bool:
    """Whether the pusher should hand out a check now. Asked once a check: the answer yes counts as done."""
    global _checked
    at = time.monotonic()
    if _pipe is None or at - _checked < CHECK_EVERY:
        return False
    _checked = at
    return True


class Ear:
    """The watchdog's end. `pipe` is the end its cluster is to be given."""

    def __init__(self) -> None:
        self._read, self.pipe = os.pipe()
        os.set_blocking(self._read, False)
        self._rest = b""

    def heard(self) -> Iterator[tuple[Sign, int]]:
        """What was said since the last call, in its order: each sign with the id of the process that gave it."""
        while text := self._text():
            *lines, self._rest = (self._rest + text).split(b"\n")
            for line in lines:
                sign, pid = line.decode().split()
                yield Sign(sign), int(pid)

    def _text(self) -> bytes:
        try:
            return os.read(self._read, 65536)
        except BlockingIOError:
            return b""
