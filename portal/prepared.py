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
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.query import (
    ModelIterable,
    QuerySet,
    RelatedPopulator,
    ValuesListIterable,
    get_related_populators,
)
from django.db.models.sql import InsertQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

from portal.database import connected


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
    reading: "Reading | None"  # its rows are these, and nothing else


class Prepared[Row]:
    """Call it with a value for each `Given`: all rows, read at once, as the queryset itself would give them."""

    def __init__(self, build: Callable[[], QuerySet[Any, Row]]) -> None:
        self._build = build
        self._made: dict[str, Made[Row]] = {}

    def __call__(self, **given: Any) -> list[Row]:
        """Raises KeyError for a value that was not given."""
        made = self._made.get(connected().vendor) or self._make()
        filled = _filled(made.params, given)
        if made.plain:
            return _answered(made, filled)
        if made.reading:
            return cast(list[Row], made.reading.rows(made.sql, filled))
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
        converters = compiler.get_converters(columns)
        reading = None if plain else _reading_of(rows, compiler, converters)
        made = Made(rows, compiler, sql, tuple(params), converters, plain, reading)
        self._made[connection.vendor] = made
        return made


class PreparedUpdate:
    """Call it with a value for each `Given`: what `update()` would do; how many rows it changed."""

    def __init__(self, build: Callable[[], QuerySet[Any, Any]], **values: Any) -> None:
        self._build, self._values = build, values
        self._made: dict[str, tuple[str, tuple[Any, ...]]] = {}

    def __call__(self, **given: Any) -> int:
        """Raises KeyError for a value that was not given."""
        database = connected()
        sql, params = self._made.get(database.vendor) or self._make()
        with database.cursor() as cursor:
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
        database = connected()
        sql, params = self._made.get(database.vendor) or self._make()
        given = {field.attname: field.pre_save(row, add=True) for field in self._fields}
        with database.cursor() as cursor:
            cursor.execute(sql, _filled(params, given))
            (row.pk,) = cursor.fetchone()
        row._state.adding, row._state.db = False, database.alias

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
    return cast(list[Row], _reading(model, connected().alias, tuple(also)).rows(sql, params))


def read_into(row: models.Model, sql: str, params: Sequence[Any], *, also: Sequence[str] = ()) -> bool:
    """Make a row what the first one is that such a statement gives; False: it gives none."""
    reading = _reading(type(row), connected().alias, tuple(also))
    found = reading.asked(sql, params)
    if found:
        for name, value in zip((*reading.names, *also), found[0], strict=True):
            setattr(row, name, value)
    return bool(found)


@cache
def columns_of(model: type[models.Model]) -> str:
    """All columns of a model's table, as `rows_of` takes them."""
    table = model._meta.db_table
    return ", ".join(f"{table}.{field.column}" for field in model._meta.concrete_fields)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a statement's answer becomes a model's rows: which attributes its columns are, and what converts them."""

    model: type[models.Model]
    names: list[str]  # of the first columns
    also: tuple[str, ...]  # of those that follow, which are no fields of it
    converters: list[tuple[int, Callable[..., Any], Any]]  # by column
    related: Sequence[RelatedPopulator] = ()  # the rows it refers to, from all other columns

    def rows(self, sql: str, params: Sequence[Any]) -> list[Any]:
        count, alias, made = len(self.names), connected().alias, []
        for values in self.asked(sql, params):
            row = self.model.from_db(alias, self.names, values[:count])
            for name, value in zip(self.also, values[count:], strict=False):
                setattr(row, name, value)
            for other in self.related:
                other.populate(values, row)
            made.append(row)
        return made

    def asked(self, sql: str, params: Sequence[Any]) -> list[list[Any]]:
        """The values, converted."""
        database = connected()
        with database.cursor() as cursor:
            cursor.execute(sql, params)
            found = [list(values) for values in cursor.fetchall()]
        for values in found:
            for index, convert, column in self.converters:
                values[index] = convert(values[index], column, database)
        return found


@cache
def _reading(model: type[models.Model], alias: str, also: tuple[str, ...]) -> Reading:
    """Of `columns_of(model)` and a column for each of `also`."""
    made: list[tuple[int, Callable[..., Any], Any]] = []
    for index, field in enumerate(model._meta.concrete_fields):
        column = field.get_col(model._meta.db_table)
        of_database = connections[alias].ops.get_db_converters(column)
        made += [(index, convert, column) for convert in of_database + column.get_db_converters(connections[alias])]
    return Reading(model, [field.attname for field in model._meta.concrete_fields], also, made)


def _reading_of(rows: QuerySet[Any, Any], compiler: SQLCompiler, converters: dict[int, Any]) -> Reading | None:
    """Of a queryset's rows, if they are a model's rows and annotations, with the rows that they refer to."""
    told, fetching = compiler.klass_info, rows._fetch_mode  # type: ignore[attr-defined]
    if rows._iterable_class is not ModelIterable or told is None or fetching.track_peers:
        return None
    if any(getattr(rows, kept) for kept in ("_known_related_objects", "_prefetch_related_lookups")):
        return None
    count, also = len(told["select_fields"]), compiler.annotation_col_map
    if [*told["select_fields"], *also.values()] != list(range(count + len(also))):
        return None
    names = [column.target.attname for column, *_ in compiler.select[:count]]
    flat = [(index, convert, column) for index, (several, column) in converters.items() for convert in several]
    related = get_related_populators(told, compiler.select, connection.alias, fetching)
    return Reading(rows.model, names, tuple(also), flat, related)


def _keep(made: dict[str, tuple[str, tuple[Any, ...]]], what: tuple[str, Any]) -> tuple[str, tuple[Any, ...]]:
    sql, params = what
    kept = made[connection.vendor] = (sql, tuple(params))
    return kept


def _filled(params: Iterable[Any], given: dict[str, Any]) -> tuple[Any, ...]:
    database = connected()
    return tuple(_prepared(param, given, database) if isinstance(param, Given) else param for param in params)


def _own(compiler: SQLCompiler) -> SQLCompiler:
    """One for this call: other threads use it at the same time."""
    mine = copy(compiler)
    mine.connection = connection
    return mine


def _answered(made: Made[Any], params: tuple[Any, ...]) -> list[Any]:
    """The rows of `values_list`, without a queryset for this one call."""
    with connected().cursor() as cursor:
        cursor.execute(made.sql, params)
        found: list[Any] = cursor.fetchall()
    return list(map(tuple, _own(made.compiler).apply_converters(found, made.converters))) if made.converters else found


def _prepared(param: Given, given: dict[str, Any], database: BaseDatabaseWrapper) -> Any:
    return param.output_field.get_db_prep_value(given[param.name], database)
