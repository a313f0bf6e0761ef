"""`manage.py demo`, all of it: real processes, a real sign-in, the story on the pages, and nobody left behind."""

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from socket import create_server

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).resolve().parent.parent.parent
NOT_THE_DEMOS = ("SECRET_KEY", "PIN_KEYS", "PIN_DIGEST_KEY", "ALLOWED_HOSTS", "SECURE_SSL_REDIRECT", "DEBUG")


class Demo:
    """A demo that runs, told from all other processes by its data directory."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        with create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in NOT_THE_DEMOS},
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PORTAL_DATA_DIR": str(folder),
            "DATABASE_URL": database,
        }
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(self.port)],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()

    def processes(self) -> list[int]:
        """All that belong to it and still run."""
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._ours(entry)]

    def _ours(self, process: Path) -> bool:
        try:
            environment = (process / "environ").read_bytes()
            state = (process / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return False
        return f"PORTAL_DATA_DIR={self.folder}".encode() in environment.split(b"\0") and state != "Z"

    def command(self, *arguments: str) -> str:
        """What a command of manage.py prints, given beside the demo."""
        argv = [sys.executable, "manage.py", *arguments]
        return subprocess.run(argv, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True).stdout

    def end(self) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):  # it ends while we look
                os.kill(pid, signal.SIGKILL)
        self.process.communicate(timeout=30)


class Browser:
    """Signed in as the manager."""

    def __init__(self, base: str) -> None:
        self.base = base
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        form = self.get("/accounts/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        assert token
        fields = {"csrfmiddlewaretoken": token[1], "login": "manager@example.com", "password": "demo"}
        self._opener.open(f"{base}/accounts/login/", urllib.parse.urlencode(fields).encode(), timeout=30)

    def get(self, path: str) -> str:
        with self._opener.open(self.base + path, timeout=30) as response:
            page: str = response.read().decode()
        return page

    def page_of(self, lock: str) -> str:
        """The path of this lock's page."""
        paths = sorted(set(re.findall(r'href="(/devices/[0-9a-f-]{36}/)"', self.get("/devices/"))))
        assert len(paths) == 10
        return next(path for path in paths if re.search(rf"<h1[^>]*>\s*{lock}", self.get(path)))


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[[], Demo]]:
    """Starts a demo; the next one finds what the first one left."""
    started: list[Demo] = []
    name = f"demo_{os.environ['PORTAL_TEST_RUN']}"
    on_server = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
    database = f"sqlite:///{tmp_path}/portal.sqlite3"
    if on_server:
        on_the_server("CREATE DATABASE {}", name)
        database = settings.DATABASE_URL.rsplit("/", 1)[0] + f"/{name}"

    def start() -> Demo:
        started.append(Demo(tmp_path, database))
        return started[-1]

    yield start
    for each in started:
        each.end()
    if on_server:
        on_the_server("DROP DATABASE {} WITH (FORCE)", name)


def on_the_server(statement: str, name: str) -> None:
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def eventually(what: Callable[[], object], within: float) -> bool:
    deadline = time.monotonic() + within
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_the_story_shows_on_the_pages_and_ctrl_c_ends_all_of_it(demo: Callable[[], Demo]) -> None:
    it = demo()
    assert it.line == f"Portal ready: {it.base}/  sign in as manager@example.com / demo\n"
    browser = Browser(it.base)
    signed_in = time.monotonic()
    front_door, entrance = browser.page_of("Front door"), browser.page_of("Main entrance")

    def shows(path: str, *words: str) -> Callable[[], bool]:
        def look() -> bool:
            text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", browser.get(path)))
            return all(word in text for word in words)

        return look

    def left() -> float:
        return 50 - (time.monotonic() - signed_in)

    assert eventually(shows(front_door, "Ben Okafor", "Setting"), left())
    assert eventually(shows(front_door, "Covered by backup", "4 of 5 ready"), left())
    assert eventually(shows(front_door, "Covered by backup", "5 of 5 ready"), left())
    assert eventually(shows(entrance, "Backup pool exhausted", "Likely cause", "Contact support"), left())

    it.process.send_signal(signal.SIGINT)
    assert it.process.wait(5) == 0
    assert it.processes() == []
    assert it.process.stdout is not None
    assert it.process.stdout.read() == ""


def test_killed_it_leaves_nobody_and_starts_again_where_it_was(demo: Callable[[], Demo]) -> None:
    first = demo()
    assert first.line.startswith("Portal ready")
    assert len(first.processes()) >= 8  # web, its workers, the cluster's processes, tick, story, guard
    first.process.kill()
    assert eventually(lambda: not first.processes(), 5)
    second = demo()
    assert second.line.startswith("Portal ready")
    assert Browser(second.base).page_of("Front door")
    assert second.command("simulate_lock", "Front door", "--show").count("Backup ") == 5  # with the demo's own keys
