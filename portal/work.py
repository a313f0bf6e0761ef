"""What every task of the queue wears: ids on its log lines, errors without a row's values, metrics written down."""

from collections.abc import Callable
from functools import wraps

from django.db import Error

from portal.context import about
from portal.database import name_of
from portal.tally import flush


class TaskFailed(Exception):
    """A task met a database error. django-q logs and stores a failed task's text, so it is only the error's name."""


def task[**P](*names: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Decorate a task whose arguments are ids of what `names` says: `@task("lock")`."""

    def decorate(function: Callable[P, None]) -> Callable[P, None]:
        @wraps(function)
        def work(*args: P.args, **kwargs: P.kwargs) -> None:
            ids = {name: str(value) for name, value in zip(names, args, strict=False)}
            with about(task=function.__name__, **ids):
                try:
                    function(*args, **kwargs)
                except Error as error:
                    raise TaskFailed(name_of(error)) from None
                finally:
                    flush()

        return work

    return decorate
