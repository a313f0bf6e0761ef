"""How the database is spoken to, by its URL."""

import os
import subprocess
import sys

import pytest

TELL = "from portal.settings import DATABASES; print(DATABASES['default'].get('OPTIONS', {}).get('options', ''))"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("postgresql:///portal", "-c jit=off"),
        ("postgresql:///portal?options=-c%20statement_timeout%3D5s", "-c jit=off -c statement_timeout=5s"),
        ("sqlite:///somewhere.sqlite3", ""),
    ],
)
def test_postgres_compiles_no_statement(url: str, options: str) -> None:
    """It would take longer than the answer. Whoever wants it back says so in the URL."""
    environment = {**os.environ, "DATABASE_URL": url, "DEBUG": "true"}
    told = subprocess.run([sys.executable, "-c", TELL], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == options
