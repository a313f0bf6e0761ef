"""Forms that are sent twice do their work once.

The token is used up in the transaction that does the work: a process or a database that goes away in between undoes
both, and the same form can be sent again.
"""

import uuid
from collections.abc import Iterable
from hashlib import sha256

from django.core.cache import cache
from django.db import OperationalError

KEPT = 24 * 3600  # seconds


def new_token() -> str:
    """A value for a form's hidden field, another for every time the form is shown."""
    return uuid.uuid4().hex


def first_time(token: str) -> bool:
    """Whether nobody came with this token before. Of two requests at the same moment one gets True.

    Raises OperationalError as `first_within` does.
    """
    return first_within(KEPT, _key(token))


def first_within(seconds: int, key: str) -> bool:
    """Whether nobody came with this key in the last so many seconds.

    Raises OperationalError when the database did not take it: the cache keeps that to itself, and who was told "no"
    would believe that the work is done.
    """
    for _ in range(2):  # it may run out between the two looks
        if cache.add(key, 1, seconds):
            return True
        if cache.get(key) is not None:
            return False
    raise OperationalError("The database did not take it.")


def came_before(tokens: Iterable[str]) -> set[str]:
    """Those of the tokens that somebody came with before. One query for any number; uses up none."""
    by_key = {_key(token): token for token in tokens}
    return {by_key[key] for key in cache.get_many(by_key)}


def _key(token: str) -> str:
    """The token comes from a browser, so it may be anything: a cache takes short plain keys only."""
    return f"once:{sha256(token.encode()).hexdigest()}"
