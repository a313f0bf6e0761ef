"""Database work that many threads ask for, on one connection: forty callers must not hold forty of them."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, Error, close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

LOOK_EVERY = 1.0  # seconds


@dataclass(slots=True)
class _Shared:
    """A connection that each thread has in turn."""

    connection: BaseDatabaseWrapper
    turn: threading.Lock = field(default_factory=threading.Lock)
    looked_at: float = float("-inf")


_shared: dict[int, _Shared] = {}  # by process: a fork gets its own


def on_database[**P, T](work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do `work`: on the main thread with its own connection, on any other with the one that they share, in turn."""
    if threading.current_thread() is threading.main_thread():
        return work(*args, **kwargs)
    shared = _shared.get(os.getpid()) or _shared.setdefault(os.getpid(), _made())
    with shared.turn, _default_is(shared.connection):
        if monotonic() - shared.looked_at > LOOK_EVERY:  # a look is a query of its own
            close_old_connections()
            shared.looked_at = monotonic()
        try:
            return work(*args, **kwargs)
        except Error:
            close_old_connections()
            raise


def disconnect() -> None:
    """Close this process's shared connection; the next call opens another."""
    if shared := _shared.pop(os.getpid(), None):
        with shared.turn:
            shared.connection.close()


def _made() -> _Shared:
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    connection.inc_thread_sharing()
    return _Shared(connection)


@contextmanager
def _default_is(shared: BaseDatabaseWrapper) -> Iterator[None]:
    """For this thread, the database is what is behind that connection."""
    own = [one for one in connections.all(initialized_only=True) if one.alias == DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = shared
    try:
        yield
    finally:
        del connections[DEFAULT_DB_ALIAS]
        for one in own:
            connections[DEFAULT_DB_ALIAS] = one
