"""Writes from below: what the database itself refuses, and who wins when two connections write at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction


@contextmanager
def refused() -> Iterator[None]:
    """The database refuses what happens inside."""
    with pytest.raises(IntegrityError), transaction.atomic():
        yield


def race(*writes: Callable[[], Any]) -> int:
    """Start these writes at once, each on a connection of its own; how many of them the database took."""
    together = Barrier(len(writes))

    def run(write: Callable[[], Any]) -> bool:
        together.wait(timeout=30)
        try:
            with transaction.atomic():
                write()
        except IntegrityError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(len(writes)) as pool:
        return sum(pool.map(run, writes))
