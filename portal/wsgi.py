"""The web server's entrance."""

import os

from django.core.wsgi import get_wsgi_application

from portal.process import loaded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()
loaded()
