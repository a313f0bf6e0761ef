"""Polls of pages that nothing has changed, held against the page itself."""

import re
from collections.abc import Iterator

from django.db import connection
from django.urls import reverse

from codes.models import AccessCode
from codes.tick import tick
from tests.bench.browser import Browser
from tests.bench.figure import Figure, at_most, within
from tests.bench.measure import medians, queries
from tests.bench.run import Run
from tests.bench.scenery import full_lock

SEEN = re.compile(r'name="(seen-[\w-]+)" value="(\w+)"')
POLLED = {"HX-Request": "true"}


def figures(run: Run) -> Iterator[Figure]:
    device, user = full_lock()
    tick()  # home trusts a beating heart only
    code = AccessCode.objects.filter(device=device, starts_at__isnull=False).earliest("starts_at")
    client = Browser(user)
    guest = reverse("guest_page", args=[code.guest_token])
    pages = {
        "lock": (reverse("device", args=[device.pk]), reverse("device_live", args=[device.pk])),
        "home": (reverse("home"), reverse("home_live")),
        "codes": (reverse("code_list"), reverse("code_list_live")),
        "guest": (guest, guest),
    }
    for name, (page, poll) in pages.items():
        yield from _figures(run, client, name, page, poll)


def _figures(run: Run, client: Browser, name: str, page: str, poll: str) -> Iterator[Figure]:
    client.get(page)  # a guest's first look is written down, which is a change
    seen = dict(SEEN.findall(client.get(page).content.decode()))

    polling = client.asking(poll, seen, headers=POLLED)

    def ask() -> None:
        answer = polling()
        assert answer.status_code == 204, f"{poll} sends something though nothing has changed"

    with queries() as asked:
        ask()
    ours, theirs = medians(ask, client.asking(page), rounds=run.choose(60, 10))
    title = f"a poll when nothing changed ({name})"
    yield at_most(title, ours * 1000, theirs * 1000, 0.1, unit="ms", peer="the whole page", note=connection.vendor)
    yield within(f"the same, queries ({name})", len(asked), 2, unit="queries")
