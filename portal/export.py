"""Lists as CSV files that a spreadsheet opens without harm."""

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Echo:
    """What the csv module writes to: gives each line back instead of keeping it."""

    def write(self, value: str) -> str:
        return value


def cell(value: object) -> str:
    """The value as a spreadsheet reads it as text: what would begin a formula gets a ' in front."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def csv_response(filename: str, header: Iterable[object], rows: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    """A download that is sent while it is read, however long it is. UTF-8 with a mark, for Excel."""
    response = StreamingHttpResponse(_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "no-store"
    return response


def _lines(header: Iterable[object], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield "\ufeff" + str(writer.writerow([cell(value) for value in header]))
    for row in rows:
        yield str(writer.writerow([cell(value) for value in row]))
