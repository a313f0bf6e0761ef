"""Speaking of database errors without their message: PostgreSQL's prints the row's values."""

from django.db import DatabaseError


def name_of(error: DatabaseError) -> str:
    """The error's class and, where the database says it, the constraint that was broken. Never a value."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    return f"{type(error).__name__} of {constraint}" if constraint else type(error).__name__
