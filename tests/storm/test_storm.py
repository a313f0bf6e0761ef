"""A small size of every storm, so that each run of the suite proves them; `python -m tests.storm` has the full ones."""

import random
from pathlib import Path

import pytest

from codes.models import CodePin
from tests.storm.races import pulls, sleeper, twenty_at_once, two_of_each
from tests.storm.report import Report
from tests.storm.rounds import crashes

PATIENCE = 180.0  # seconds: how fast it is, the full size tells
pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def report() -> Report:
    return Report(random.randrange(10**6))


def proven(report: Report) -> None:
    assert report.rows
    assert report.holds, f"seed {report.seed}: {[row for row in report.rows if not row[3]]} {report.findings}"


def test_killed_at_random_nothing_is_lost(report: Report, tmp_path: Path) -> None:
    crashes(report, tmp_path, rounds=2, locks=6, settle=0, within=PATIENCE)
    proven(report)


def test_eight_processes_after_the_same_spares(report: Report, tmp_path: Path) -> None:
    pulls(report, tmp_path, hands=8, presses=20, pools=6)
    assert CodePin.objects.filter(role=CodePin.Role.BACKUP).count() == 30
    proven(report)


def test_one_pull_pressed_twenty_times(report: Report) -> None:
    twenty_at_once(report)
    proven(report)


def test_two_clusters_and_two_ticks(report: Report, tmp_path: Path) -> None:
    two_of_each(report, tmp_path, locks=6, bookings=12, latency_ms=50)
    proven(report)


def test_a_worker_that_sleeps_past_its_lease(report: Report, tmp_path: Path) -> None:
    sleeper(report, tmp_path, real_lease=False)
    proven(report)
