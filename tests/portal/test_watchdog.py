"""Busy is not frozen: what the watchdog makes of a cluster's signs."""

import os

import pytest
from pytest_django import DjangoAssertNumQueries

from portal import signs, watchdog
from portal.process import Supervisor
from portal.queue import CHECK, Broker
from portal.signs import Ear, Sign
from portal.watchdog import LATE, SILENCE, STARTING, Life, Watchdog

ME = os.getpid()
NOBODY = 2**22 + 1  # no process has this id
TIMEOUT = 120.0


def life(workers: int = 1) -> Life:
    """A cluster that came up at second 0 and was well then."""
    it = Life(workers=workers, longest_task=TIMEOUT + LATE, began=0.0)
    it.hear(Sign.GUARDING, ME, 0.0)
    return it


def go_on(it: Life, until: float, *given: Sign) -> str:
    """The first fault while these signs come each second."""
    at = max(it.guarded or 0.0, 0.0)
    while at < until:
        at += 1.0
        for sign in given:
            it.hear(sign, ME, at)
        if fault := it.fault(at):
            return fault
    return ""


HEALTHY = (Sign.GUARDING, Sign.BEGAN, Sign.CHECKED, Sign.ENDED, Sign.ANSWERED)


def test_a_healthy_one_is_left_alone() -> None:
    assert go_on(life(), 600, *HEALTHY) == ""


def test_a_restart_is_made_within_30_seconds() -> None:
    assert SILENCE + Supervisor.CHECK_EVERY + Supervisor.LONGEST_PAUSE < 30


def test_a_free_worker_that_takes_nothing_is_frozen() -> None:
    assert go_on(life(), SILENCE, Sign.GUARDING) == ""
    assert go_on(life(), SILENCE + 2, Sign.GUARDING) == "no free worker takes a task"


def test_a_worker_at_work_is_not_frozen_until_the_queue_should_have_ended_it() -> None:
    it = life()
    it.hear(Sign.BEGAN, ME, 1.0)
    assert go_on(it, TIMEOUT, Sign.GUARDING) == ""
    assert go_on(it, TIMEOUT + LATE + SILENCE + 5, Sign.GUARDING) == "no free worker takes a task"


def test_one_at_work_does_not_excuse_the_others() -> None:
    it = life(workers=2)
    it.hear(Sign.BEGAN, ME, 1.0)
    assert go_on(it, SILENCE + 2, Sign.GUARDING) == "no free worker takes a task"


def test_a_worker_that_was_killed_at_work_is_no_excuse() -> None:
    it = life()
    it.hear(Sign.BEGAN, NOBODY, 1.0)
    assert go_on(it, SILENCE + 2, Sign.GUARDING) == "no free worker takes a task"


def test_after_long_work_a_check_gets_its_time() -> None:
    it = life()
    it.hear(Sign.BEGAN, ME, 1.0)
    assert go_on(it, 80, Sign.GUARDING) == ""
    it.hear(Sign.ENDED, ME, 80.0)
    assert go_on(it, 80 + SILENCE - 1, Sign.GUARDING) == ""


def test_a_silent_sentinel_is_frozen_however_busy_its_workers() -> None:
    assert go_on(life(), SILENCE + 2, Sign.CHECKED, Sign.ANSWERED) == "its sentinel is silent"


def test_results_that_nobody_takes_mean_a_frozen_monitor() -> None:
    assert go_on(life(), SILENCE + 3, Sign.GUARDING, Sign.CHECKED) == "its monitor takes no results"


def test_one_that_never_comes_up_is_started_anew() -> None:
    it = Life(workers=1, longest_task=TIMEOUT, began=0.0)
    assert it.fault(STARTING) == ""
    assert it.fault(STARTING + 1) == "it does not start"


# The pipe


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Ear:
    ear = Ear()
    monkeypatch.setattr(signs, "_pipe", None)
    monkeypatch.setattr(signs, "_checked", float("-inf"))
    signs.report_to(ear.pipe)
    return ear


def test_signs_are_heard_in_their_order(ear: Ear) -> None:
    signs.give(Sign.BEGAN)
    signs.give(Sign.ENDED)
    assert list(ear.heard()) == [(Sign.BEGAN, ME), (Sign.ENDED, ME)]
    assert list(ear.heard()) == []


def test_a_watchdog_that_does_not_read_holds_up_nobody(ear: Ear) -> None:
    for _ in range(10_000):
        signs.give(Sign.GUARDING)
    assert {sign for sign, _ in ear.heard()} == {Sign.GUARDING}


def test_a_watchdog_that_is_gone_holds_up_nobody(ear: Ear) -> None:
    os.close(ear._read)
    signs.give(Sign.GUARDING)


@pytest.mark.django_db
def test_the_broker_hands_out_a_check_that_is_in_no_table(
    ear: Ear, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        [(task_id, payload)] = Broker().dequeue() or []
    assert task_id == CHECK and payload
    Broker().acknowledge(CHECK)
    Broker().set_stat("key", "value", 3)
    assert [sign for sign, _ in ear.heard()] == [Sign.ANSWERED, Sign.GUARDING]


@pytest.mark.django_db
def test_one_check_in_three_seconds_and_the_tasks_between(ear: Ear) -> None:
    assert Broker().dequeue()
    assert Broker().dequeue() is None


@pytest.mark.django_db
def test_unwatched_no_check_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "_pipe", None)
    assert Broker().dequeue() is None


def test_what_a_dead_cluster_said_does_not_count_for_the_next(
    ear: Ear, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seconds = [1000.0]
    monkeypatch.setattr(watchdog.time, "monotonic", lambda: seconds[0])
    dog = Watchdog()
    signs.report_to(dog.pipe)
    signs.give(Sign.GUARDING)
    assert dog.well(1.0)
    seconds[0] += 30
    assert not dog.well(31.0)
    assert "the queue's cluster is frozen: its sentinel is silent" in caplog.text
    signs.give(Sign.GUARDING)  # its last word
    assert dog.well(0.5)
    seconds[0] += 30
    assert dog.well(30.5)  # still coming up
