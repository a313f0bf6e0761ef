"""Whether a queue cluster works, from the signs its processes give. Busy is not frozen.

How django-q freezes: an idle worker sleeps with the lock of the task queue in its hand, the monitor with that of the
result queue; killed so, they leave it locked for good, and all who come after them wait. A sentinel that is stopped, or
waits for a lock a dead worker held, looks after nobody. Each of these ends one of the signs.
"""

import logging
import os
import time
from dataclasses import dataclass, field

from django.conf import settings

from portal.signs import Ear, Sign

logger = logging.getLogger(__name__)

SILENCE = 15.0  # seconds: far more than a healthy round takes; with the restart well below 30, on a slow machine, too
STARTING = 60.0  # seconds until a new cluster must give its first sign
LATE = 10.0  # seconds past the queue's time-out after which the sentinel should have ended a task


@dataclass
class Life:
    """What is known of one cluster since it was started. Times are seconds of one clock, given by the caller."""

    workers: int
    longest_task: float
    began: float
    guarded: float | None = None  # last sign of the sentinel
    checked: float = 0.0  # last check run, or last moment at which every worker had work in hand
    unanswered: float | None = None  # since when a check that was run waits for the monitor
    busy: dict[int, float] = field(default_factory=dict)  # worker to the moment it took its task

    def hear(self, sign: Sign, pid: int, at: float) -> None:
        match sign:
            case Sign.GUARDING:
                if self.guarded is None:
                    self.checked = at
                self.guarded = at
            case Sign.BEGAN:
                self.busy[pid] = at
            case Sign.ENDED:
                self.busy.pop(pid, None)
            case Sign.CHECKED:
                self.checked = at
                self.unanswered = self.unanswered or at
            case Sign.ANSWERED:
                self.unanswered = None

    def fault(self, at: float) -> str:
        """What is wrong with it, in a few words; "" while all is well."""
        if self.guarded is None:
            return "it does not start" if at - self.began > STARTING else ""
        if at - self.guarded > SILENCE:
            return "its sentinel is silent"
        if self.unanswered is not None and at - self.unanswered > SILENCE:
            return "its monitor takes no results"
        if self._all_busy(at):
            self.checked = at  # a check waits behind their work, and must
        return "no free worker takes a task" if at - self.checked > SILENCE else ""

    def _all_busy(self, at: float) -> bool:
        running = [pid for pid, since in self.busy.items() if at - since < self.longest_task and _exists(pid)]
        return len(running) >= self.workers


class Watchdog:
    """Listens to one cluster after the other: `well` is a `Program`'s, `pipe` one of its descriptors."""

    def __init__(self) -> None:
        self._ear = Ear()
        self.pipe = self._ear.pipe
        self._life = self._new_life(0.0)
        self._age = 0.0

    def well(self, age: float) -> bool:
        """Whether the cluster that was started `age` seconds ago is alive. The reason, if not, is logged."""
        at = time.monotonic()
        signs = list(self._ear.heard())
        if age < self._age:  # another one: what was read so far is its predecessor's
            self._life, signs = self._new_life(age), []
        self._age = age
        for sign, pid in signs:
            self._life.hear(sign, pid, at)
        fault = self._life.fault(at)
        if fault:
            logger.error("the queue's cluster is frozen: %s", fault)
        return not fault

    def _new_life(self, age: float) -> Life:
        queue = settings.Q_CLUSTER
        return Life(int(queue["workers"]), float(queue["timeout"]) + LATE, time.monotonic() - age)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
