"""How the database is spoken to, by its URL."""

import os
import subprocess
import sys

import pytest

ALONE = "-c jit=off -c max_parallel_workers_per_gather=0"
TELL = "from portal.settings import DATABASES; print(DATABASES['default'].get('OPTIONS', {}).get('options', ''))"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("postgresql:///portal", ALONE),
        ("postgresql:///portal?options=-c%20statement_timeout%3D5s", f"{ALONE} -c statement_timeout=5s"),
        ("sqlite:///somewhere.sqlite3", ""),
    ],
)
def test_postgres_compiles_no_statement_and_starts_no_helpers(url: str, options: str) -> None:
    """It would take longer than the answer. Whoever wants it back says so in the URL."""
    environment = {**os.environ, "DATABASE_URL": url, "DEBUG": "true"}
    told = subprocess.run([sys.executable, "-c", TELL], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == options


REMEMBERED = """
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    for _ in range(150):
        cursor.execute("SELECT 1")
print(len(connection.queries_log))
"""


def test_while_debugging_a_process_without_requests_forgets_its_old_statements() -> None:
    environment = {**os.environ, "DATABASE_URL": "sqlite:///:memory:", "DEBUG": "true"}
    environment["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    told = subprocess.run([sys.executable, "-c", REMEMBERED], env=environment, capture_output=True, text=True)
    assert told.stdout.strip() == "100", told.stderr


def test_postgres_parses_what_is_asked_again_once() -> None:
    tell = "from portal.settings import DATABASES; print(DATABASES['default']['OPTIONS'].get('prepare_threshold'))"
    environment = {**os.environ, "DATABASE_URL": "postgresql:///portal", "DEBUG": "true"}
    told = subprocess.run([sys.executable, "-c", tell], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "5"
