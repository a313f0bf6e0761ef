"""A CSV file as spreadsheets write it, as rows of text by column. Knows what columns there are, not what they mean."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.console import is_control
from portal.export import FORMULA
from portal.near import near

MOST_BYTES = 10_000_000
MOST_ROWS = 10_000
COLUMNS = {
    "workspace": "name or id; not needed where --workspace says it, or there is only one",
    "property": "the place; needed on each line",
    "time_zone": "like Europe/Lisbon; needed for a property that is new",
    "address": "the property's street address",
    "guest_phone": "the number guests are asked to call",
    "if_nothing_works": "for staff only: a key safe, a neighbour with a key",
    "provider": "zwave or simulator; needed with hub_address",
    "hub": "what your team calls the hub; its address if empty",
    "hub_address": "like ws://192.0.2.7:3000",
    "lock_ref": "the lock's reference at its hub; for zwave home id and node, like 7e570001-12",
    "lock": "the door's name, like Front door",
    "make": "like Schlage; found out by itself later",
    "model": "like BE469",
}
SEVERAL_LINES = "if_nothing_works"
SPREADSHEET_ERRORS = ("#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!")
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the file, where. `line` counts from 1 with the header; `column` by name, "" for all of it."""

    line: int
    column: str
    words: str

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.words}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file: its number, and each known column's text, "" where it is empty or not in the file."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


class Unreadable(Exception):
    """The file as a whole makes no sense."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_sheet(data: bytes) -> tuple[list[Row], list[Problem]]:
    """The file's rows, without empty ones, and everything that is wrong with its cells as text.

    UTF-8 or UTF-16 with a mark; comma, semicolon or tab between cells. A leading ' before what would begin a formula,
    as our own exports write it, is taken away.
    """
    try:
        return _read(_text_of(data))
    except Unreadable as unreadable:
        return [], [unreadable.problem]


def _text_of(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise Unreadable(Problem(1, "", f"the file is larger than {MOST_BYTES // 1_000_000} MB: split it"))
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Unreadable(Problem(line, "", "this is not UTF-8. Save the file as “CSV UTF-8”.")) from None
    if "\0" in text:
        raise Unreadable(
            Problem(text[: text.index("\0")].count("\n") + 1, "", "this is no text: save the file as CSV.")
        )
    return text


def _read(text: str) -> tuple[list[Row], list[Problem]]:
    lines = _lines(text)
    header_line, header = next(lines, (1, []))
    if not header:
        raise Unreadable(Problem(1, "", "the file is empty: the first line names the columns"))
    columns, problems = _columns(header_line, header)
    if problems:
        return [], problems
    rows: list[Row] = []
    for line, cells in lines:
        row, wrong = _row(line, columns, cells)
        rows.append(row)
        problems += wrong
        if len(rows) > MOST_ROWS:
            raise Unreadable(Problem(line, "", f"more than {MOST_ROWS} lines: split the file"))
    return rows, problems


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not empty, with the number it begins at."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, [cell.strip() for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(Problem(line, "", f"no CSV: {error}. Is a quotation mark missing?")) from None


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def _columns(line: int, header: Sequence[str]) -> tuple[list[str], list[Problem]]:
    names = ["_".join(cell.casefold().split()) for cell in header]
    problems = []
    for place, name in enumerate(names):
        if name and name not in COLUMNS:
            alike = near(name, COLUMNS)[:1]
            hint = f"Is “{alike[0]}” meant?" if alike else f"There are: {', '.join(COLUMNS)}."
            problems.append(Problem(line, name, f"no such column. {hint}"))
        elif name and name in names[:place]:
            problems.append(Problem(line, name, "this column is there twice"))
    if "property" not in names:
        problems.append(Problem(line, "property", "this column is missing"))
    return names, problems


def _row(line: int, columns: Sequence[str], cells: Sequence[str]) -> tuple[Row, list[Problem]]:
    problems = [
        Problem(line, name, wrong)
        for name, cell in zip(columns, cells, strict=False)
        if name and (wrong := _wrong(name, cell))
    ]
    beyond = [cell for place, cell in enumerate(cells) if cell and (place >= len(columns) or not columns[place])]
    if beyond:
        problems.append(
            Problem(line, "", "more cells than columns. Put text that holds a comma between quotation marks.")
        )
    return Row(line, {name: _unquoted(cell) for name, cell in zip(columns, cells, strict=False) if name}), problems


def _unquoted(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def _wrong(name: str, cell: str) -> str:
    if cell.startswith("="):
        return "this is a spreadsheet’s formula. Paste its value; text that begins so gets a ' in front."
    if cell.upper() in SPREADSHEET_ERRORS:
        return f"“{cell}” is a spreadsheet’s error, not a value"
    allowed = "\n\r\t" if name == SEVERAL_LINES else ""
    if any(is_control(letter) and letter not in allowed for letter in cell):
        return "this holds a line break or another control character"
    return ""
