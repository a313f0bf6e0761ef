"""Backing up and restoring the test's database as the README says, with the real programs."""

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from django.db import connection

from devices.models import SimulatedLock
from devices.providers.shared_connection import disconnect
from tests.running import database_url


def back_up(folder: Path) -> Path:
    """A back-up of the database as it is now."""
    target = folder / "portal.backup"
    if connection.vendor == "sqlite":
        with sqlite3.connect(connection.settings_dict["NAME"]) as database:
            database.execute("VACUUM INTO ?", [str(target)])
        database.close()
    else:
        _postgres("pg_dump", "--format=custom", "--file", str(target), database_url())
    return target


def restore(target: Path) -> None:
    """The database as it was. The locks, which a restore does not touch, stay as they are."""
    truth = list(SimulatedLock.objects.all())
    connection.close()
    disconnect()
    if connection.vendor == "sqlite":
        with sqlite3.connect(target) as source, sqlite3.connect(connection.settings_dict["NAME"]) as database:
            source.backup(database)  # under SQLite's own locks: a browser test's server may still have it open
        source.close()
        database.close()
    else:
        _postgres(
            "pg_restore", "--clean", "--if-exists", "--single-transaction", "--dbname", database_url(), str(target)
        )
    for lock in truth:
        SimulatedLock.objects.filter(pk=lock.pk).delete()
        lock.save(force_insert=True)


def _postgres(program: str, *arguments: str) -> None:
    found = shutil.which(program) or str(max(Path("/usr/lib/postgresql").glob(f"*/bin/{program}")))
    subprocess.run([found, *arguments], check=True, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
