"""`python -m tests.storm [rounds|races|load …]`: storms over the whole portal, on a database of their own.

Prints a table and the seed that repeats the run's choices; exits 1 when a promise was broken.
"""

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import django
from django.core.management import call_command

from tests.storm import databases
from tests.storm.report import Report

STORMS = ("rounds", "races", "load")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("storms", nargs="*", help=f"which of {', '.join(STORMS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=50, help="of crashes (default: 50)")
    parser.add_argument("--managers", type=int, default=200, help="with a lock's page open under load (default: 200)")
    parser.add_argument("--guests", type=int, default=500, help="who check in at once under load (default: 500)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--postgres", metavar="URL", help="a server where databases may be made")
    where.add_argument("--sqlite", action="store_true", help="a file (default)")
    parser.add_argument(
        "--restart", action="store_true", help="restart that PostgreSQL server now and then: it is ours"
    )
    asked = parser.parse_args()
    if unknown := set(asked.storms) - set(STORMS):
        parser.error(f"no such storm: {', '.join(sorted(unknown))}")
    if asked.restart and not asked.postgres:
        parser.error("--restart needs --postgres")
    report = Report(asked.seed)
    with tempfile.TemporaryDirectory(prefix="storm-") as folder, databases.fresh(asked.postgres, Path(folder)) as url:
        prepare(url, Path(folder))
        for name in asked.storms or STORMS:
            report.tell(f"{name}, seed {asked.seed}, on {url.partition(':')[0]}")
            storms(asked, Path(folder))[name](report)
        from django.db import connections

        connections.close_all()
    report.show()
    return 0 if report.holds else 1


def prepare(url: str, folder: Path) -> None:
    """This process and its children on that database, with the tests' settings; the tables are made."""
    os.environ |= {"DATABASE_URL": url, "PORTAL_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def storms(asked: argparse.Namespace, folder: Path) -> dict[str, Callable[[Report], None]]:
    """Each storm by its name; imported now that Django is set up."""
    from tests.storm.load import load
    from tests.storm.races import races
    from tests.storm.rounds import crashes

    restart = (lambda: databases.restart(asked.postgres)) if asked.restart else None
    return {
        "rounds": lambda report: crashes(report, folder, rounds=asked.rounds, restart=restart),
        "races": lambda report: races(report, folder),
        "load": lambda report: load(report, folder, managers=asked.managers, guests=asked.guests),
    }


if __name__ == "__main__":
    sys.exit(main())
