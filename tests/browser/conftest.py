"""A browser in which nothing may go wrong unseen, and a signed-in page."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response
from pytest_django.live_server_helper import LiveServer

from portal.models import User

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HANGS = 200  # seconds: five times what the longest test takes on a busy machine
HOW = "No Chromium found. Install it with: apt-get install chromium"
# Every rule once at either width; light and dark differ in colours alone (a test holds that), so the other scheme is
# asked for those.
LOOKS: list[tuple[Literal["light", "dark"], int, bool]] = [
    ("light", 1280, False),
    ("dark", 1280, True),
    ("dark", 360, False),
    ("light", 360, True),
]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail(HOW)
        pytest.skip(HOW)
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": flags}


class Chromium:
    """The browser that all tests share; started anew when it is gone."""

    def __init__(self, launch: Callable[[], Browser]) -> None:
        self._launch = launch
        self._running: Browser | None = None

    def running(self) -> Browser:
        if self._running is None or not self._running.is_connected():
            self._running = self._launch()
        return self._running

    def close(self) -> None:
        if self._running is not None and self._running.is_connected():
            self._running.close()


@pytest.fixture(scope="session")
def chromium(launch_browser: Callable[[], Browser]) -> Iterator[Chromium]:
    shared = Chromium(launch_browser)
    yield shared
    shared.close()


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[Browser]:
    """In place of the plugin's own, which knows no end: Playwright waits for ever for what a script should answer.

    A Chromium that hangs is killed, so its test fails where it waited, and the next test gets a new one.
    """
    running = chromium.running()
    with killed_after(HANGS):
        yield running


@contextmanager
def killed_after(seconds: float) -> Iterator[None]:
    """Chromium's time is up then, unless the block has ended."""
    timer = Timer(seconds, kill_chromium)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def kill_chromium() -> None:
    """Kill each Chromium that descends from this process, and no other."""
    for pid in descendants(os.getpid()):
        with suppress(ProcessLookupError, FileNotFoundError):
            if "chrom" in Path(f"/proc/{pid}/comm").read_text():
                os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from descendants(child)


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    """Without the plugin's own `device`: here that is a lock."""
    return {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB"}


class Watch:
    """What went wrong in a page. `allowed` holds statuses a test expects, like 404."""

    def __init__(self, page: Page, origin: str) -> None:
        self.problems: list[str] = []
        self.allowed: set[int] = set()
        self.refused: list[str] = []  # addresses that answered with such a status
        self.origin = urlsplit(origin).netloc
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        expected = any(f"status of {status}" in message.text for status in self.allowed)
        if message.type in ("error", "warning") and not expected:
            self.problems.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != self.origin:
            self.problems.append(f"left the machine: {request.url}")

    def _failed(self, request: Request) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # a poll under way when the page was left
            self.problems.append(f"failed: {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status in self.allowed:
            self.refused.append(response.url)
        elif response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")


@pytest.fixture
def watch(page: Page, live_server: LiveServer) -> Iterator[Watch]:
    """Fails the test on a console error, a CSP refusal, a failed request or one that leaves the machine."""
    watching = Watch(page, live_server.url)
    yield watching
    assert not watching.problems, "\n".join(watching.problems)


@pytest.fixture
def portal(page: Page, watch: Watch, live_server: LiveServer) -> Page:
    """A page that is watched; paths are relative to the portal."""
    page.set_default_timeout(10_000)
    return page


def sign_in(page: Page, url: str, person: User) -> None:
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def assert_accessible(page: Page, *, colours_alone: bool = False) -> None:
    """axe finds nothing (WCAG 2.2 AA and best practice), and nothing is wider than the window."""
    rules = {"type": "rule", "values": COLOURS} if colours_alone else {"type": "tag", "values": WCAG}
    page.evaluate("document.getAnimations().forEach((one) => one.finish())")  # no colour half-way to another
    axe = Axe("" if page.evaluate("typeof axe") == "object" else AXE_SCRIPT)  # half a megabyte: once a page is enough
    found = axe.run(page, options={"runOnly": rules, "resultTypes": ["violations"]})
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px wider than the window"


def look_at(page: Page, url: str) -> None:
    """The page is accessible light and dark, wide and narrow. It is loaded once: looks are a matter of style alone."""
    show(page, *LOOKS[0][:2])
    page.goto(url)
    look_around(page)


def look_around(page: Page) -> None:
    """The page that is loaded, in all its looks."""
    for scheme, width, colours_alone in LOOKS:
        show(page, scheme, width)
        assert_accessible(page, colours_alone=colours_alone)


def show(page: Page, scheme: Literal["light", "dark"], width: int) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colours half-way from one to the other
    page.set_viewport_size({"width": width, "height": 900})


def look_at_all(page: Page, url: str, paths: Mapping[str, str]) -> None:
    """The pages by name, on data that is set up once; tells of all that have something wrong."""
    wrong = []
    for name, path in paths.items():
        try:
            look_at(page, url + path)
        except AssertionError as problem:
            wrong.append(f"{name}: {problem}")
    assert not wrong, "\n".join(wrong)


def remember(page: Page, url: str, person: User) -> None:
    """Sign in without the form, for tests that are about something else."""
    client = Client()
    client.force_login(person)
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
