"""`manage.py remove_expired_codes`: takes the PINs of stays that are over off the locks, and tells what is left."""

from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandParser

from codes.attending import add_attending, check_attending, see_through
from codes.expired import Expired, ask_again, end_all_stays, expired, unended
from devices.lookup import full_name
from portal.console import PortalCommand, counted, misuse
from portal.lookup import NotFound, workspace_called
from portal.models import Workspace


class Command(PortalCommand):
    help = "Takes the PINs of stays that are over off the locks, and lists those that may still open a door, and why."
    epilog = """
This happens by itself at each checkout. The command ends stays that no tick has ended, asks
the locks again at once for what could not be taken off, and tells what is left. Without
--wait or --here it does not wait for the locks. Safe to run twice and beside the workers.

Codes on locks that were removed from the portal cannot be taken off from here; --removed
lists them.

examples:
  manage.py remove_expired_codes --dry-run          # what may still open a door, and why
  manage.py remove_expired_codes --wait 120
  manage.py remove_expired_codes --workspace "Lakeview Stays" --here --json

exit status:
  0  no PIN of a stay that is over is left on a lock
  1  some may still open a door: they are listed
  2  wrong call, unknown workspace, or no database
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", metavar="NAME", help="only this workspace's, by name or id")
        add_attending(parser)
        parser.add_argument("--removed", action="store_true", help="list codes on locks removed from the portal, too")
        parser.add_argument("--dry-run", action="store_true", help="list them; end nothing and ask for nothing")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        check_attending(options)
        workspace = _workspace(options["workspace"])
        ending = unended(workspace).count()
        if not options["dry_run"]:
            end_all_stays()
        left = expired(workspace)
        asked = 0
        if not options["dry_run"]:
            asked = len(left)
            see_through(ask_again(left), options)
            left = expired(workspace)
        reachable = [one for one in left if not one.lock_is_removed]
        shown = left if options["removed"] else reachable
        if options["json"]:
            told = {"dry_run": options["dry_run"], "ended": ending, "left": [one.to_json() for one in shown]}
            self.show_json({**told, "on_removed_locks": len(left) - len(reachable)})
        else:
            self._report(shown, ending, asked - len(left), len(left) - len(reachable), options)
        self.leave(found=bool(reachable))

    def _report(
        self, shown: Sequence[Expired], ending: int, gone: int, on_removed: int, options: dict[str, Any]
    ) -> None:
        if shown:
            self.show_table(("Code", "Lock", "Over since", "Why it may still be there"), map(_row, shown))
        if ending:
            self.say(f"{counted(ending, 'stay')} {'would be ended' if options['dry_run'] else 'ended'}.")
        if gone > 0:
            self.say(f"{counted(gone, 'PIN')} taken off.")
        if shown:
            self.say(f"{counted(len(shown), 'PIN')} may still open a door.")
        else:
            self.say("No PIN of a stay that is over is left on a lock.")
        if on_removed and not options["removed"]:
            self.say(f"{counted(on_removed, 'PIN')} may be on locks removed from the portal: --removed lists them.")


def _workspace(name: str | None) -> Workspace | None:
    try:
        return workspace_called(name) if name else None
    except NotFound as error:
        raise misuse(str(error)) from None


def _row(one: Expired) -> tuple[object, ...]:
    return one.given.pin.label, full_name(one.device), one.since, one.why
