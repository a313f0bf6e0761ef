"""A browser before the portal, as its web server would have it: through WSGI, with a request's signals and connections.

Django's test client does work of its own at each request, a quarter of a short poll's time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.test import Client, RequestFactory

from portal.models import User
from portal.process import loaded


@dataclass(frozen=True, slots=True)
class Answer:
    status_code: int
    headers: dict[str, str]
    content: bytes


type Query = Mapping[str, str]


class Browser:
    """Signed in as this person, in a process that has loaded its code as a web server's has."""

    def __init__(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        self._cookies = "; ".join(f"{name}={kept.value}" for name, kept in client.cookies.items())
        self._portal = get_wsgi_application()
        loaded()

    def get(self, address: str, query: Query | None = None, *, headers: Query | None = None) -> Answer:
        return self.asking(address, query, headers=headers)()

    def asking(self, address: str, query: Query | None = None, *, headers: Query | None = None) -> Callable[[], Answer]:
        """The request, made ready: each call sends it anew."""
        environ = {**RequestFactory(headers=headers).get(address, query).environ, "HTTP_COOKIE": self._cookies}
        return lambda: self._ask(dict(environ))

    def _ask(self, environ: dict[str, Any]) -> Answer:
        head: list[Any] = []
        sent = self._portal(environ, lambda status, headers, error=None: head.extend((status, headers)))
        try:
            content = b"".join(sent)
        finally:
            sent.close()
        status, headers = head
        return Answer(int(status.split()[0]), dict(headers), content)
