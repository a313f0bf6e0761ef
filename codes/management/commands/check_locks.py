"""`manage.py check_locks`: holds what the portal believes against what is on the locks."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import CommandParser

from codes.attending import meant
from codes.comparing import Compared, compare_locks, mend_locks
from devices.lookup import full_name
from devices.models import Device
from devices.programming.differences import Difference, Kind
from portal.console import PortalCommand, counted, misuse, progress, seconds

PATIENCE = 120.0  # seconds

WORDS = {
    Kind.MISSING: "missing on the lock",
    Kind.DIFFERENT: "other digits on the lock",
    Kind.TIMES: "other times on the lock",
    Kind.FORMER: "should be gone, still there",
    Kind.UNEXPECTED: "there, and not known",
    Kind.STRANGER: "not ours, new",
    Kind.WAITING: "still to be set",
    Kind.UNMANAGED: "not ours, known",
}


class Command(PortalCommand):
    help = "Reads locks in full and lists where they differ from what the portal believes."
    epilog = """
LOCK is a lock's id, its reference at the hub, its door's name, "Property / Door", or
"Workspace / Property / Door".

Differences:
  missing      the portal says set, the lock has nothing there
  different    other digits stand in its place
  times        it opens at other times than wanted
  former       a code that should be gone is still on the lock, and may open the door
  unexpected   one of ours is there, and the portal did not know
  stranger     somebody else's code that the portal did not know of
Listed, and no difference: codes still to be set (waiting), somebody else's codes that
the portal knows of (unmanaged).

Without --repair nothing is changed, neither on the lock nor in the portal. With it the
engine mends what it may: sets what is missing, takes off what was ours. Somebody else's
code is never touched. Each lock is read under its lease, so beside running workers there
is one writer. Reading costs battery: all of a hundred locks each hour is too often.

examples:
  manage.py check_locks "Front door"
  manage.py check_locks --all --json
  manage.py check_locks "Lakeview Cottage / Front door" --repair

exit status:
  0  no difference is left
  1  some are, or a lock could not be read
  2  wrong call, unknown or ambiguous lock, or no database
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("locks", metavar="LOCK", nargs="*", help="which locks; see below for how to name one")
        parser.add_argument("--all", action="store_true", help="every lock of every workspace")
        parser.add_argument("--repair", action="store_true", help="let the engine mend what differs, then look again")
        parser.add_argument("--dry-run", action="store_true", help="change nothing, as without --repair")
        parser.add_argument(
            "--timeout",
            type=seconds,
            default=PATIENCE,
            metavar="SECONDS",
            help="for all locks together; 120 if not told",
        )
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        if options["repair"] and options["dry_run"]:
            raise misuse("--repair changes and --dry-run does not: give one of them.")
        compared = _compare(meant(options), repair=options["repair"], patience=options["timeout"])
        if options["json"]:
            self.show_json({"repaired": options["repair"], "locks": [one.to_json() for one in compared]})
        else:
            self._report(compared)
        self.leave(found=not all(one.fine for one in compared))

    def _report(self, compared: Sequence[Compared]) -> None:
        lines = [line for one in compared for line in _lines(one)]
        if lines:
            self.show_table(("Lock", "Found", "Code", "Place", "Then"), lines)
        differ = sum(bool(one.left) for one in compared)
        unread = sum(bool(one.comparison.trouble) for one in compared)
        mended = sum(len(one.mended) for one in compared)
        parts = [f"{counted(len(compared), 'lock')} checked", f"{differ} differ"]
        parts += [f"{unread} not read"] if unread else []
        parts += [f"{counted(mended, 'difference')} mended"] if mended else []
        self.say(", ".join(parts) + ".")


def _compare(devices: Sequence[Device], *, repair: bool, patience: float) -> list[Compared]:
    with progress("Reading locks", len(devices)) as done:
        found = compare_locks(devices, seconds=patience, done=done)
    differ = sum(bool(one.left) for one in found)
    if not repair or not differ:
        return found
    with progress("Mending", 2 * differ) as done:
        return mend_locks(found, seconds=patience, done=done)


def _lines(one: Compared) -> Iterable[tuple[str, ...]]:
    name = full_name(one.device)
    if one.comparison.trouble:
        yield name, "not read", "", "", one.comparison.trouble
    if not one.comparison.readable:
        yield name, "not read", "", "", "this make of lock shows nothing"
    for difference in one.mended:
        yield name, WORDS[difference.kind], difference.label, difference.place, "mended"
    for difference in one.comparison.differences:
        yield name, WORDS[difference.kind], difference.label, difference.place, _then(difference)


def _then(difference: Difference) -> str:
    if not difference.counts:
        return difference.why
    return difference.why or ("--repair mends it" if difference.mends and difference.kind != Kind.STRANGER else "noted")
