"""Every form field and every filter, filled with what nobody should type: an answer, never an error and never a trace.

The fields are read from the pages themselves, so a new form is fuzzed without a word here. Each example is one page's
whole form with a few of its fields spoilt, sent at once, and undone after it.
"""

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.db import connection, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from portal.models import User
from tests.test_isolation import ALL, LAST, address, arguments

__all__ = ["arguments"]  # the fixture

NASTY = [
    "\x00",
    "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    "'; DROP TABLE devices_pin; --",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}{% debug %}",
    "=HYPERLINK(1)",
    "%s%n%(name)s",
    "../../etc/passwd",
    "1e309",
    "-1",
    "9" * 40,
    "NaN",
    "None",
    "٤٢",  # digits, but not ours
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "2027-02-29T15:00",
    "2027-06-01T15:00+14:00",
    "Europe/Lisbon\x00",
    "../Europe/Lisbon",
    "11111111-1111-1111-1111-111111111111",
    "a" * 300,
    "\u202egnp.exe",
    "ﷺ" * 60,
    "🔑" * 60,
    "\r\nSet-Cookie: a=b",
    "ws://[",
    "ws://example.org:99999999",
    " ",
]
VALUES = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=60),
    st.datetimes().map(lambda at: at.isoformat(timespec="minutes")),
    st.integers().map(str),
    st.text(alphabet="0123456789", max_size=14),
)
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))


class Fields(HTMLParser):
    """The names of a page's fields, with a value each that the page itself offers."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("input", "textarea", "button") and given.get("name"):
            self.found.setdefault(given["name"], given.get("value", ""))
        if tag == "select":
            self._select = given.get("name", "")
            self.found.setdefault(self._select, "")
        if tag == "option" and self._select and not self.found[self._select]:
            self.found[self._select] = given.get("value", "")


def fields_of(client: Client, url: str) -> dict[str, str]:
    answer = client.get(url)
    if answer.status_code != 200 or "html" not in answer["Content-Type"]:
        return {}
    found = Fields(answer.content.decode()).found
    found.pop("csrfmiddlewaretoken", None)
    return {name: value for name, value in found.items() if name}


def names() -> Iterator[str]:
    yield from (name for name in ALL if name not in LAST and not name.endswith("_export"))


@pytest.mark.parametrize("name", list(names()))
def test_no_form_field_breaks_a_page(alice: User, arguments: dict[str, list[object]], name: str) -> None:
    client = Client()
    client.force_login(alice)
    url = address(name, arguments)
    known = fields_of(client, url) or {"q": "", "pin": ""}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(spoilt=st.dictionaries(st.sampled_from(sorted(known)), VALUES, min_size=1, max_size=4))
    def spoil(spoilt: dict[str, str]) -> None:
        with transaction.atomic():
            for send in (client.get, client.post):
                answer = send(url, {**known, **spoilt})  # an exception in a view is raised here
                assert answer.status_code < 500
                body = b"" if answer.streaming else answer.content
                assert b"Traceback" not in body and b"<script>alert(1)" not in body
                assert not re.search(rb"(?<!\{)\b49\b\{", body)
            transaction.set_rollback(True)

    spoil()


@pytest.mark.parametrize("name", [name for name in ALL if name.endswith("_export")])
def test_no_filter_breaks_an_export(signed_in: Client, arguments: dict[str, list[object]], name: str) -> None:
    for value in NASTY:
        for field in ("q", "kind", "status", "property", "since", "until", "sort", "lock", "code", "before"):
            answer = signed_in.get(address(name, arguments), {field: value})
            assert answer.status_code == (400 if "\x00" in value else 200), (field, value)
            assert answer.getvalue()


def test_the_pages_do_have_fields(alice: User, arguments: dict[str, list[object]]) -> None:
    """Else the tests above would prove nothing."""
    client = Client()
    client.force_login(alice)
    found = {name: fields_of(client, address(name, arguments)) for name in names()}
    assert {"starts_at", "ends_at", "pin", "kind", "name"} <= set(found["code_add"])
    assert {"address", "provider", "property"} <= set(found["hub_add"])
    assert {"q", "status", "since"} <= set(found["code_list"])
    assert connection.in_atomic_block
