"""The simulator's database thread gets over a connection that broke."""

import threading
from collections.abc import Callable

import pytest
from django.db import Error, connection

from devices.providers.database_thread import disconnect, on_database

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
    """What `work` gives, or raises, on the database thread."""
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


def test_one_thread_does_the_work_of_all_and_the_main_thread_its_own() -> None:
    one, two = (from_a_thread(threading.get_ident) for _ in range(2))
    assert one == two != on_database(threading.get_ident) == threading.get_ident()


def test_a_call_that_failed_with_its_connection_costs_no_other() -> None:
    assert from_a_thread(asked) == 1
    assert isinstance(from_a_thread(broken), Error)
    assert from_a_thread(asked) == 1


def test_after_it_was_ended_the_next_call_starts_another() -> None:
    assert from_a_thread(asked) == 1
    disconnect()
    assert from_a_thread(asked) == 1
