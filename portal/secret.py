"""PINs at rest: the value that does not leak, its encrypted column and its keyed digest. Knows no lock."""

import hashlib
import hmac
from functools import cache
from typing import Any, NoReturn

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

MASK = "••••"


class Secret:
    """A value that shows as dots until someone calls `reveal()`; refuses pickle and JSON.

    Read from the database it holds the sealed token and decrypts on `reveal()` alone, so a list of a hundred
    rows decrypts nothing. Not a str: a str subclass leaks through slices, joins and json.
    """

    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("_plain", "_token")

    def __init__(self, plain: str) -> None:
        self._plain: str | None = plain
        self._token: str | None = None

    @classmethod
    def sealed(cls, token: str) -> "Secret":
        """A Secret around an encrypted token as stored in a column."""
        secret = cls("")
        secret._plain, secret._token = None, token
        return secret

    def reveal(self) -> str:
        """The value in clear. Raises ImproperlyConfigured when no key in PIN_KEYS opens it."""
        if self._plain is None:
            self._plain = _decrypt(self._token or "")
        return self._plain

    def seal(self) -> str:
        """The encrypted token; the same one on every call."""
        if self._token is None:
            self._token = _fernet().encrypt((self._plain or "").encode()).decode()
        return self._token

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal(), other.reveal())

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled: pass the row's id and read it again")

    __getstate__ = __reduce__


class SecretField(models.TextField[Secret, Secret]):
    """A column that holds a Secret, encrypted with the first of PIN_KEYS."""

    def from_db_value(self, value: str | None, *args: object) -> Secret | None:
        return None if value is None else Secret.sealed(value)

    def to_python(self, value: Any) -> Secret | None:
        if value is None or isinstance(value, Secret):
            return value
        raise TypeError("a secret column takes a Secret, never a plain value")

    def get_prep_value(self, value: Any) -> str | None:
        secret = self.to_python(value)
        return None if secret is None else secret.seal()

    def value_to_string(self, obj: models.Model) -> str:
        """What dumpdata writes: the sealed token, never the value."""
        secret: Secret = self.value_from_object(obj)
        return secret.seal()


def digest(*parts: str) -> str:
    """Keyed SHA-256 of the parts as 64 hex digits: equal values meet, nobody without the key can guess them."""
    if not settings.PIN_DIGEST_KEY:
        raise ImproperlyConfigured("Set PIN_DIGEST_KEY: any long random text, kept for as long as the database.")
    return hmac.new(settings.PIN_DIGEST_KEY.encode(), "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def reseal(secret: Secret) -> Secret:
    """The same value sealed with the first key, for key rotation."""
    return Secret.sealed(_fernet().rotate(secret.seal().encode()).decode())


def key_of(secret: Secret) -> int | None:
    """Which of PIN_KEYS opens a sealed value, counted from 0: the first, which seals; None: none does."""
    token = secret.seal().encode()
    for number, key in enumerate(settings.PIN_KEYS):
        try:
            Fernet(key).decrypt(token)
        except InvalidToken:
            continue
        return number
    return None


def looks_sealed(text: object) -> bool:
    """Whether it is text that begins as every sealed token does: for sealed values kept inside JSON."""
    return isinstance(text, str) and text.startswith("gAAAAA")


def _fernet() -> MultiFernet:
    return _fernet_of(tuple(settings.PIN_KEYS))


@cache
def _fernet_of(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("Set PIN_KEYS: one or more Fernet keys, comma separated, the newest first.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured("PIN_KEYS holds a value that is not a Fernet key.") from error


def _decrypt(token: str) -> str:
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "No key in PIN_KEYS opens a stored PIN. Put the key it was written with back into PIN_KEYS."
        ) from None
