"""What travels: a page with nothing in the browser's cache, the same again, and a poll. The budget is `UX.md`'s."""

import re
from collections.abc import Iterator

import brotli
from django.conf import settings
from django.contrib.staticfiles import finders
from django.urls import reverse

from tests.bench.browser import Answer, Browser
from tests.bench.figure import Figure, within
from tests.bench.polls import POLLED, SEEN
from tests.bench.run import Run
from tests.bench.scenery import full_lock

COLD, WARM, POLL, REQUESTS = 40, 40, 1, 4  # kB, kB, kB, requests
PARTS = re.compile(r'<(?:script|link)[^>]+(?:src|href)="(/static/[^"?]+)')


def figures(run: Run) -> Iterator[Figure]:
    device, user = full_lock()
    client = Browser(user)
    address = reverse("device", args=[device.pk])
    plain = client.get(address).content.decode()
    page = client.get(address, headers={"Accept-Encoding": "gzip"})
    seen = dict(SEEN.findall(plain))
    poll = client.get(reverse("device_live", args=[device.pk]), seen, headers=POLLED)
    parts = PARTS.findall(plain)
    note = "lock’s page with 100 codes; page gzip, files brotli, as served"
    html = _sent(page)
    files = sum(len(brotli.compress(_file(part))) for part in parts)
    yield within("cold page", (html + files) / 1000, COLD, unit="kB", note=note)
    yield within("cold page, requests", 1 + len(parts), REQUESTS, unit="requests")
    yield within("warm page", html / 1000, WARM, unit="kB", note=note)
    yield within("a poll that changed nothing", _sent(poll) / 1000, POLL, unit="kB")


def _sent(response: Answer) -> int:
    """Body and headers."""
    return len(response.content) + sum(len(name) + len(value) + 4 for name, value in response.headers.items())


def _file(address: str) -> bytes:
    found = finders.find(address.removeprefix(settings.STATIC_URL))
    assert isinstance(found, str), f"{address} is not there"
    with open(found, "rb") as file:
        return file.read()
