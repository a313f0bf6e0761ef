"""`manage.py after_restore`: the one step between restoring the database and starting the portal on it."""

import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from codes.restored import Restored, forget, outlook, wrong_keys
from portal.console import PortalCommand, counted, misuse
from portal.management.commands.serve import count
from portal.models import Heartbeat

WATCHED_FOR = 2.0  # seconds in which a tick that runs would beat


class Command(PortalCommand):
    help = "Makes a database that came back from a back-up fit to work on."
    epilog = """
Run it once, while web, work and tick are stopped on all hosts. The tables are older than the
locks then. So every lock is read in full first. Every spare is replaced, because guests may
have been given some since the back-up; the old ones stay on the locks for a while, and are
given to nobody else. Leases, queue marks, tasks and signs of life are forgotten. What was
entered since the back-up is lost: codes it put on locks show there as not ours, and are not
touched.

examples:
  manage.py after_restore --dry-run
  manage.py after_restore --spares-stay 30     # guests of this house stay for a month

exit status:
  0  done
  2  nothing was done: the keys are not this database's, a tick runs, or there is no database
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--spares-stay",
            type=count,
            default=14,
            metavar="DAYS",
            help="how long old spares stay on the locks, for guests who were given one (default: 14)",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        check_keys()
        if options["dry_run"]:
            self._report(outlook(), dry_run=True, as_json=options["json"])
            return
        check_standstill()
        done = forget(spares_stay=timedelta(days=options["spares_stay"]))
        self._report(done, dry_run=False, as_json=options["json"])

    def _report(self, it: Restored, *, dry_run: bool, as_json: bool) -> None:
        if as_json:
            self.show_json({"dry_run": dry_run, **it.as_dict()})
            return
        self.say("This would be done:" if dry_run else "Done:")
        self.say(f"  {counted(it.locks, 'lock')} to be read in full")
        self.say(f"  {counted(it.spares, 'spare')} replaced")
        self.say(f"  {counted(it.planned, 'planned PIN')} looked for before being written")
        self.say(f"  {counted(it.tasks, 'queued task')} forgotten")
        if not dry_run:
            self.say("Now start work, tick and web. Then enter again what was entered since the back-up.")


def check_keys() -> None:
    """Raises CommandError when the keys in the settings are not this database's."""
    try:
        wrong = wrong_keys()
    except ImproperlyConfigured as error:
        raise misuse(f"PIN_KEYS are not this database's. Bring back the keys kept apart. ({error})") from error
    if wrong:
        raise misuse(f"{wrong} is not this database's. Bring back the one kept apart.")


def check_standstill() -> None:
    """Raises CommandError when a tick beats on this database."""
    before = Heartbeat.objects.filter(name="tick").first()
    time.sleep(WATCHED_FOR)
    after = Heartbeat.objects.filter(name="tick").first()
    if after and (before is None or after.beat_at > before.beat_at):
        raise misuse("A tick runs on this database. Stop web, work and tick on all hosts first.")
