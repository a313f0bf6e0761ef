"""What happens once in every process when it starts."""

from django.apps import AppConfig
from django.conf import settings

from portal import reporting


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        if settings.SENTRY_DSN:
            reporting.start(settings.SENTRY_DSN, environment=settings.SENTRY_ENVIRONMENT)
