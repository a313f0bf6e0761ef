"""`manage.py sync_locks`: wants a turn for some locks, or for all, now."""

from typing import Any

from django.core.management.base import CommandParser

from codes.attending import add_attending, attend, check_attending, meant
from devices import listing
from devices.lookup import full_name
from devices.models import Device
from devices.settling import Settled
from portal.console import PortalCommand, counted, plain


class Command(PortalCommand):
    help = "Gives locks their turn now: sets what is wanted on them, takes off what is not, reads what is there."
    epilog = """
LOCK is a lock's id, its reference at the hub, its door's name, "Property / Door", or
"Workspace / Property / Door".

Without --wait or --here it only wakes the workers and ends. A lock that rests because it
was offline is asked at once. A lock with nothing to set or take off is not spoken to
unless you say --read: batteries matter. Safe to run twice and beside running workers:
one lock, one turn at a time.

examples:
  manage.py sync_locks "Front door"
  manage.py sync_locks "Lakeview Cottage / Front door" --read --wait
  manage.py sync_locks --all --wait 300 --json
  manage.py sync_locks "Front door" --here          # the queue does not move: do it yourself
  manage.py sync_locks --all --dry-run

exit status:
  0  asked; with --wait or --here: each lock is up to date
  1  with --wait or --here: a lock did not answer, refused something, or had no turn in time
  2  wrong call, unknown or ambiguous lock, or no database
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("locks", metavar="LOCK", nargs="*", help="which locks; see below for how to name one")
        parser.add_argument("--all", action="store_true", help="every lock of every workspace")
        parser.add_argument(
            "--read", action="store_true", help="read each lock in full first, as “Check lock now” does"
        )
        add_attending(parser)
        parser.add_argument(
            "--dry-run", action="store_true", help="list the locks and when they are due; ask for nothing"
        )
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        check_attending(options)
        devices = meant(options)
        settled = None if options["dry_run"] else attend(devices, options, read=options["read"])
        if settled is not None:
            self._report(settled, as_json=options["json"])
            self.leave(found=not all(lock.fine for lock in settled))
        elif options["json"]:
            self.show_json({"asked": not options["dry_run"], "locks": [_row(device) for device in devices]})
        else:
            self._asked(devices, dry_run=options["dry_run"])

    def _asked(self, devices: list[Device], *, dry_run: bool) -> None:
        if dry_run:
            header = ("Lock", "Workspace", "Connection", "Due")
            self.show_table(header, [[*_row(device).values()][1:] for device in devices])
            self.say(f"{counted(len(devices), 'lock')} would be asked for. Nothing was changed.")
        else:
            self.say(
                f"{counted(len(devices), 'lock')} asked for. The workers take them from here; --wait waits for it."
            )

    def _report(self, settled: list[Settled], *, as_json: bool) -> None:
        if as_json:
            self.show_json({"asked": True, "locks": [lock.to_json() for lock in settled]})
            return
        rows = [(full_name(lock.device), lock.standing.value, lock.open or "", lock.why) for lock in settled]
        self.show_table(("Lock", "Stands", "Open", "Why"), rows)
        fine = sum(lock.fine for lock in settled)
        self.say(f"{fine} of {counted(len(settled), 'lock')} up to date.")


def _row(device: Device) -> dict[str, object]:
    return {
        "id": device.pk,
        "lock": full_name(device),
        "workspace": device.property.workspace.name,
        "connection": plain(listing.connection(device).words),
        "next_sync_at": device.next_sync_at,
    }
