"""Processes of a measurement's own, each on its own database, that do in turn what is asked of them.

It imports nothing of the portal's: a process that starts reads it before it is set up.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import django


@contextmanager
def process(url: str) -> Iterator[ProcessPoolExecutor]:
    """One process with that database, which keeps what modules hold from one task to the next."""
    with ProcessPoolExecutor(1, get_context("spawn"), _start, (url,)) as started:
        yield started


def _start(url: str) -> None:
    os.environ["DATABASE_URL"] = url
    django.setup()
