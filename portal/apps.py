"""What happens once in every process when it starts."""

from collections import deque
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        if settings.DEBUG:
            connection_created.connect(remember_few)
        if settings.SENTRY_DSN:
            from portal import reporting  # the library takes memory in each process

            reporting.start(settings.SENTRY_DSN, environment=settings.SENTRY_ENVIRONMENT)


def remember_few(connection: Any, **told: Any) -> None:
    """Statements are remembered until a request begins, while debugging: tick and workers never have one."""
    connection.queries_log = deque(maxlen=100)
