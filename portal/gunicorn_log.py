"""gunicorn's lines in the portal's format: `gunicorn --logger-class portal.gunicorn_log.Lines`.

The portal writes its own line for each request (portal.request_log), so gunicorn's access log stays off; if somebody
turns it on, links that open something are cut out of it.
"""

import os
from typing import Any

from django.conf import settings
from gunicorn.glogging import Logger

from portal import scrub
from portal.logs import formatter


class Lines(Logger):  # type: ignore[misc]
    """gunicorn's logger with our formatter on whatever handlers it was told to use."""

    def setup(self, cfg: Any) -> None:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")  # its first process loads no application
        super().setup(cfg)
        for handler in [*self.error_log.handlers, *self.access_log.handlers]:
            handler.setFormatter(formatter(settings.LOG_FORMAT))

    def atoms(self, *args: Any) -> dict[str, Any]:
        found = super().atoms(*args)
        return {name: scrub.text(value) if isinstance(value, str) else value for name, value in found.items()}
