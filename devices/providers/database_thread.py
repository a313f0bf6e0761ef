"""Database work that many threads ask for, done by one: forty callers must not hold forty connections."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from django.db import Error, close_old_connections, connections

LOOK_EVERY = 1.0  # seconds

_looked_at = float("-inf")
_executors: dict[int, ThreadPoolExecutor] = {}  # by process: a fork gets its own thread and connection


def on_database[**P, T](work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do `work`: here if this is the main thread, else on the process's one database thread."""
    if threading.current_thread() is threading.main_thread():
        return work(*args, **kwargs)
    return _executor().submit(_with_live_connection, lambda: work(*args, **kwargs)).result()


def disconnect() -> None:
    """End this process's database thread and its connection; the next call starts another."""
    executor = _executors.pop(os.getpid(), None)
    if executor is not None:
        executor.submit(connections.close_all).result()
        executor.shutdown()


def _executor() -> ThreadPoolExecutor:
    return _executors.setdefault(os.getpid(), ThreadPoolExecutor(1, thread_name_prefix="simulator-database"))


def _with_live_connection[T](work: Callable[[], T]) -> T:
    """A connection is looked at once in a while, and after an error: a look is a query of its own."""
    global _looked_at
    if monotonic() - _looked_at > LOOK_EVERY:
        close_old_connections()
        _looked_at = monotonic()
    try:
        return work()
    except Error:
        close_old_connections()
        raise
