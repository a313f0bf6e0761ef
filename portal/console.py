"""What the maintenance commands share: how their help reads, how they report, and what their exit status says.

They run with production settings, by hand or by cron: tables on a terminal, plain columns in a mail or a pipe, JSON for
programs; progress on the terminal alone. Never a PIN.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from html import unescape
from typing import IO, Any, ClassVar, cast
from unicodedata import category

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError
from django.utils.html import strip_tags
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from portal.database import name_of
from portal.tally import flush

FOUND = 1  # exit status: something needs somebody
MISUSE = 2  # exit status: a wrong call, bad input, or no database to work on
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # left to right, and the other way round
STOPPED = 130  # exit status: Ctrl-C, as shells have it
TIME = re.compile(r'<time datetime="([^"]+)">[^<]*</time>')

type Cell = object  # None shows as nothing, an instant in UTC


class PortalCommand(BaseCommand):
    """A command with an epilog of examples in its help, that reports to people and to programs alike."""

    epilog: ClassVar[str] = ""
    suppressed_base_arguments = {  # they work, and would bury what is the command's own
        "--version",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
        "--skip-checks",
    }

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        raw = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, epilog=self.epilog, formatter_class=raw, **kwargs)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:  # its message may print a row
            said = f"The database failed ({name_of(error)}). See that it runs and is migrated: manage.py doctor."
            raise CommandError(said, returncode=MISUSE) from None
        except KeyboardInterrupt:
            self.stderr.write("Stopped. What is done stays done; the same call goes on from there.")
            sys.exit(STOPPED)
        finally:
            flush()  # what locks' turns counted here: nobody else tells it to /metrics

    def say(self, words: str) -> None:
        self.stdout.write(words)

    def show_json(self, data: object) -> None:
        self.stdout.write(json.dumps(data, indent=2, cls=DjangoJSONEncoder, ensure_ascii=False))

    def show_table(self, header: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str = "") -> None:
        """A table on a terminal; elsewhere columns that line up in a mail, two spaces or more between them."""
        lines = [[_text(cell) for cell in row] for row in rows]
        if not self.stdout.isatty():
            self.stdout.write(_columns([list(header), *lines]))
            return
        table = Table(*header, title=title or None)
        for line in lines:
            table.add_row(*line)
        Console(file=cast(IO[str], self.stdout), markup=False, highlight=False).print(table)

    def leave(self, *, found: bool) -> None:
        """End with exit status 1 if something was found that needs somebody."""
        if found:
            sys.exit(FOUND)


def misuse(words: str) -> CommandError:
    """A wrong call, as an error with exit status 2."""
    return CommandError("\n".join(map(printable, words.splitlines())), returncode=MISUSE)


def printable(text: str) -> str:
    """The text without what would command a terminal: names are typed by people everywhere."""
    return "".join("�" if is_control(letter) else letter for letter in text)


def is_control(letter: str) -> bool:
    """Whether it commands a terminal, breaks a line or turns the direction of writing."""
    return category(letter) in ("Cc", "Cs", "Zl", "Zp") or letter in TURNS


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Shows on standard error how far long work is; nothing where that is no terminal. Call it with steps done."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda steps: bar.advance(task, steps)


def seconds(text: str) -> float:
    """An argument that is a time in seconds."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from None
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError("write a number of seconds from 1 to 86400")
    return value


def counted(number: int, one: str, many: str = "") -> str:
    """`1 lock`, `3 locks`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def plain(words: object) -> str:
    """A page's words without their markup; a time in them, which a page shows in the property's zone, in UTC."""
    return unescape(strip_tags(TIME.sub(lambda found: in_utc(datetime.fromisoformat(found[1])), str(words))))


def in_utc(instant: datetime) -> str:
    """`2026-11-25 14:40 UTC`."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    return in_utc(cell) if isinstance(cell, datetime) else printable(str(cell))


def _columns(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
