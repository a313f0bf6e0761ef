"""The database: whether it answers, is migrated, and has the same time as this machine."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader

from codes.doctor.finding import Finding, note, ok, wrong
from portal.clock import now
from portal.models import Heartbeat, Workspace

OURS = frozenset({"portal", "devices", "backups", "codes"})
OLDEST_POSTGRESQL = 15
OFF, TOO_FAR_OFF = timedelta(seconds=1), timedelta(seconds=5)
CACHE_TABLE = settings.CACHES["default"]["LOCATION"]


def look() -> Iterator[Finding]:
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        yield _postgresql()
    elif settings.DEBUG:
        yield ok("database", "SQLite answers")
    else:
        yield note("database", "SQLite answers: fine for one host", "Set DATABASE_URL to PostgreSQL to grow beyond it.")
    tables = connection.introspection.table_names()
    if CACHE_TABLE not in tables and Workspace._meta.db_table in tables:
        yield wrong("database", f"the table {CACHE_TABLE} is missing", "Run: manage.py createcachetable")


def migrations() -> Iterator[Finding]:
    loader = MigrationLoader(connection)
    try:
        loader.check_consistent_history(connection)
    except InconsistentMigrationHistory as error:
        yield wrong("migrations", str(error), "Restore the database, or see manage.py showmigrations.")
        return
    applied, known = set(loader.applied_migrations or {}), set(loader.disk_migrations or {})
    if missing := sorted(known - applied - _replaced(loader)):
        yield wrong("migrations", f"{len(missing)} not applied, from {'.'.join(missing[0])}", "Run: manage.py migrate")
    elif newer := sorted(key for key in applied - known if key[0] in OURS):
        says = f"the database knows {'.'.join(newer[0])}, this code does not"
        yield note("migrations", says, "Is this host behind in an upgrade? Deploy the newer code here, too.")
    else:
        yield ok("migrations", f"{len(known)} applied")


def clock() -> Iterator[Finding]:
    """Leases go by the database's clock, stays by this machine's."""
    apart = abs(_database_now() - now()) if connection.vendor == "postgresql" else timedelta(0)
    says = f"{apart.total_seconds():.1f} s between this machine and the database"
    remedy = "Have both follow a time server (chrony, systemd-timesyncd)."
    ahead = Heartbeat.objects.filter(beat_at__gt=now() + TOO_FAR_OFF).order_by("name").first()
    if apart > TOO_FAR_OFF:
        yield wrong("clock", says, remedy)
    elif ahead is not None:
        yield wrong(
            "clock", f"the {ahead.name}'s last sign of life is in the future: its host's clock is ahead", remedy
        )
    else:
        yield note("clock", says, remedy) if apart > OFF else ok("clock", says)


def _postgresql() -> Finding:
    version: int = connection.cursor().connection.info.server_version
    major, minor = divmod(version, 10_000)
    if major < OLDEST_POSTGRESQL:
        return wrong("database", f"PostgreSQL {major}.{minor} is too old", f"Upgrade to {OLDEST_POSTGRESQL} or later.")
    return ok("database", f"PostgreSQL {major}.{minor} answers")


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at


def _replaced(loader: MigrationLoader) -> set[tuple[str, str]]:
    return {key for squashed in loader.replacements.values() for key in squashed.replaces}
