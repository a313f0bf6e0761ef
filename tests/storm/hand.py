"""One of several processes that press at once: `python -m tests.storm.hand SEED COUNT` pulls backups for random codes.

Prints what it got as JSON: presses, backups, and the errors' names.
"""

import json
import random
import sys
from collections import Counter

import django

django.setup()

from django.db import OperationalError, connection  # noqa: E402

from codes.models import AccessCode  # noqa: E402
from codes.services import pull_backup  # noqa: E402

BUSY = 5  # times


def main(seed: str, count: str) -> None:
    """Wait for a line on standard input, so that all begin together; then press so many times."""
    dice = random.Random(seed)
    codes = list(AccessCode.objects.live().order_by("pk"))
    sys.stdin.readline()
    got: Counter[str] = Counter()
    for _ in range(int(count)):
        got[press(dice.choice(codes))] += 1
    json.dump(got, sys.stdout)


def press(code: AccessCode) -> str:
    """What came of it. A database that is busy for too long (SQLite on a slow machine) is asked again, as people do."""
    for _ in range(BUSY):
        try:
            return "backups" if pull_backup(code) else "none ready"
        except OperationalError:
            connection.close()
        except Exception as error:
            return type(error).__name__
    return "database busy"


if __name__ == "__main__":
    main(*sys.argv[1:])
