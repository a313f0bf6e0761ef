"""Forms that are sent twice do their work once."""

import uuid
from collections.abc import Iterable
from hashlib import sha256

from django.core.cache import cache

KEPT = 24 * 3600  # seconds


def new_token() -> str:
    """A value for a form's hidden field, another for every time the form is shown."""
    return uuid.uuid4().hex


def first_time(token: str) -> bool:
    """Whether nobody came with this token before. Of two requests at the same moment one gets True."""
    return cache.add(_key(token), 1, KEPT)


def came_before(tokens: Iterable[str]) -> set[str]:
    """Those of the tokens that somebody came with before. One query for any number; uses up none."""
    by_key = {_key(token): token for token in tokens}
    return {by_key[key] for key in cache.get_many(by_key)}


def again(token: str) -> None:
    """Let the token be used once more: the work was refused."""
    cache.delete(_key(token))


def _key(token: str) -> str:
    """The token comes from a browser, so it may be anything: a cache takes short plain keys only."""
    return f"once:{sha256(token.encode()).hexdigest()}"
