"""What processes count reaches the table: added up, once, without ever costing the work that was counted."""

import os
import threading

import pytest
from django.db import OperationalError, connection, transaction
from prometheus_client.parser import text_string_to_metric_families

from portal import tally
from portal.exposition import _text
from portal.models import Tally
from portal.tally import Counter, Histogram, families, flush
from tests.portal.test_queue import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests declare is gone after them, and nothing is left from tests before."""
    monkeypatch.setattr(tally, "_declared", {})
    tally._pending.take(0)


@pytest.fixture
def knocks() -> Counter:
    return Counter("portal_knocks", "Knocks.", ("door",), always=(("back",),))


def samples() -> dict[tuple[str, ...], float]:
    """What a scraper reads, as {(name, label values…): value}."""
    found = text_string_to_metric_families(_text(families()))
    return {(one.name, *one.labels.values()): one.value for family in found for one in family.samples}


def test_what_is_counted_is_told_once_it_is_flushed(knocks: Counter) -> None:
    knocks.count("front")
    knocks.count("front")
    assert samples() == {("portal_knocks_total", "back"): 0}
    flush()
    flush()
    assert samples() == {("portal_knocks_total", "front"): 2, ("portal_knocks_total", "back"): 0}


def test_a_histogram_tells_cumulative_buckets_sum_and_count() -> None:
    waits = Histogram("portal_wait_seconds", "Waits.", ("door",), buckets=(0.5, 1.0))
    for seconds in (0.1, 0.5, 0.7, 9.0):
        waits.observe(seconds, "front")
        flush()
    told = samples()
    buckets = {key[-1]: value for key, value in told.items() if key[0].endswith("_bucket")}
    assert buckets == {"0.5": 2, "1.0": 3, "+Inf": 4}
    assert told["portal_wait_seconds_count", "front"] == 4
    assert told["portal_wait_seconds_sum", "front"] == pytest.approx(10.3)


def test_a_flush_is_one_statement_and_none_without_news(knocks: Counter, django_assert_num_queries) -> None:
    for door in ("front", "back", "side"):
        knocks.count(door)
    with django_assert_num_queries(1):
        flush()
    with django_assert_num_queries(0):
        flush()
        knocks.count("front")
        flush(at_most_every=60)


def test_processes_and_threads_add_up(knocks: Counter) -> None:
    """Each comes with its own batch over the same series, in another order."""

    def work() -> None:
        for turn in range(10):
            for door in ("front", "back", "side")[:: 1 if turn % 2 else -1]:
                knocks.count(door)
            flush()

    in_threads(6, work)
    flush()
    assert {value for key, value in samples().items() if key[0] == "portal_knocks_total"} == {60}


def test_a_forked_worker_does_not_count_its_parents_again(knocks: Counter) -> None:
    knocks.count("front")
    pid = os.fork()
    if not pid:
        os._exit(len(tally._pending.take(0)))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    flush()
    assert samples()["portal_knocks_total", "front"] == 1


def test_a_flush_that_fails_costs_nothing_and_is_made_up_for(
    knocks: Counter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    knocks.count("front")

    def broken(*args: object) -> None:
        raise OperationalError("the server said 4711")

    with connection.execute_wrapper(broken):
        flush()
    assert "OperationalError" in caplog.text and "4711" not in caplog.text
    knocks.count("front")
    flush()
    assert samples()["portal_knocks_total", "front"] == 2


def test_a_rollback_takes_no_counts_with_it(knocks: Counter) -> None:
    with transaction.atomic():
        knocks.count("front")
        flush()
        transaction.set_rollback(True)
    assert not Tally.objects.exists()
    flush()
    assert samples()["portal_knocks_total", "front"] == 1


def test_what_nobody_declares_any_more_is_left_out(knocks: Counter) -> None:
    Tally.objects.create(metric="portal_gone", labels="[]", part="count", value=3)
    assert "portal_gone" not in _text(families())


def test_a_label_too_few_is_a_mistake(knocks: Counter) -> None:
    with pytest.raises(TypeError, match="give a value for each"):
        knocks.count()


def test_counting_from_many_threads_loses_nothing(knocks: Counter) -> None:
    def work() -> None:
        for _ in range(500):
            knocks.count("front")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    flush()
    assert samples()["portal_knocks_total", "front"] == 4000
