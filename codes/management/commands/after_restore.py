"""`manage.py after_restore`: the one step between restoring the database and starting the portal on it."""

import json
import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from codes.restored import Restored, forget, outlook, wrong_keys
from portal.management.commands.serve import count
from portal.models import Heartbeat

WATCHED_FOR = 2.0  # seconds in which a tick that runs would beat


class Command(BaseCommand):
    help = (
        "Makes a database that came back from a back-up fit to work on. Run it once, while web, work and tick are "
        "stopped. Every lock is read in full first. Every spare is replaced, because guests may have been given some "
        "since the back-up; the old ones stay on the locks for a while. Leases, queue marks and tasks are forgotten. "
        "What was entered since the back-up is lost: codes it put on locks show there as unmanaged and are not touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
        parser.add_argument("--json", action="store_true", help="say it as JSON")
        parser.add_argument(
            "--spares-stay",
            type=count,
            default=14,
            metavar="DAYS",
            help="how long old spares stay on the locks, for guests who were given one (default: 14)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        check_keys()
        if options["dry_run"]:
            self._say(outlook(), options["json"], "would be")
            return
        check_standstill()
        self._say(forget(spares_stay=timedelta(days=options["spares_stay"])), options["json"], "are")

    def _say(self, it: Restored, as_json: bool, verb: str) -> None:
        if as_json:
            self.stdout.write(json.dumps(it.as_dict()))
            return
        self.stdout.write(
            f"{it.locks} locks {verb} read in full, {it.spares} spares {verb} replaced, {it.planned} planned PINs "
            f"{verb} looked for before they are written, {it.tasks} queued tasks {verb} forgotten."
        )
        if verb == "are":
            self.stdout.write("Now start work, tick and web. Then enter again what was entered since the back-up.")


def check_keys() -> None:
    """Raises CommandError when the keys in the settings are not this database's."""
    try:
        wrong = wrong_keys()
    except ImproperlyConfigured as error:
        raise CommandError(f"PIN_KEYS are not this database's. Bring back the keys kept apart. ({error})") from error
    if wrong:
        raise CommandError(f"{wrong} is not this database's. Bring back the one kept apart.")


def check_standstill() -> None:
    """Raises CommandError when a tick beats on this database."""
    before = Heartbeat.objects.filter(name="tick").first()
    time.sleep(WATCHED_FOR)
    after = Heartbeat.objects.filter(name="tick").first()
    if after and (before is None or after.beat_at > before.beat_at):
        raise CommandError("A tick runs on this database. Stop web, work and tick on all hosts first.")
