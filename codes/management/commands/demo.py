"""`manage.py demo`: the whole portal on one machine, with simulated locks. One line, Ctrl-C, nothing left behind."""

import fcntl
import http.client
import os
import sys
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections, connections

from codes.demo import state, story
from codes.demo.seed import MANAGER, PASSWORD, seed
from portal import cluster, web
from portal.preflight import port_problem
from portal.process import Program, Supervisor, apart, end_with_launcher

HOST = "127.0.0.1"
MANAGE = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py")]


class Command(BaseCommand):
    help = "Starts the whole portal with simulated locks and a story that plays by itself. For a first look."
    requires_migrations_checks = False
    requires_system_checks = ()  # where the database is made ready: their memory goes with that process

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="where the portal answers (default: 8000)")
        parser.add_argument("--reset", action="store_true", help="forget everything the demo did before")
        parser.add_argument("--story", action="store_true", help=SUPPRESS)  # the child that plays it

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo runs with DEBUG on only: its passwords are known to everybody.")
        if options["story"]:
            story.run()
            return
        end_with_launcher("uv")
        port: int = options["port"]
        check_port(port)
        with only_one():
            if why_not := apart(lambda: self.prepare(reset=options["reset"])):
                raise CommandError(why_not)
            self.run(port)

    def prepare(self, *, reset: bool) -> str:
        """Check the portal and make its database ready; else why that cannot be."""
        try:
            self.check()
            prepare(reset=reset)
        except CommandError as error:  # failed checks are one as well
            return str(error)
        return ""

    def run(self, port: int) -> None:
        os.environ.setdefault("PORTAL_URL", f"http://{HOST}:{port}")  # where the links in its mails lead
        with Supervisor(programs(port), logs=state.logs(), tell=self.stderr.write) as running:
            done = running.watch(until=lambda: answers(port))
            if done and not running.stopping:
                self.stdout.write(f"Portal ready: http://{HOST}:{port}/  sign in as {MANAGER} / {PASSWORD}")
                self.stdout.flush()
                done = running.watch(until=somebody_is_there)
            if done and not running.stopping:
                running.add(Program("story", [*MANAGE, "demo", "--story"], once=True))
                done = running.watch()
        if not done:
            raise CommandError("The demo has ended because a part of it would not run.")


def check_port(port: int) -> None:
    """Raises CommandError when somebody listens there, or nobody could."""
    if not 0 < port < 65536:
        raise CommandError("--port takes a number from 1 to 65535.")
    if reason := port_problem(HOST, port):
        raise CommandError(f"Port {port} cannot be used ({reason}). Choose another one with --port.")


@contextmanager
def only_one() -> Iterator[None]:
    """One demo a data directory: two would take turns at the same locks."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.DATA_DIR / "demo.lock").open("w") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(
                f"A demo runs in {settings.DATA_DIR} already. Stop it, or set PORTAL_DATA_DIR to another place."
            ) from error
        yield


def prepare(*, reset: bool) -> None:
    """The database as the demo wants it: its own, migrated, filled once."""
    if strange := state.foreign():
        raise CommandError(
            f"This database holds {strange}. The demo runs on an empty database or its own: "
            "set DATABASE_URL or PORTAL_DATA_DIR."
        )
    if reset:
        state.reset()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    seed()
    connections.close_all()


def programs(port: int) -> list[Program]:
    """What runs all the time: the web server, the workers and the tick."""
    return [
        Program("web", web.argv(bind=f"{HOST}:{port}", workers=2, threads=4, grace=2, shared=True)),
        cluster.program(),
        Program("tick", [*MANAGE, "tick", "--skip-checks"]),
    ]


def answers(port: int) -> bool:
    """Whether the portal says that it is ready: pages are served, and the tick beats."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def somebody_is_there() -> bool:
    """Whether the manager has signed in, so that the story may begin."""
    close_old_connections()
    try:
        return story.signed_in_at() is not None
    except DatabaseError:
        return False
