"""Lock turns a second with a second host on the same PostgreSQL. Each host has one worker process here."""

import time
from collections.abc import Iterator
from statistics import mean

from tests.bench.figure import Figure, at_least
from tests.bench.locks import batch
from tests.bench.run import Run
from tests.bench.running import forget_everything_due, portal, until

LATENCY = 50  # ms an operation
ROUNDS = 2


def figures(run: Run) -> Iterator[Figure]:
    locks = run.choose(1000, 60)
    one, two = [], []
    for _ in range(run.choose(ROUNDS, 1)):
        one.append(_turns(locks, hosts=1))
        two.append(_turns(locks, hosts=2))
    yield at_least(
        "lock turns a second with a second host, 50 ms locks",
        mean(two),
        mean(one),
        1.7,
        unit="a second",
        peer="one host",
        note=f"{locks} locks; both hosts, PostgreSQL and tick share this machine's cores",
    )


def _turns(locks: int, *, hosts: int) -> float:
    with portal(workers=1, hosts=hosts):
        made = batch(locks, pins=1, latency=lambda number: LATENCY)
        began = time.time()
        made.due()
        until(lambda: not made.left(), within=300, pause=1)
        taken = made.last_confirmed() - began
        forget_everything_due()
    return locks / taken
