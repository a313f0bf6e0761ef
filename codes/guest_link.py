"""The guest's link: unguessable, and in no table. A copy of the database without the keys makes none.

A link is the code's id and a seal over that id and the code's nonce, keyed with PIN_DIGEST_KEY. Another nonce, and
the old link leads nowhere.
"""

import binascii
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from portal.secret import digest

ID_LENGTH, SEAL_LENGTH = 22, 22  # characters: 128 bits each


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


def token_of(code_id: UUID, nonce: str) -> str:
    """The link's secret part, 44 characters that a URL may hold."""
    return _text(code_id.bytes) + _seal(code_id, nonce)


def code_id_of(token: str) -> UUID | None:
    """Which code a token claims to be of; None if it is none. Believe it only if `fits`."""
    if len(token) != ID_LENGTH + SEAL_LENGTH or not token.isascii():
        return None
    try:
        return UUID(bytes=urlsafe_b64decode(token[:ID_LENGTH] + "=="))
    except (ValueError, binascii.Error):
        return None


def fits(token: str, code_id: UUID, nonce: str) -> bool:
    """Whether this is the code's link now."""
    return hmac.compare_digest(token, token_of(code_id, nonce))


def _seal(code_id: UUID, nonce: str) -> str:
    return _text(bytes.fromhex(digest("guest link", code_id.hex, nonce))[:16])


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")
