"""What must be in place before a part of the portal starts: found out at once, each with what to do about it."""

import os
import socket
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from portal.database import name_of
from portal.secret import Secret, digest


def problems() -> list[str]:
    """What keeps workers and web alike from starting, in sentences. Closes the database connection it used."""
    try:
        return [*_keys(), *_database()]
    except DatabaseError as error:
        return [f"The database does not answer ({name_of(error)}). Start it, or correct DATABASE_URL."]
    finally:
        connection.close()


def web_problems() -> list[str]:
    """What keeps the web server from serving pages."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if settings.DEBUG or "Manifest" not in settings.STORAGES["staticfiles"]["BACKEND"] or manifest.exists():
        return []
    return [f"No static files in {settings.STATIC_ROOT}. Run: manage.py collectstatic --no-input"]


def port_problem(host: str, port: int) -> str:
    """Why nobody could listen there, in a few words; "" if one can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return (error.strerror or os.strerror(error.errno or 0) or "not possible").lower()
    return ""


def _keys() -> list[str]:
    try:
        digest("preflight", "0000")
        Secret.sealed(Secret("0000").seal()).reveal()
    except ImproperlyConfigured as error:
        return [str(error)]
    return []


def _database() -> list[str]:
    found = []
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan[:3])
        found.append(f"The database lacks {len(plan)} migrations ({names} …). Run: manage.py migrate")
    table = settings.CACHES["default"]["LOCATION"]
    if table not in connection.introspection.table_names():
        found.append("The cache has no table. Run: manage.py createcachetable")
    return found
