"""What a page may cost, counted on every page there is: queries, bytes, and files it brings along.

Fifty locks and a hundred codes; as few queries with them as without.
"""

import gzip
import re
from pathlib import Path

import brotli
import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from codes.models import AccessCode
from devices.models import Device, Hub, Property
from portal import people
from portal.models import User
from tests import factories, scene, walk
from tests.test_isolation import address, arguments  # noqa: F401  a fixture

MOST_QUERIES, MOST_BYTES, MOST_REQUESTS, QUIET_POLL = 8, 40_000, 4, 1_000
ALLAUTH = {"account_reauthenticate": 10}  # asks for each second factor twice; not ours to change
LOCKS, CODES = 50, 100
FILES = re.compile(r'<(?:link rel="stylesheet"|script|img)[^>]*(?:href|src)="([^"]+)"')


@pytest.fixture
def estate(place: Property, hub: Hub, device: Device, arguments: dict[str, list[object]]) -> dict[str, list[object]]:  # noqa: F811
    """The lively lock of the walk has thirty codes more, and there are 49 others, one of them exhausted."""
    others = [factories.DeviceFactory(property=place, hub=hub, name=f"Door {n:02}") for n in range(LOCKS - 1)]
    scene.exhausted(others[0])
    missing = CODES - AccessCode.objects.count()
    for number in range(missing):
        lock = device if number < 30 else others[number % len(others)]
        scene.guest(lock, f"Guest {number:03}", hours=number % 60, trouble="no_answer" if number % 9 == 0 else "")
    return arguments


def queries_of(client: Client, url: str) -> int:
    """Of a page that was opened before: a guest's first look is written down."""
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    return counted(queries)


def counted(queries: CaptureQueriesContext) -> int:
    """What begins and ends a transaction asks nothing."""
    return sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")) for query in queries)


def client_of(page: walk.Page, alice: User) -> Client:
    client = Client()
    if page.signed_in:
        client.force_login(alice)
    return client


def sent(url: str) -> int:
    """How many bytes a static file is on its way."""
    path = finders.find(url.removeprefix("/static/"))
    assert isinstance(path, str), url
    return len(brotli.compress(Path(path).read_bytes()))


def test_every_page_keeps_to_its_budget(alice: User, estate: dict[str, list[object]]) -> None:
    people.vouch_for(alice)
    wrong = []
    for page in walk.pages(alice, estate):
        client = client_of(page, alice)
        asked = queries_of(client, page.url)
        answer = client.get(page.url, headers={"accept-encoding": "gzip"})
        html = answer.content
        if answer.get("Content-Encoding") == "gzip":
            html = gzip.decompress(html)
        files = FILES.findall(html.decode())
        weight = len(answer.content) + sum(map(sent, files))
        if asked > ALLAUTH.get(page.name, MOST_QUERIES):
            wrong.append(f"{page.name}: {asked} queries")
        if weight > MOST_BYTES:
            wrong.append(f"{page.name}: {weight} bytes")
        if 1 + len(files) > MOST_REQUESTS:
            wrong.append(f"{page.name}: {files}")
    assert not wrong, "\n".join(wrong)


def test_queries_do_not_grow_with_rows(
    alice: User,
    arguments: dict[str, list[object]],  # noqa: F811
    place: Property,
    hub: Hub,
    device: Device,
) -> None:
    people.vouch_for(alice)
    scene.guest(factories.DeviceFactory(property=place, hub=hub), "One more", hours=3)  # of Ben's booking, too
    found = walk.pages(alice, arguments)
    before = {page.name: queries_of(client_of(page, alice), page.url) for page in found}
    for number in range(12):
        lock = factories.DeviceFactory(property=place, hub=hub)
        scene.guest(lock, f"Guest {number}", hours=number)
        scene.guest(device, f"Other {number}", hours=number)
    after = {page.name: queries_of(client_of(page, alice), page.url) for page in found}
    assert {name: (before[name], after[name]) for name in before if after[name] > before[name]} == {}


def test_a_poll_that_changed_nothing_is_next_to_nothing(alice: User, estate: dict[str, list[object]]) -> None:
    client, parts = Client(), [name for name in walk.ALL if name.endswith("_live")]
    client.force_login(alice)
    assert len(parts) >= 4
    for name in parts:
        page = client.get(address(name.removesuffix("_live"), estate)).content.decode()
        seen = dict(re.findall(r'name="(seen-[^"]+)" value="([^"]+)"', page))
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address(name, estate), seen, headers={"HX-Request": "true"})
        assert answer.status_code == 204 and len(answer.content) <= QUIET_POLL, name
        assert counted(queries) <= MOST_QUERIES, name
