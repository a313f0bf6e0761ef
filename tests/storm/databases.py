"""A database of its own for a storm, gone afterwards; and how a PostgreSQL server is restarted under it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


@contextmanager
def fresh(server: str | None, folder: Path) -> Iterator[str]:
    """The address of a new, empty database: on that PostgreSQL server, else SQLite in `folder`."""
    if server is None:
        yield f"sqlite:///{folder}/storm.sqlite3"
        return
    name = f"storm_{os.getpid()}"
    _on(server, "CREATE DATABASE {}", name)
    _on(server, "ALTER DATABASE {} SET synchronous_commit = on", name)  # what was acknowledged outlives a crash
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        _on(server, "DROP DATABASE {} WITH (FORCE)", name)


def restart(server: str) -> None:
    """Stop the server as a crash would, and start it again. Needs to run on its machine, as root or its owner."""
    with psycopg.connect(server, autocommit=True) as connection:
        found = connection.execute("SELECT setting FROM pg_settings WHERE name = 'data_directory'").fetchone()
    assert found is not None
    data = Path(found[0])
    control = shutil.which("pg_ctl") or str(max(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")))
    owner = ["runuser", "-u", data.owner(), "--"] if os.geteuid() == 0 else []
    argv = [
        *owner,
        control,
        "restart",
        "--pgdata",
        str(data),
        "--mode",
        "immediate",
        "--wait",
        "--log",
        str(data.parent / "log"),
    ]
    subprocess.run(argv, check=True, cwd="/", stdout=subprocess.DEVNULL)


def _on(server: str, statement: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
