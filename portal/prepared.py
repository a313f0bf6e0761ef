"""Statements whose SQL is made once a process: Django takes longer to put one together than the database to run it.

Build one from querysets as ever, with a `Given` wherever a value differs from call to call:

    NAMED = Prepared(lambda: Property.objects.filter(name=Given("name", CharField())))
    NAMED(name="Lakeview Cottage")
"""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from django.db import connection, connections, models
from django.db.models.expressions import Expression
from django.db.models.query import QuerySet, ValuesListIterable
from django.db.models.sql import InsertQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler


class Given(Expression):
    """A value that is told when the query runs; `field` is how the database takes it."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


@dataclass(frozen=True, slots=True)
class Made[Row]:
    """What is made once: `rows` were built with a `Given` in place of each value. Threads share it."""

    rows: QuerySet[Any, Row]
    compiler: SQLCompiler
    sql: str
    params: tuple[Any, ...]
    converters: dict[int, Any]  # by column, as Django's compiler has them
    plain: bool  # its rows are what the database answers


class Prepared[Row]:
    """Call it with a value for each `Given`: all rows, read at once, as the queryset itself would give them."""

    def __init__(self, build: Callable[[], QuerySet[Any, Row]]) -> None:
        self._build = build
        self._made: dict[str, Made[Row]] = {}

    def __call__(self, **given: Any) -> list[Row]:
        """Raises KeyError for a value that was not given."""
        made = self._made.get(connection.vendor) or self._make()
        filled = _filled(made.params, given)
        if made.plain:
            return _answered(made, filled)
        mine = _own(made.compiler)
        mine.as_sql = lambda *args, **options: (made.sql, filled)  # type: ignore[method-assign]
        mine.get_converters = lambda expressions: made.converters  # type: ignore[method-assign]
        asked = made.rows.all()
        asked.query.get_compiler = lambda *args, **options: mine  # type: ignore[method-assign]
        return list(asked)

    def _make(self) -> Made[Row]:
        rows = self._build()
        compiler = rows.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        columns = [column for column, *_ in compiler.select[: compiler.col_count]]
        plain = rows._iterable_class is ValuesListIterable and not compiler.has_extra_select
        plain = plain and not compiler.has_composite_fields(columns)
        made = Made(rows, compiler, sql, tuple(params), compiler.get_converters(columns), plain)
        self._made[connection.vendor] = made
        return made


class PreparedUpdate:
    """Call it with a value for each `Given`: what `update()` would do; how many rows it changed."""

    def __init__(self, build: Callable[[], QuerySet[Any, Any]], **values: Any) -> None:
        self._build, self._values = build, values
        self._made: dict[str, tuple[str, tuple[Any, ...]]] = {}

    def __call__(self, **given: Any) -> int:
        """Raises KeyError for a value that was not given."""
        sql, params = self._made.get(connection.vendor) or self._make()
        with connection.cursor() as cursor:
            cursor.execute(sql, _filled(params, given))
            return int(cursor.rowcount)

    def _make(self) -> tuple[str, tuple[Any, ...]]:
        query = cast(UpdateQuery, self._build().query.chain(UpdateQuery))
        query.add_update_values(self._values)
        return _keep(self._made, query.get_compiler(connection=connection).as_sql())


class PreparedInsert[Row: models.Model]:
    """Call it with a new row, which gets its key: what `save()` does for a table whose keys the database gives."""

    def __init__(self, model: type[Row]) -> None:
        key = model._meta.pk
        self._fields = [field for field in model._meta.concrete_fields if field is not key]
        self._model, self._key = model, key
        self._made: dict[str, tuple[str, tuple[Any, ...]]] = {}

    def __call__(self, row: Row) -> None:
        sql, params = self._made.get(connection.vendor) or self._make()
        given = {field.attname: field.pre_save(row, add=True) for field in self._fields}
        with connection.cursor() as cursor:
            cursor.execute(sql, _filled(params, given))
            (row.pk,) = cursor.fetchone()
        row._state.adding, row._state.db = False, connection.alias

    def _make(self) -> tuple[str, tuple[Any, ...]]:
        query, blank = InsertQuery(self._model), self._model()
        for field in self._fields:
            setattr(blank, field.attname, Given(field.attname, field))
        query.insert_values(self._fields, [blank], raw=True)
        compiler = query.get_compiler(connection=connection)
        compiler.returning_fields = [self._key]
        ((sql, params),) = compiler.as_sql()
        return _keep(self._made, (sql, params))


def rows_of[Row: models.Model](
    model: type[Row], sql: str, params: Sequence[Any], *, also: Sequence[str] = ()
) -> list[Row]:
    """The rows that a statement of our own gives: `columns_of(model)`, then a column for each attribute of `also`."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found = cursor.fetchall()
    names, converters = _reading(model, connection.alias)
    return [_row(model, names, converters, values, also) for values in found]


@cache
def columns_of(model: type[models.Model]) -> str:
    """All columns of a model's table, as `rows_of` takes them."""
    table = model._meta.db_table
    return ", ".join(f"{table}.{field.column}" for field in model._meta.concrete_fields)


type _Converter = tuple[int, Callable[..., Any], Any]


@cache
def _reading(model: type[models.Model], alias: str) -> tuple[list[str], list[_Converter]]:
    """The attributes that the columns become, and what makes the database's value of a column the attribute's."""
    made: list[_Converter] = []
    for index, field in enumerate(model._meta.concrete_fields):
        column = field.get_col(model._meta.db_table)
        of_database = connections[alias].ops.get_db_converters(column)
        made += [(index, convert, column) for convert in of_database + column.get_db_converters(connections[alias])]
    return [field.attname for field in model._meta.concrete_fields], made


def _row[Row: models.Model](
    model: type[Row], names: list[str], converters: list[_Converter], found: Sequence[Any], also: Iterable[str]
) -> Row:
    values = list(found)
    for index, convert, column in converters:
        values[index] = convert(values[index], column, connection)
    row = model.from_db(connection.alias, names, values[: len(names)])
    for name, value in zip(also, values[len(names) :], strict=True):
        setattr(row, name, value)
    return row


def _keep(made: dict[str, tuple[str, tuple[Any, ...]]], what: tuple[str, Any]) -> tuple[str, tuple[Any, ...]]:
    sql, params = what
    kept = made[connection.vendor] = (sql, tuple(params))
    return kept


def _filled(params: Iterable[Any], given: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(_prepared(param, given) for param in params)


def _own(compiler: SQLCompiler) -> SQLCompiler:
    """One for this call: other threads use it at the same time."""
    mine = copy(compiler)
    mine.connection = connection
    return mine


def _answered(made: Made[Any], params: tuple[Any, ...]) -> list[Any]:
    """The rows of `values_list`, without a queryset for this one call."""
    with connection.cursor() as cursor:
        cursor.execute(made.sql, params)
        found: list[Any] = cursor.fetchall()
    return list(map(tuple, _own(made.compiler).apply_converters(found, made.converters))) if made.converters else found


def _prepared(param: Any, given: dict[str, Any]) -> Any:
    if not isinstance(param, Given):
        return param
    return param.output_field.get_db_prep_value(given[param.name], connection)
