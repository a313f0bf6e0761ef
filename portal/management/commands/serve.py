"""`manage.py serve`: the web server. Becomes gunicorn, so that signals and exit codes are gunicorn's own."""

import os
import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import web
from portal.preflight import port_problem, problems, web_problems

ADDRESS = re.compile(r"(?P<host>[^:\s]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})")


class Command(BaseCommand):
    help = (
        "Serves the portal's pages with gunicorn, behind a proxy that speaks TLS. Checks settings, database and static "
        "files first. SIGTERM ends it when the requests in hand are answered, SIGHUP renews the workers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bind",
            default="127.0.0.1:8000",
            type=address,
            metavar="HOST:PORT",
            help="where to listen, or unix:/path/of/socket (default: 127.0.0.1:8000, for a proxy on this host)",
        )
        parser.add_argument("--workers", type=count, default=2, help="processes (default: 2; one a core)")
        parser.add_argument("--threads", type=count, default=4, help="threads of each process (default: 4)")
        parser.add_argument(
            "--grace", type=count, default=30, metavar="SECONDS", help="what requests get to end (default: 30)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = [*problems(), *web_problems(), *_taken(options["bind"])]
        if found:
            raise CommandError("\n".join(found))
        argv = web.argv(**{name: options[name] for name in ("bind", "workers", "threads", "grace")})
        self.stdout.flush()
        os.execv(argv[0], argv)  # noqa: S606  our own interpreter


def address(text: str) -> str:
    """host:port, [IPv6]:port or unix:/path, as gunicorn takes it. Raises ArgumentTypeError."""
    place = ADDRESS.fullmatch(text)
    if re.fullmatch(r"unix:/\S+", text) or (place and 0 < int(place["port"]) < 65536):
        return text
    raise ArgumentTypeError("write HOST:PORT, like 127.0.0.1:8000, or unix:/path/of/socket")


def count(text: str) -> int:
    """A number from 1. Raises ArgumentTypeError."""
    if text.isascii() and text.isdigit() and int(text):
        return int(text)
    raise ArgumentTypeError("write a number from 1")


def _taken(bind: str) -> list[str]:
    place = ADDRESS.fullmatch(bind)
    if place is None or "LISTEN_FDS" in os.environ:  # systemd holds the socket already
        return []
    reason = port_problem(place["host"].strip("[]"), int(place["port"]))
    return [f"{bind} cannot be used ({reason}). Choose another place with --bind."] if reason else []
