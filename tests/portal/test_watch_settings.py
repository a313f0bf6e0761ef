"""What is set for watching, and that a bad value is refused by its name, in words that say what to write."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SHOW = "from portal import settings as s; print(s.METRICS_NETWORKS, s.LOG_FORMAT, bool(s.SENTRY_DSN))"


def load(**environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != "DEBUG"}
    return subprocess.run(
        [sys.executable, "-c", SHOW], cwd=ROOT, env={**clean, **environment}, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("METRICS_TOKEN", "short", "16 ASCII characters"),
        ("METRICS_TOKEN", "has a space in the middle", "no spaces"),
        ("METRICS_NETWORKS", "10.0.0.0/8,nonsense", "Write networks like 10.0.0.0/8"),
        ("LOG_FORMAT", "xml", "Must be one of"),
        ("SENTRY_DSN", "sentry.example/1", "Write the DSN as Sentry shows it"),
        ("SENTRY_DSN", "https://key@sentry.example/", "Write the DSN as Sentry shows it"),
    ],
)
def test_a_bad_value_is_refused_by_its_name(name: str, value: str, words: str) -> None:
    done = load(**{name: value})
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert name in last and words in last


def test_good_values_are_taken() -> None:
    done = load(
        METRICS_TOKEN="0123456789abcdef",
        METRICS_NETWORKS="10.0.0.0/8, fd00::1",
        SENTRY_DSN="https://key@sentry.example/path/7",
    )
    assert done.stdout.strip() == "[IPv4Network('10.0.0.0/8'), IPv6Network('fd00::1/128')] json True"
