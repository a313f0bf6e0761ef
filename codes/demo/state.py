"""Whose database this is. The demo touches its own alone."""

import shutil
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection

from codes.demo.seed import LAKEVIEW_ID, OTHER_ID
from portal.models import User, Workspace

OUR_TABLES = {"django_migrations", "portal_cache", "sqlite_sequence"}


def foreign() -> str:
    """What the database holds that is not the demo's, in a few words; "" if it is empty or the demo's own."""
    tables = set(connection.introspection.table_names())
    if strange := tables - set(connection.introspection.django_table_names()) - OUR_TABLES:
        return f"tables of something else ({', '.join(sorted(strange)[:3])})"
    if not {Workspace._meta.db_table, User._meta.db_table} <= tables:
        return ""
    if Workspace.objects.exclude(pk__in=[LAKEVIEW_ID, OTHER_ID]).exists():
        return "workspaces that are not the demo's"
    if User.objects.exists() and not Workspace.objects.filter(pk=LAKEVIEW_ID).exists():
        return "people who are not the demo's"
    return ""


def reset() -> None:
    """Forget everything the demo did. Call it only when nothing `foreign` is there."""
    shutil.rmtree(logs(), ignore_errors=True)
    timings().unlink(missing_ok=True)
    database = Path(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite" and database == settings.DATA_DIR / "portal.sqlite3":
        connection.close()
        for suffix in ("", "-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
    elif Workspace._meta.db_table in connection.introspection.table_names():
        call_command("flush", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        cache.clear()


def logs() -> Path:
    """Where the demo's programs write what they have to say."""
    return Path(settings.DATA_DIR) / "logs"


def timings() -> Path:
    """Where the story notes which second what happened."""
    return Path(settings.DATA_DIR) / "story.json"
