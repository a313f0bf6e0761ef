"""All examinations in their order. One that breaks is a finding itself: the others go on."""

from collections.abc import Callable, Iterable, Iterator

from django.db import DatabaseError

from codes.doctor import database, keys, locks, queue, settings, surroundings
from codes.doctor.finding import Finding, State, wrong
from portal.database import name_of

type Look = Callable[[], Iterable[Finding]]

WITHOUT_DATABASE: list[tuple[str, Look]] = [
    ("settings", settings.look),
    ("static files", surroundings.static_files),
]
WITH_DATABASE: list[tuple[str, Look]] = [
    ("database", database.look),
    ("migrations", database.migrations),
    ("clock", database.clock),
    ("time zones", surroundings.time_zones),
    ("keys", keys.look),
    ("queue", queue.look),
    ("locks", locks.due),
]
OUTSIDE: list[tuple[str, Look]] = [("hubs", locks.hubs), ("mail", surroundings.mail)]


def examine(*, outside: bool, looked: Callable[[], None]) -> Iterator[Finding]:
    """Everything there is to say about this installation. `outside`: hubs and mail server are spoken to as well."""
    for area, look in WITHOUT_DATABASE:
        yield from _safely(area, look)
        looked()
    reachable = True
    for area, look in [*WITH_DATABASE, *(OUTSIDE if outside else [])]:
        found = list(_safely(area, look) if reachable else [_skipped(area)])
        yield from found
        if area in ("database", "migrations"):
            reachable = reachable and not any(one.state == State.WRONG for one in found)
        looked()


def number_of_looks(*, outside: bool) -> int:
    return len(WITHOUT_DATABASE) + len(WITH_DATABASE) + (len(OUTSIDE) if outside else 0)


def _skipped(area: str) -> Finding:
    return Finding(area, State.SKIPPED, "not looked at: the database is not ready")


def _safely(area: str, look: Look) -> Iterator[Finding]:
    try:
        yield from look()
    except DatabaseError as error:
        yield wrong(area, f"the database failed: {name_of(error)}", "See DATABASE_URL, and that the database runs.")
    except Exception as error:  # whatever it is, the other examinations must be told
        yield wrong(area, f"this examination broke: {type(error).__name__}", "Report it; the others went on.")
