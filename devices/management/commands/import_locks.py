"""`manage.py import_locks`: properties, hubs and locks from a CSV file, all of it or nothing."""

import csv
import io
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import IntegrityError

from devices.importing import COLUMNS, Brought, Change, Problem, Row, bring_in, read_sheet
from devices.importing.sheet import MOST_BYTES, MOST_ROWS
from portal.console import MISUSE, PortalCommand, counted, misuse
from portal.lookup import NotFound, workspace_called
from portal.models import Workspace

SHOWN = 40  # problems told at once
TEMPLATE = [
    {
        "property": "Lakeview Cottage",
        "time_zone": "Europe/Lisbon",
        "address": "1 Lake Road",
        "guest_phone": "+351 210 000 000",
        "provider": "zwave",
        "hub": "Lakeview hub",
        "hub_address": "ws://192.0.2.7:3000",
        "lock_ref": "7e570001-12",
        "lock": "Front door",
        "make": "Schlage",
    },
    {"property": "Lakeview Cottage", "hub": "Lakeview hub", "lock_ref": "7e570001-13", "lock": "Back door"},
    {
        "property": "Harbour Loft",
        "time_zone": "America/New_York",
        "provider": "zwave",
        "hub": "Harbour hub",
        "hub_address": "ws://192.0.2.8:3000",
    },
]


def template() -> str:
    """A file to begin with: all columns, and what the help explains."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [*COLUMNS], lineterminator="\n")
    writer.writeheader()
    writer.writerows(TEMPLATE)
    return out.getvalue()


class Command(PortalCommand):
    help = "Brings properties, hubs and locks in from a CSV file. All of it, or nothing if one line is wrong."
    epilog = f"""
FILE is CSV as spreadsheets save it: UTF-8 (or UTF-16 with a mark), comma, semicolon or tab,
{MOST_ROWS} lines and {MOST_BYTES // 1_000_000} MB at most; - reads standard input. The first line names the columns, in
any order; columns not needed can be left out:

{"\n".join(f"  {name:<17} {words}" for name, words in COLUMNS.items())}

A template (manage.py import_locks --template > locks.csv):

{"\n".join(f"  {line}" for line in template().splitlines())}

The first line is a lock with its property and hub; the second another lock there; the third
a hub whose locks are not listed: they are looked for, and put into that property.

What is there already is never changed: a lock, hub or property that the file describes
otherwise is told, and kept as it is. So the same file can be brought in twice. A lock that
was removed from the portal comes back. Backup codes come by themselves.

examples:
  manage.py import_locks locks.csv --dry-run
  manage.py import_locks locks.csv --workspace "Lakeview Stays"
  manage.py import_locks - --json < locks.csv

exit status:
  0  all is there now
  1  all is there, and something was there already that the file describes otherwise
  2  the file is wrong (each cell is named, nothing was changed), wrong call, or no database
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", nargs="?", help="the CSV file; - for standard input")
        parser.add_argument("--workspace", metavar="NAME", help="where lines name none: the workspace's name or id")
        parser.add_argument("--template", action="store_true", help="print a file to begin with, and end")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen; change nothing")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        if options["template"]:
            self.stdout.write(template(), ending="")
            return
        if not options["file"]:
            raise misuse("Name a CSV file, or - for standard input. --template prints one to begin with.")
        workspace = _workspace(options["workspace"])
        rows, problems = read_sheet(_bytes_of(options["file"]))
        brought = _brought(rows, workspace, dry_run=options["dry_run"] or bool(problems))
        brought.problems = _in_order([*problems, *brought.problems])
        self._tell(brought, options)
        self.leave(found=bool(brought.kept))

    def _tell(self, brought: Brought, options: dict[str, Any]) -> None:
        if options["json"]:
            self.show_json(_told(brought, dry_run=options["dry_run"]))
            if brought.problems:
                sys.exit(MISUSE)
            return
        if brought.problems:
            raise misuse(_refusal(brought.problems, options["file"]))
        news = [step for step in brought.steps if step.change != Change.SAME or step.note]
        if news:
            header = ("Line", "What", "Name", "Then", "Note")
            self.show_table(header, [(s.line, s.what, s.name, s.change.value, s.note) for s in news])
        self.say(_summary(brought, dry_run=options["dry_run"]))


def _brought(rows: list[Row], workspace: Workspace | None, *, dry_run: bool) -> Brought:
    try:
        return bring_in(rows, workspace=workspace, dry_run=dry_run)
    except IntegrityError:
        words = "One of these locks was added elsewhere at the same moment. Nothing was changed: run it again."
        raise misuse(words) from None


def _workspace(name: str | None) -> Workspace | None:
    try:
        return workspace_called(name) if name else None
    except NotFound as error:
        raise misuse(str(error)) from None


def _bytes_of(name: str) -> bytes:
    """The file, one byte more than is taken at most: then it is refused. Raises CommandError."""
    try:
        if name == "-":
            return sys.stdin.buffer.read(MOST_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise misuse(f"{name} cannot be read: {(error.strerror or type(error).__name__).lower()}.") from None


def _in_order(problems: list[Problem]) -> list[Problem]:
    columns = [*COLUMNS]
    known = {(one.line, one.column): one for one in reversed(problems)}  # the cell as text before what it would mean
    return sorted(
        known.values(), key=lambda one: (one.line, columns.index(one.column) if one.column in columns else -1)
    )


def _refusal(problems: list[Problem], name: str) -> str:
    told = [f"  {one}" for one in problems[:SHOWN]]
    more = [f"  and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    head = f"{counted(len(problems), 'thing')} in {name} to put right. Nothing was changed."
    return "\n".join([head, *told, *more])


def _summary(brought: Brought, *, dry_run: bool) -> str:
    parts = [
        counted(brought.added(what), what, many)
        for what, many in (("property", "properties"), ("hub", "hubs"), ("lock", "locks"))
    ]
    there = sum(step.change in (Change.SAME, Change.KEPT) for step in brought.steps)
    verb = "would be added" if dry_run else "added"
    kept = f" {len(brought.kept)} described otherwise in the file, and kept as they are." if brought.kept else ""
    return f"{', '.join(parts)} {verb}; {there} there already.{kept}{' Nothing was changed.' if dry_run else ''}"


def _told(brought: Brought, *, dry_run: bool) -> dict[str, object]:
    whats = (("property", "properties"), ("hub", "hubs"), ("lock", "locks"))
    steps = [
        {"line": s.line, "what": s.what, "name": s.name, "change": s.change.name.lower(), "note": s.note}
        for s in brought.steps
    ]
    return {
        "dry_run": dry_run,
        "done": not dry_run and not brought.problems,
        "added": {many: 0 if brought.problems else brought.added(what) for what, many in whats},
        "steps": [] if brought.problems else steps,
        "problems": [{"line": one.line, "column": one.column, "problem": one.words} for one in brought.problems],
    }
