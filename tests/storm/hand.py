"""One of several processes that press at once: `python -m tests.storm.hand SEED COUNT` pulls backups for random codes.

Prints what it got as JSON: presses, backups, and the errors' names.
"""

import json
import random
import sys
from collections import Counter

import django

django.setup()

from codes.models import AccessCode  # noqa: E402
from codes.services import pull_backup  # noqa: E402


def main(seed: str, count: str) -> None:
    """Wait for a line on standard input, so that all begin together; then press so many times."""
    dice = random.Random(seed)
    codes = list(AccessCode.objects.live().order_by("pk"))
    sys.stdin.readline()
    got: Counter[str] = Counter()
    for _ in range(int(count)):
        try:
            got["backups" if pull_backup(dice.choice(codes)) else "none ready"] += 1
        except Exception as error:
            got[type(error).__name__] += 1
    json.dump(got, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
