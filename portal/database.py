"""The thread's connection; and database errors told without their message: PostgreSQL's prints the row's values."""

from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import UUIDField

ID = UUIDField()


def connected() -> BaseDatabaseWrapper:
    """This thread's connection itself: Django's `connection` looks for it at each touch."""
    return connections[DEFAULT_DB_ALIAS]


def as_id(value: UUID) -> Any:
    """An id as the database takes it in a statement of our own."""
    return ID.get_db_prep_value(value, connected())


def name_of(error: BaseException) -> str:
    """The error's class and, where the database says it, the constraint that was broken. Never a value."""
    told = (getattr(getattr(one, "diag", None), "constraint_name", None) for one in (error, error.__cause__))
    constraint = next(filter(None, told), None)
    return f"{type(error).__name__} of {constraint}" if constraint else type(error).__name__
