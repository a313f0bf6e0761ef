"""`manage.py serve`: looks before it starts, becomes gunicorn, ends gracefully."""

import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from socket import create_server

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from pytest_django.fixtures import Settings

from portal import preflight
from portal.management.commands import serve
from tests.running import ROOT, Running, children, environment, runs, wait_for

HASHED = "whitenoise.storage.CompressedManifestStaticFilesStorage"


@pytest.fixture
def port() -> int:
    with create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
    return number


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines that serve would have become."""
    lines: list[list[str]] = []
    monkeypatch.setattr(serve.os, "execv", lambda program, argv: lines.append(argv))
    return lines


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


@pytest.mark.cluster
@pytest.mark.django_db(transaction=True)
def test_it_serves_and_ends_on_sigterm_with_nobody_left(port: int) -> None:
    web = Running("serve", "--bind", f"127.0.0.1:{port}", "--workers", "1")
    try:
        wait_for(lambda: answers(port))
        workers = children(web.pid)
        assert workers
        web.process.terminate()
        assert web.process.wait(40) == 0
        wait_for(lambda: not [pid for pid in workers if runs(pid)])
    finally:
        if web.process.poll() is None:
            web.kill()


# What systemd does: it holds the socket, and gives it to the program as descriptor 3.
HANDED_OVER = """
import os, socket, sys
held = socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.dup2(held.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "manage.py", "serve", "--workers", "1"])
"""


@pytest.mark.cluster
@pytest.mark.django_db(transaction=True)
def test_it_takes_the_socket_that_systemd_holds_over_a_restart(port: int) -> None:
    web = subprocess.Popen([sys.executable, "-c", HANDED_OVER, str(port)], cwd=ROOT, env=environment())
    try:
        wait_for(lambda: answers(port))
    finally:
        web.terminate()
        assert web.wait(40) == 0


@pytest.mark.django_db
def test_it_listens_on_this_host_alone_unless_told_otherwise(called: list[list[str]], port: int) -> None:
    call_command("serve", bind=f"127.0.0.1:{port}", workers=3, threads=2, grace=10)
    text = " ".join(called[0])
    assert f"gunicorn portal.wsgi --chdir {ROOT} --bind 127.0.0.1:{port} --workers 3 --threads 2" in text
    assert "--graceful-timeout 10" in text and "--access-logfile" not in text  # a guest's link would be in it
    parser = serve.Command().create_parser("manage.py", "serve")
    assert parser.parse_args([]).bind == "127.0.0.1:8000"


@pytest.mark.django_db
def test_it_refuses_an_address_in_use(called: list[list[str]]) -> None:
    with create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(CommandError, match=rf"{place} cannot be used \(address already in use\).* --bind"):
            call_command("serve", bind=place)
    assert not called


@pytest.mark.parametrize(
    "option",
    [("--bind", "8000"), ("--bind", "127.0.0.1:99999"), ("--bind", "unix:"), ("--workers", "0"), ("--threads", "two")],
    ids=" ".join,
)
def test_it_refuses_what_makes_no_sense(option: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="write "):
        call_command("serve", *option)


@pytest.mark.parametrize("place", ["0.0.0.0:80", "portal.internal:8000", "[::1]:8000", "unix:/run/portal/web.sock"])
def test_it_takes_what_gunicorn_takes(place: str) -> None:
    assert serve.address(place) == place


def test_it_says_what_the_database_lacks(tmp_path: Path, port: int) -> None:
    empty = environment(DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3")
    command = [sys.executable, "manage.py", "serve", "--bind", f"127.0.0.1:{port}"]
    done = subprocess.run(command, cwd=ROOT, env=empty, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Run: manage.py migrate" in done.stderr and "Run: manage.py createcachetable" in done.stderr


@pytest.mark.django_db
def test_nothing_is_missing_here() -> None:
    assert preflight.problems() == [] and preflight.web_problems() == []


def test_it_says_that_the_static_files_are_missing(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": HASHED}}
    assert preflight.web_problems() == [
        f"No static files in {tmp_path}. Run: manage.py collectstatic --no-input",
    ]
    (tmp_path / "staticfiles.json").touch()
    assert preflight.web_problems() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PIN_KEYS", [], "Set PIN_KEYS"),
        ("PIN_KEYS", ["short"], "not a Fernet key"),
        ("PIN_DIGEST_KEY", "", "Set PIN_DIGEST_KEY"),
    ],
)
def test_it_says_which_key_is_missing(settings: Settings, name: str, value: object, says: str) -> None:
    setattr(settings, name, value)
    assert says in " ".join(preflight.problems())


@pytest.mark.django_db
def test_it_says_that_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object) -> None:
        raise OperationalError("password in here")

    monkeypatch.setattr(preflight, "MigrationExecutor", away)
    assert preflight.problems() == [
        "The database does not answer (OperationalError). Start it, or correct DATABASE_URL."
    ]
