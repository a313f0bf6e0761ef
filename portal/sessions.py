"""Sessions in the database under a digest of their key: who reads the table, or a copy of it, cannot be anybody."""

import hashlib
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.db.models import CharField, DateTimeField
from django.utils import timezone

from portal.prepared import Given, Prepared

OPEN = Prepared(
    lambda: Session.objects.filter(session_key=Given("key", CharField()), expire_date__gt=Given("at", DateTimeField()))
)


def stored(key: str) -> str:
    """What stands in the table for the key in a person's cookie: 160 bits of its SHA-256."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]


class SessionStore(DatabaseStore):
    """Django's own, but for the key. For synchronous views, the only ones here."""

    def _get_session_from_db(self) -> Session | None:
        found = OPEN(key=stored(self.session_key or ""), at=timezone.now())
        if not found:
            self._session_key = None
            return None
        return found[0]

    def exists(self, session_key: str) -> bool:
        return super().exists(stored(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = stored(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            Session.objects.filter(session_key=stored(key)).delete()
