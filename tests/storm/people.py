"""People who use the portal while it storms: managers at its pages and services, guests at their links."""

import random
import re
import threading
import time
import urllib.parse
from collections.abc import Sequence
from datetime import timedelta
from http.client import HTTPConnection, HTTPException

from django.core.exceptions import ValidationError
from django.db import DatabaseError, close_old_connections, connections
from django.test import Client
from django.utils import timezone

from codes.models import AccessCode
from codes.services import add_code, cancel_code, change_code, pull_backup
from devices.models import Device
from portal.clock import wall_clock
from portal.models import User
from tests.storm.stack import Stack

ONCE = re.compile(r'name="once"[^>]*value="([^"]+)"')
CSRF = "a" * 32  # a page takes any token, as long as the cookie says the same
NO_ERROR = {0, 200, 204, 302, 404, 429, 503}  # 0: nobody there, 503: not ready


def signed_in(user: User) -> str:
    """The cookie of a browser in which this person is signed in."""
    client = Client()
    client.force_login(user)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def fill_form(portal: Stack, path: str, cookie: str, **fields: str) -> int:
    """Open a form's page, send it; the answer's status, 0 when the web server was away."""
    status, page = portal.get(path, cookie=cookie)
    if status != 200:
        return status
    body = urllib.parse.urlencode({"csrfmiddlewaretoken": CSRF, "once": "".join(ONCE.findall(page)), **fields})
    asked = HTTPConnection("127.0.0.1", portal.port, timeout=30)
    headers = {"Cookie": f"{cookie}; csrftoken={CSRF}", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        asked.request("POST", path, body, headers)
        return asked.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        asked.close()


class Crowd:
    """Threads that book, move, extend, cancel, pull and look, until `quiet()`; what was acknowledged is kept."""

    def __init__(self, portal: Stack, devices: Sequence[Device], owner: User, seed: str, size: int = 4) -> None:
        self.portal, self.devices, self.owner, self.size = portal, devices, owner, size
        self.cookie = signed_in(owner)
        self.seed = seed
        self.acknowledged: dict[object, tuple[bool, object]] = {}  # code: cancelled, checkout
        self.by_form: set[str] = set()
        self.errors: list[str] = []
        self.actions = 0
        self._stop = threading.Event()
        self._mine = threading.Lock()
        self._threads: list[threading.Thread] = []

    def gather(self) -> None:
        self._stop.clear()
        self.rounds = getattr(self, "rounds", 0) + 1
        self._threads = [threading.Thread(target=self._live, args=[n]) for n in range(self.size)]
        for thread in self._threads:
            thread.start()

    def quiet(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def lost(self) -> list[str]:
        """What was acknowledged and is not so."""
        rows = {code.pk: code for code in AccessCode.objects.filter(pk__in=self.acknowledged)}
        found = [f"the code {pk} was lost" for pk in self.acknowledged if pk not in rows]
        for pk, (cancelled, ends_at) in self.acknowledged.items():
            if pk in rows and (bool(rows[pk].cancelled_at) != cancelled or rows[pk].ends_at != ends_at):
                found.append(f"a change of the code {pk} was lost")
        names = set(AccessCode.objects.filter(name__in=self.by_form).values_list("name", flat=True))
        return found + [f"{name}, added on the page, was lost" for name in self.by_form - names]

    def _live(self, number: int) -> None:
        dice = random.Random(f"{self.seed} {self.rounds} {number}")
        try:
            while not self._stop.wait(dice.uniform(0.02, 0.25)):
                self._act(dice)
        finally:
            connections.close_all()

    def _act(self, dice: random.Random) -> None:
        close_old_connections()
        wish = dice.choice(["book", "book", "form", "look", "page", "page", "pull", "change", "cancel"])
        self.actions += 1
        try:
            if wish == "book":
                self._book(dice)
            elif wish == "form":
                self._use_form(dice)
            elif wish == "page":
                self._ask(f"/devices/{dice.choice(self.devices).pk}/", self.cookie)
            elif code := self._some_code(dice):
                getattr(self, f"_{wish}")(code, dice)
        except ValidationError:
            return  # what the form would have said
        except DatabaseError:
            connections.close_all()  # restarted, or busy: not acknowledged
            time.sleep(0.2)

    def _book(self, dice: random.Random) -> None:
        starts = timezone.now() + timedelta(minutes=dice.choice([-60, -1, 20, 25, 600]))
        device = dice.choice(self.devices)
        ends_at = starts + timedelta(hours=dice.choice([30, 70]))
        code = add_code(device=device, name="Guest", kind="time_bound", starts_at=starts, ends_at=ends_at)
        with self._mine:
            self.acknowledged[code.pk] = (False, ends_at)

    def _use_form(self, dice: random.Random) -> None:
        device = dice.choice(self.devices)
        name = f"Form {dice.randrange(10**9)}"
        wall = wall_clock(timezone.now(), device.property.time_zone).replace(tzinfo=None)
        starts, ends = (f"{wall + timedelta(hours=hours):%Y-%m-%dT%H:%M}" for hours in (-1, 40))
        fields = {"name": name, "kind": "time_bound", "starts_at": starts, "ends_at": ends}
        status = fill_form(self.portal, f"/codes/new/{device.pk}/", self.cookie, **fields)
        self._expect(status, "the form")
        if status == 302:
            self.by_form.add(name)

    def _look(self, code: AccessCode, dice: random.Random) -> None:
        self._ask(f"/g/{code.guest_token}/")

    def _pull(self, code: AccessCode, dice: random.Random) -> None:
        if dice.random() < 0.3:
            pull_backup(code)

    def _change(self, code: AccessCode, dice: random.Random) -> None:
        with self._mine:
            ends_at = code.ends_at + timedelta(hours=dice.choice([-1, 5]))
            change_code(code, name=code.name, starts_at=code.starts_at, ends_at=ends_at)
            self.acknowledged[code.pk] = (False, ends_at)

    def _cancel(self, code: AccessCode, dice: random.Random) -> None:
        if dice.random() < 0.5:
            with self._mine:
                cancel_code(code)
                self.acknowledged[code.pk] = (True, code.ends_at)

    def _some_code(self, dice: random.Random) -> AccessCode | None:
        with self._mine:
            live = [pk for pk, (cancelled, _ends_at) in self.acknowledged.items() if not cancelled]
        found = AccessCode.objects.filter(pk=dice.choice(live)).first() if live else None
        return found if found and found.ended_at is None else None

    def _ask(self, path: str, cookie: str = "") -> None:
        status, _text = self.portal.get(path, cookie=cookie)
        self._expect(status, path.split("/")[1])

    def _expect(self, status: int, where: str) -> None:
        if status not in NO_ERROR:
            self.errors.append(f"{where} answered {status}")
