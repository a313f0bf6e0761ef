"""A connection that was kept from one request to the next: trusted while it is silent, replaced when it ended."""

import socket

import psycopg
import pytest
from django.db import close_old_connections, connection

from portal.postgresql.base import is_silent


def ask(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def on_server(statement: str, *values: object) -> object:
    """By a connection of the test's own."""
    asked = connection.get_connection_params()
    known = {name: asked[name] for name in ("dbname", "host", "port", "user", "password") if name in asked}
    with psycopg.connect(**known, autocommit=True) as other:
        found = other.execute(statement, values).fetchone()
        return found[0] if found else None


@pytest.mark.django_db(transaction=True)
def test_one_that_the_server_ended_is_replaced_before_a_request_sees_it() -> None:
    if connection.vendor == "postgresql":  # SQLite's is a file: nobody else can end it
        assert on_server("SELECT pg_terminate_backend(%s, 5000)", ask("SELECT pg_backend_pid()")) is True
        assert not connection.is_usable()
    close_old_connections()  # a request begins
    assert ask("SELECT 1") == 1


@pytest.mark.django_db(transaction=True)
def test_one_that_is_well_is_asked_nothing() -> None:
    if connection.vendor == "postgresql":
        pid = ask("SELECT pg_backend_pid()")
        assert connection.is_usable()
        last = on_server("SELECT query FROM pg_stat_activity WHERE pid = %s", pid)
        assert last == "SELECT pg_backend_pid()"
    assert connection.is_usable()


@pytest.mark.django_db(transaction=True)
def test_one_that_was_closed_here_is_not_usable() -> None:
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        connection.connection.close()
        assert not connection.is_usable()
    close_old_connections()
    assert ask("SELECT 1") == 1


def test_silence_ends_with_a_word_or_with_the_end() -> None:
    here, there = socket.socketpair()
    with here:
        assert is_silent(here.fileno())
        there.send(b"E")
        assert not is_silent(here.fileno())
        here.recv(1)
        assert is_silent(here.fileno())
        there.close()
        assert not is_silent(here.fileno())
