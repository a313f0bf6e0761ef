"""The page of a lock with a hundred codes, held against the admin's list of the same and against its floor.

The floor is what no page can do without: its own statements run raw by the driver, and one template rendered with
rows that are finished text already.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.db import connection
from django.template import Context, Engine
from django.urls import reverse
from django.utils.html import strip_tags

from codes.listing import Row, code_list
from codes.lock_pins import lock_pins
from devices.models import Device
from portal.models import User
from portal.moments import moment
from tests.bench.browser import Browser
from tests.bench.figure import Figure, at_most
from tests.bench.measure import Query, medians, queries
from tests.bench.run import Run
from tests.bench.scenery import full_lock

TEMPLATES = Path(__file__).parent / "templates"
ROWS = re.compile(r'<tr role="row" id=".*</tr>', re.DOTALL)


def figures(run: Run) -> Iterator[Figure]:
    device, user = full_lock()
    client = Browser(user)
    page = reverse("device", args=[device.pk])
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    admin = reverse("admin:codes_accesscode_changelist") + "?all=1"  # on one page
    _check(client, page, admin)
    floor = Floor(client, page, device)
    ours, theirs, least = medians(client.asking(page), client.asking(admin), floor.run, rounds=run.choose(60, 15))
    note = f"{floor.statements} queries, {connection.vendor}"
    title = "lock’s page with 100 codes, server time"
    yield at_most(
        title, ours * 1000, theirs * 1000, 0.4, unit="ms", peer="Django admin’s list of the same codes", note=note
    )
    yield at_most(title, ours * 1000, least * 1000, 1.6, unit="ms", peer="floor: its SQL raw + one template", note=note)


class Floor:
    """The page's own statements run raw, and one rendering of the same bytes from finished rows."""

    def __init__(self, client: Browser, page: str, device: Device) -> None:
        client.get(page)
        with queries() as found:
            html = client.get(page).content.decode()
        self._queries: Sequence[Query] = found
        self._template = _template(html)
        listed = code_list(device, lock_pins(device))
        self._rows = [_finished(row, device) for row in listed.rows]

    @property
    def statements(self) -> int:
        return len(self._queries)

    def run(self) -> str:
        with connection.cursor() as cursor:
            raw = cursor.cursor if connection.vendor == "postgresql" else cursor
            for query in self._queries:
                raw.execute(query.sql, query.params)
                if raw.description:
                    raw.fetchall()
        return self._template.render(Context({"rows": self._rows}))


def _template(html: str) -> Any:
    """The page as it is, its rows replaced by one loop."""
    engine = Engine(dirs=[TEMPLATES])
    loop = (TEMPLATES / "rows.html").read_text()
    around = ROWS.sub("\0", html).split("\0")
    assert len(around) == 2, "the page's rows were not found"
    escaped = ["{% verbatim %}" + part + "{% endverbatim %}" for part in around]
    return engine.from_string(loop.join(escaped))


def _finished(row: Row, device: Device) -> dict[str, object]:
    zone = device.property.time_zone
    when = f"{moment(row.starts_at, zone)} → {moment(row.ends_at, zone)}" if row.starts_at and row.ends_at else "Always"
    return {
        "key": row.key,
        "under": row.under,
        "link": f"/codes/{row.code_id}/" if row.code_id else "",
        "code_id": str(row.code_id or ""),
        "name": row.name,
        "reference": row.reference,
        "cover": row.cover,
        "cover_key": row.cover_key,
        "pin_id": row.pin_id,
        "when": when,
        "tone": row.status.tone,
        "words": strip_tags(str(row.status.words)),
    }


def _check(client: Browser, page: str, admin: str) -> None:
    """Both show all of the codes."""
    for address in (page, admin):
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.content.count(b"Guest Number") >= 100, f"{address} does not list the codes"
