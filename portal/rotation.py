"""Sealing every stored secret anew with the first of PIN_KEYS, while web, workers and tick go on writing.

A few hundred rows at a time are taken, skipping those that somebody else holds, so that nobody waits for this work and
it never waits for anybody while it holds a row: no deadlock. What was skipped comes when it is called again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import connection, models, transaction

from portal.secret import Secret, SecretField, key_of, looks_sealed, reseal

BATCH = 200
ROUNDS = 5  # rows that somebody holds are come back to so often


@dataclass(frozen=True, slots=True)
class Store:
    """One column in which sealed values stand: a SecretField, or JSON with sealed text somewhere inside."""

    model: type[models.Model]
    field: str

    @property
    def name(self) -> str:
        return f"{self.model._meta.label}.{self.field}"

    def rows(self) -> models.QuerySet[Any]:
        return self.model._base_manager.exclude(**{f"{self.field}__isnull": True}).order_by("pk")


@dataclass(slots=True)
class Count:
    """What stands in one store: values sealed with the first key, with an older one, and those no key opens."""

    store: Store
    current: int = 0
    older: int = 0
    lost: int = 0
    lost_rows: tuple[str, ...] = ()  # primary keys, a few

    @property
    def total(self) -> int:
        return self.current + self.older + self.lost


def secret_columns() -> list[Store]:
    """Every SecretField of every model, and the two-factor secrets, which allauth keeps in JSON."""
    fields = ((model, field) for model in apps.get_models() for field in model._meta.concrete_fields)
    own = [Store(model, field.name) for model, field in fields if isinstance(field, SecretField)]
    return [*own, Store(Authenticator, "data")]


def count(store: Store, seen: Callable[[int], None]) -> Count:
    """Look at every value of a store without changing it. `seen(n)`: n more rows are done."""
    result = Count(store)
    for batch in _batches(store):
        for pk, value in store.rows().filter(pk__in=batch).values_list("pk", store.field):
            for secret in _secrets(value):
                _add(result, pk, key_of(secret))
        seen(len(batch))
    return result


def sample(store: Store, most: int) -> Count:
    """As `count`, of the oldest and the newest rows only."""
    result = Count(store)
    rows = store.rows().values_list("pk", store.field)
    for pk, value in dict([*rows[:most], *rows.reverse()[:most]]).items():
        for secret in _secrets(value):
            _add(result, pk, key_of(secret))
    return result


def rotate(store: Store, seen: Callable[[int], None]) -> int:
    """Seal with the first key what an older one sealed; how many rows were written. `seen(n)`: n more rows are done."""
    written = 0
    for batch in _batches(store):
        written += _rotate(store, batch)
        seen(len(batch))
    return written


def size(store: Store) -> int:
    return store.rows().count()


def _rotate(store: Store, batch: list[Any]) -> int:
    values = store.rows().filter(pk__in=batch).values_list("pk", store.field)
    due = [pk for pk, value in values if _is_older(value)]
    if not due:
        return 0
    with transaction.atomic():
        rows = [row for row in _held(store.rows().filter(pk__in=due)) if _is_older(getattr(row, store.field))]
        for row in rows:
            setattr(row, store.field, _renewed(getattr(row, store.field)))
        store.model._base_manager.bulk_update(rows, [store.field])
    return len(rows)


def _held(rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """The rows, ours until the transaction ends; without those that somebody else holds, where the database can."""
    features = connection.features
    return rows.select_for_update(
        skip_locked=features.has_select_for_update_skip_locked, no_key=features.has_select_for_no_key_update
    )


def _batches(store: Store) -> Iterator[list[Any]]:
    """Primary keys in order, a batch at a time; rows that are added meanwhile are sealed with the first key already."""
    keys = store.rows().values_list("pk", flat=True)
    batch = list(keys[:BATCH])
    while batch:
        yield batch
        batch = list(keys.filter(pk__gt=batch[-1])[:BATCH])


def _is_older(value: Any) -> bool:
    return any(key_of(secret) not in (0, None) for secret in _secrets(value))


def _secrets(value: Any) -> Iterator[Secret]:
    """The sealed values in a column's value."""
    if isinstance(value, Secret):
        yield value
    elif looks_sealed(value):
        yield Secret.sealed(value)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _secrets(inner)


def _renewed(value: Any) -> Any:
    """The same with all inside that an older key sealed sealed by the first; what no key opens stays as it is."""
    if isinstance(value, Secret):
        return value if key_of(value) in (0, None) else reseal(value)
    if looks_sealed(value):
        return _renewed(Secret.sealed(value)).seal()
    if isinstance(value, dict):
        return {key: _renewed(inner) for key, inner in value.items()}
    return [_renewed(inner) for inner in value] if isinstance(value, list) else value


def _add(result: Count, pk: Any, key: int | None) -> None:
    if key == 0:
        result.current += 1
    elif key is not None:
        result.older += 1
    else:
        result.lost += 1
        if len(result.lost_rows) < BATCH:
            result.lost_rows = (*result.lost_rows, str(pk))
