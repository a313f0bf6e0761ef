"""Threads share one connection in turn, and get over it when it breaks."""

import threading
from collections.abc import Callable

import pytest
from django.db import DEFAULT_DB_ALIAS, Error, connection, connections

from devices.providers.shared_connection import disconnect, on_database

pytestmark = pytest.mark.django_db(transaction=True)


def asked() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return int(cursor.fetchone()[0])


def broken() -> None:
    """Fails; on PostgreSQL because its connection is ended, which a file cannot do."""
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    with connection.cursor() as cursor:
        cursor.execute(end if connection.vendor == "postgresql" else "SELECT nothing FROM nowhere")


def from_a_thread(work: Callable[[], object]) -> object:
    """What `work` gives, or raises, with the connection that threads share."""
    came: list[object] = []

    def ask() -> None:
        try:
            came.append(on_database(work))
        except Error as error:
            came.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return came[0]


def used() -> object:
    return connections[DEFAULT_DB_ALIAS]


def test_all_threads_share_a_connection_and_the_main_one_has_its_own() -> None:
    one, two = (from_a_thread(used) for _ in range(2))
    assert one is two
    assert on_database(used) is used() is not one


def test_a_thread_with_a_connection_of_its_own_has_it_again_afterwards() -> None:
    came: list[object] = []

    def ask() -> None:
        own = used()
        came.extend([on_database(used) is own, used() is own])
        connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert came == [False, True]


def test_one_waits_for_the_other() -> None:
    began, may_end, happened = threading.Event(), threading.Event(), list[str]()

    def first() -> None:
        began.set()
        may_end.wait()
        happened.append("first")

    one = threading.Thread(target=on_database, args=[first], daemon=True)
    one.start()
    began.wait()
    two = threading.Thread(target=on_database, args=[lambda: happened.append("second")], daemon=True)
    two.start()
    two.join(0.2)
    assert two.is_alive() and not happened
    may_end.set()
    for thread in (one, two):
        thread.join()
    assert happened == ["first", "second"]


def test_a_call_that_failed_with_its_connection_costs_no_other() -> None:
    assert from_a_thread(asked) == 1
    assert isinstance(from_a_thread(broken), Error)
    assert from_a_thread(asked) == 1


def test_after_it_was_ended_the_next_call_starts_another() -> None:
    assert from_a_thread(asked) == 1
    disconnect()
    assert from_a_thread(asked) == 1
