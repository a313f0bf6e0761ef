"""`manage.py check_pools`: for cron and monitors: is a pool low or exhausted?"""

from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandParser

from backups.checking import CheckedPool, check_pools
from backups.status import State
from devices.lookup import full_name
from portal.console import PortalCommand, counted, misuse
from portal.lookup import NotFound, workspace_called


class Command(PortalCommand):
    help = "Tells which backup pools are low or exhausted, the worst first. Reads only; for cron and monitors."
    epilog = """
A new pool that is still being set up, and a lock that does not support backup codes, are
fine. With cron: it prints nothing with --quiet unless something is found.

examples:
  manage.py check_pools
  manage.py check_pools --quiet                # cron mails only when something is found
  manage.py check_pools --only-exhausted --json
  manage.py check_pools --workspace "Lakeview Stays" --list

exit status:
  0  no pool is low or exhausted
  1  some are: they are listed with the likely cause
  2  wrong call, unknown workspace, or no database
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", metavar="NAME", help="only this workspace's, by name or id")
        parser.add_argument("--only-exhausted", action="store_true", help="a pool that is merely low is fine")
        parser.add_argument("--list", action="store_true", help="list the pools that are fine, too")
        parser.add_argument("--quiet", action="store_true", help="print nothing when nothing is found")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        pools = _pools(options["workspace"])
        alarming = (State.EXHAUSTED,) if options["only_exhausted"] else (State.EXHAUSTED, State.LOW)
        found = [pool for pool in pools if pool.state in alarming]
        shown = pools if options["list"] else found
        if options["json"]:
            self.show_json(_told(pools, shown))
        elif found or not options["quiet"]:
            self._report(pools, shown, len(found))
        self.leave(found=bool(found))

    def _report(self, pools: Sequence[CheckedPool], shown: Sequence[CheckedPool], found: int) -> None:
        if shown:
            self.show_table(("Pool", "Ready", "Lock", "Workspace", "Since", "Likely cause", "On it"), map(_row, shown))
        if found:
            self.say(f"Low or exhausted: {found} of {counted(len(pools), 'pool')}.")
        else:
            self.say(f"{counted(len(pools), 'pool')} checked, nothing found.")


def _pools(workspace: str | None) -> list[CheckedPool]:
    try:
        return check_pools(workspace_called(workspace) if workspace else None)
    except NotFound as error:
        raise misuse(str(error)) from None


def _row(pool: CheckedPool) -> tuple[object, ...]:
    ready = f"{pool.status.ready} of {pool.status.size}"
    workspace = pool.device.property.workspace.name
    return pool.state.value, ready, full_name(pool.device), workspace, pool.since, pool.cause, pool.taken_on_by


def _told(pools: Sequence[CheckedPool], shown: Sequence[CheckedPool]) -> dict[str, object]:
    def number(state: State) -> int:
        return sum(pool.state == state for pool in pools)

    return {
        "checked": len(pools),
        "low": number(State.LOW),
        "exhausted": number(State.EXHAUSTED),
        "pools": [pool.to_json() for pool in shown],
    }
