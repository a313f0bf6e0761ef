"""The queue's cluster as this portal runs it: django-q's own, watched.

`program()` is what a `Supervisor` is to run; `run()` is what that program does, in a process of its own. Its workers
ask `stopping()`.
"""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django_q.cluster import Cluster
from django_q.signals import post_execute_in_worker, pre_execute

from portal import signs
from portal.process import Program, loaded
from portal.signs import Sign
from portal.watchdog import Watchdog

_leader: Cluster | None = None  # of this process, or of the one that it was forked from


def program() -> Program:
    """The cluster with its watchdog: frozen, it is started anew within 30 s."""
    dog = Watchdog()
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    argv = [sys.executable, manage, "work", "--skip-checks", "--cluster", str(dog.pipe)]
    return Program("workers", argv, well=dog.well, descriptors=(dog.pipe,))


def run(pipe: int) -> None:
    """Be the leader of a cluster that gives its signs down this pipe. Ends on SIGTERM, when its tasks are done."""
    global _leader
    signs.report_to(pipe)
    # The library's own hooks: nothing else is told when a worker takes a task.
    pre_execute.connect(_began)
    post_execute_in_worker.connect(_ended)
    loaded()
    _leader = Cluster()
    _leader.start()  # and Python waits for the sentinel at its end


def stopping() -> bool:
    """Whether this worker's cluster was told to end: its tasks then take on nothing more."""
    return _leader is not None and bool(_leader.is_stopping)


def _began(**task: Any) -> None:
    signs.give(Sign.BEGAN)


def _ended(**task: Any) -> None:
    signs.give(Sign.ENDED)
