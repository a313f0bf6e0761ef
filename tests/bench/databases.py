"""Databases for the benchmark: each group gets a fresh, migrated one, and leaves nothing behind."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATE = "bench_template"


class Databases:
    """Makes databases on one PostgreSQL server (None: there is none) and as SQLite files in `directory`."""

    def __init__(self, directory: Path, server: str | None) -> None:
        self.directory, self.server = directory, server
        self._migrated: dict[bool, str] = {}
        self._one_at_a_time = Lock()  # nobody may be in the template while it is copied

    @contextmanager
    def fresh(self, name: str, *, postgres: bool) -> Iterator[str]:
        """The URL of a new, migrated database; it is gone afterwards."""
        with self._one_at_a_time:
            template = self._template(postgres=postgres)
            if postgres:
                self._on_server("CREATE DATABASE {} TEMPLATE {}", f"bench_{name}", template)
        if not postgres:
            path = self.directory / f"{name}.sqlite3"
            shutil.copy(template, path)
            yield f"sqlite:///{path}"
            path.unlink()
            return
        try:
            yield self._url(f"bench_{name}")
        finally:
            self._on_server("DROP DATABASE {} WITH (FORCE)", f"bench_{name}")

    def close(self) -> None:
        if True in self._migrated:
            self._on_server("DROP DATABASE {}", TEMPLATE)

    def _template(self, *, postgres: bool) -> str:
        if postgres not in self._migrated:
            if postgres:
                self._on_server("DROP DATABASE IF EXISTS {}", TEMPLATE)
                self._on_server("CREATE DATABASE {}", TEMPLATE)
            where = TEMPLATE if postgres else str(self.directory / "template.sqlite3")
            url = self._url(TEMPLATE) if postgres else f"sqlite:///{where}"
            for command in (["migrate", "--verbosity=0"], ["createcachetable"]):
                manage(command, url)
            self._migrated[postgres] = where
        return self._migrated[postgres]

    def _on_server(self, statement: str, *names: str) -> None:
        assert self.server is not None
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _url(self, name: str) -> str:
        assert self.server is not None
        return urlunsplit(urlsplit(self.server)._replace(path=f"/{name}"))


def environment(url: str = "", **more: str) -> dict[str, str]:
    """A child's: the tests' settings, on that database."""
    chosen = {"DATABASE_URL": url} if url else {}
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", **chosen, **more}


def manage(command: list[str], url: str) -> None:
    """Run a command of manage.py to its end."""
    subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment(url), check=True, capture_output=True
    )


@contextmanager
def postgres_server(directory: Path) -> Iterator[str | None]:
    """A PostgreSQL of our own while this lasts; None where its programs are not installed."""
    home = directory / "postgres"
    started = subprocess.run(
        [ROOT / ".ci" / "postgres", "start", home, str(free_port())], capture_output=True, text=True
    )
    if started.returncode:
        yield None
        return
    try:
        yield started.stdout.strip().splitlines()[-1]
    finally:
        subprocess.run([ROOT / ".ci" / "postgres", "stop", home], check=True, capture_output=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
