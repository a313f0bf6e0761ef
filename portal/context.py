"""What a log line says of whom it is about: ids bound to the request, task or turn that runs. Never a PIN or name."""

from contextlib import AbstractContextManager
from uuid import UUID

from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, get_contextvars

type Id = str | int | UUID


def bind(**ids: Id) -> None:
    """From here on, in this context, log lines carry these ids."""
    bind_contextvars(**{name: str(value) for name, value in ids.items()})


def about(**ids: Id) -> AbstractContextManager[None]:
    """Inside, log lines carry these ids; what was bound before comes back afterwards."""
    return bound_contextvars(**{name: str(value) for name, value in ids.items()})


def forget() -> None:
    """Nothing is bound any more: a request has ended on a thread that others use."""
    clear_contextvars()


def bound() -> dict[str, str]:
    """What is bound now."""
    return dict(get_contextvars())
