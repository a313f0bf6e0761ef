"""Text without what must not leave: PINs, links that open something, and the row values in a database's messages.

The last net under log lines and error reports. PINs travel as `Secret`, which shows as dots; this catches what others
write: a driver that prints a code, an address in a log line, PostgreSQL's DETAIL.
"""

import re
import traceback
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.db import Error

from portal.database import name_of
from portal.secret import MASK, Secret

LINK = re.compile(r"(/(?:g|join|accounts/password/reset/key|accounts/confirm-email)/)[^/\s?\"'<>]+")
NAMED = re.compile(
    r"(?i)(\b(?:pin|pins|code|user_?code|pass_?code|digits)\b[\"']?\s*(?:=>|[:=]|is|was)?\s*[\"'(]?)\d{4,10}(?![\w-])"
)
# What PostgreSQL adds to a message, up to where a traceback goes on.
ROW = re.compile(r"(DETAIL|CONTEXT): .*?(?=\n\nThe above exception|\n\nDuring handling| : Traceback|\Z)", re.DOTALL)
MASKED, MASKED_ROW = rf"\1{MASK}", rf"\1: {MASK}"
HIDDEN_NAMES = re.compile(
    r"(?i)(^|_)(pin|secret|token|password|passwd|digits|user_?code|authorization|cookie|dsn)s?($|_)"
)


def text(value: str) -> str:
    """The text with links cut, named digits masked and the database's details left out."""
    if "/" in value:
        value = LINK.sub(MASKED, value)
    value = NAMED.sub(MASKED, value)
    return ROW.sub(MASKED_ROW, value) if "DETAIL" in value or "CONTEXT" in value else value


def anything(value: Any, name: str = "") -> Any:
    """The value with all texts in it scrubbed, and what stands under a telling name masked, however deep."""
    if isinstance(value, Secret) or (name and _hides(name) and isinstance(value, str | int)):
        return MASK
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {key: anything(one, str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [anything(one) for one in value]
    return value if value is None or isinstance(value, int | float) else text(str(value))


@lru_cache(maxsize=1024)
def _hides(name: str) -> bool:
    return HIDDEN_NAMES.search(name) is not None


def message_of(error: BaseException) -> str:
    """An error's message; of a database error its name and constraint, for its message prints the row."""
    if isinstance(error, Error) or type(error).__module__.startswith(("psycopg", "sqlite3")):
        return name_of(error)
    return text(str(error))


def traceback_of(error: BaseException) -> str:
    """The traceback as Python prints it, causes first, with each message as `message_of` gives it."""
    earlier, how = _before(error)
    told = f"{traceback_of(earlier)}\n\n{how}\n\n" if earlier else ""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{told}Traceback (most recent call last):\n{frames}{type(error).__qualname__}: {message_of(error)}"


def _before(error: BaseException) -> tuple[BaseException | None, str]:
    if error.__cause__ is not None:
        return error.__cause__, "The above exception was the direct cause of the following exception:"
    if error.__context__ is not None and not error.__suppress_context__:
        return error.__context__, "During handling of the above exception, another exception occurred:"
    return None, ""
