"""What all maintenance commands share: words, tables, errors, exit statuses."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from portal.console import PortalCommand, counted, misuse, plain, printable, progress, seconds
from portal.moments import clock
from portal.near import near

pytestmark = pytest.mark.django_db  # a command writes down what was counted in its process, whoever counted it


class Works(PortalCommand):
    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__(stdout=StringIO(), stderr=StringIO())
        self.error = error

    def handle(self, **options: object) -> None:
        if self.error:
            raise self.error
        self.show_table(("Lock", "At"), [("Front\ndoor", datetime(2026, 11, 25, 14, 40, tzinfo=UTC)), (None, "x")])


def test_columns_line_up_and_no_name_breaks_a_line() -> None:
    command = Works()
    call_command(command, skip_checks=True)
    assert command.stdout.getvalue().splitlines() == [
        "Lock        At",
        "Front�door  2026-11-25 14:40 UTC",
        "            x",
    ]


def test_a_database_error_tells_no_row_and_ends_with_2() -> None:
    with pytest.raises(CommandError) as caught:
        call_command(Works(IntegrityError("DETAIL: Key (secret)=(4711)")), skip_checks=True)
    assert caught.value.returncode == 2 and "4711" not in str(caught.value) and caught.value.__suppress_context__


def test_ctrl_c_ends_quietly() -> None:
    with pytest.raises(SystemExit) as caught:
        call_command(Works(KeyboardInterrupt()), skip_checks=True)
    assert caught.value.code == 130


def test_a_pages_words_come_without_markup_and_in_utc() -> None:
    at = datetime(2026, 11, 25, 14, 40, tzinfo=UTC)
    assert plain(f"Tom&#x27;s hub since {clock(at, 'Asia/Tokyo')}") == "Tom's hub since 2026-11-25 14:40 UTC"


def test_what_would_command_a_terminal_is_taken_out() -> None:
    assert printable("a\x1b[2Jb\u202ec é 👩‍👧 x\xa0y") == "a�[2Jb�c é 👩‍👧 x\xa0y"
    assert str(misuse("two\nlines \x07")) == "two\nlines �"


def test_progress_is_silent_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Working", 2) as done:
        done(1)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("text", ["x", "0", "-1", "nan", "1e9"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="seconds"):
        seconds(text)


def test_near_names_are_like_or_hold_what_was_typed() -> None:
    assert near("frnt", ["Front door", "Front", "Gate"]) == ["Front", "Front door"]
    assert near("GATE", ["Front door", "Garden gate", "Gate"])[0] == "Gate"
    assert near("xyz", ["Front door"]) == []


def test_counting() -> None:
    assert (counted(1, "lock"), counted(2, "lock"), counted(0, "try", "tries")) == ("1 lock", "2 locks", "0 tries")
