"""`manage.py refill_pools`: wants the spares that pools lack, now."""

from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandParser

from backups.refilling import Refilled, refill_now
from backups.services import short_of_spares
from devices.lookup import NotFound, full_name, locks_called
from devices.models import Device
from devices.services import wake_due
from portal.console import PortalCommand, counted, misuse, progress


class Command(PortalCommand):
    help = "Asks for the backup codes that pools lack. Pools refill by themselves; this does not wait for the sweep."
    epilog = """
LOCK is a lock's id, its reference at the hub, its door's name, "Property / Door", or
"Workspace / Property / Door". Without LOCK: every lock that supports backup codes and
lacks some.

The new codes are written to the locks by the workers. A pool never gets more than its
size: safe to run twice and beside running workers.

examples:
  manage.py refill_pools
  manage.py refill_pools "Front door" "Harbour Loft / Street door"
  manage.py refill_pools --dry-run --json

exit status:
  0  each pool has its spares, or they are on their way
  1  a pool stays short: the lock has no room, or no PIN is left
  2  wrong call, unknown or ambiguous lock, or no database
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("locks", metavar="LOCK", nargs="*", help="which locks; without: all that lack spares")
        parser.add_argument("--dry-run", action="store_true", help="tell what would be asked for; change nothing")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        devices = _meant(options["locks"])
        with progress("Pools", len(devices)) as done:
            refilled = [refill_one(device, dry_run=options["dry_run"], done=done) for device in devices]
        if not options["dry_run"]:
            wake_due()
        if options["json"]:
            self.show_json({"dry_run": options["dry_run"], "pools": [one.to_json() for one in refilled]})
        else:
            self._report(refilled, dry_run=options["dry_run"])
        self.leave(found=not all(one.full for one in refilled))

    def _report(self, refilled: Iterable[Refilled], *, dry_run: bool) -> None:
        refilled = list(refilled)
        if not refilled:
            self.say("No pool lacks a backup code.")
            return
        header = ("Lock", "Ready", "On the way", "Asked for", "Size", "Why")
        rows = [(full_name(one.device), one.ready, one.on_the_way, one.asked, one.size, one.why) for one in refilled]
        self.show_table(header, rows)
        asked = counted(sum(one.asked for one in refilled), "backup code")
        self.say(f"{asked} would be asked for. Nothing was changed." if dry_run else f"{asked} asked for.")


def refill_one(device: Device, *, dry_run: bool, done: Any) -> Refilled:
    refilled = refill_now(device, dry_run=dry_run)
    done(1)
    return refilled


def _meant(names: list[str]) -> list[Device]:
    if not names:
        order = ("property__workspace__name", "property__name", "name", "pk")
        return list(short_of_spares().select_related("property__workspace", "hub").order_by(*order))
    try:
        return locks_called(names)
    except NotFound as error:
        raise misuse(str(error)) from None
