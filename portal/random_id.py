"""Ids that nobody guesses, drawn by the database: rows that old code or a statement by hand adds have one too."""

from typing import Any

from django.db.models import Func, UUIDField


class RandomId(Func):
    """A column's `db_default`: 122 random bits or more, by the database's own secure generator."""

    template = "gen_random_uuid()"
    output_field = UUIDField()
    arity = 0

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """As Django writes a UUID there: 32 hexadecimal digits."""
        return self.as_sql(compiler, connection, template="lower(hex(randomblob(16)))", **context)
