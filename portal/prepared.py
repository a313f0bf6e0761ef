"""Queries whose SQL is made once a process: Django takes longer to put a page's query together than it takes to run.

Build one from querysets as ever, with a `Given` wherever a value differs from call to call:

    NAMED = Prepared(lambda: Property.objects.filter(name=Given("name", CharField())))
    NAMED(name="Lakeview Cottage")
"""

from collections.abc import Callable
from copy import copy
from typing import Any

from django.db import connection, models
from django.db.models.expressions import Expression
from django.db.models.query import QuerySet
from django.db.models.sql.compiler import SQLCompiler


class Given(Expression):
    """A value that is told when the query runs; `field` is how the database takes it."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class Prepared[Row]:
    """Call it with a value for each `Given`: all rows, read at once, as the queryset itself would give them."""

    def __init__(self, build: Callable[[], QuerySet[Any, Row]]) -> None:
        self._build = build
        self._made: dict[str, tuple[QuerySet[Any, Row], SQLCompiler, str, tuple[Any, ...]]] = {}

    def __call__(self, **given: Any) -> list[Row]:
        """Raises KeyError for a value that was not given."""
        rows, compiler, sql, params = self._made.get(connection.vendor) or self._make()
        filled = tuple(_prepared(param, given) for param in params)
        mine = copy(compiler)  # other threads use it at the same time
        mine.connection = connection
        mine.as_sql = lambda *args, **options: (sql, filled)  # type: ignore[method-assign]
        asked = rows.all()
        asked.query.get_compiler = lambda *args, **options: mine  # type: ignore[method-assign]
        return list(asked)

    def _make(self) -> tuple[QuerySet[Any, Row], SQLCompiler, str, tuple[Any, ...]]:
        rows = self._build()
        compiler = rows.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        made = self._made[connection.vendor] = (rows, compiler, sql, tuple(params))
        return made


def _prepared(param: Any, given: dict[str, Any]) -> Any:
    if not isinstance(param, Given):
        return param
    return param.output_field.get_db_prep_value(given[param.name], connection)
