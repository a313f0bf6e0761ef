"""The portal's settings as tests need them: own keys, fast passwords, a database of this run alone."""

import os
from pathlib import Path

RUN = os.environ.setdefault("PORTAL_TEST_RUN", str(os.getpid()))  # children of a test share its database
os.environ.setdefault("SECRET_KEY", "only for tests, long enough to satisfy everybody who checks its length")
os.environ.setdefault("PIN_KEYS", "Wm9VbnJlYWxLZXlGb3JUZXN0c09ubHktMTIzNDU2Nzg=")
os.environ.setdefault("PIN_DIGEST_KEY", "only for tests")
os.environ.setdefault("ALLOWED_HOSTS", "127.0.0.1,localhost,testserver")
os.environ.setdefault("HUB_NETWORKS", "127.0.0.0/8,::1/128,192.0.2.0/24")
os.environ.setdefault("SECURE_SSL_REDIRECT", "false")
os.environ.setdefault("PORTAL_DATA_DIR", str(Path(__file__).resolve().parent.parent / ".data" / "tests" / RUN))

from portal.settings import *  # noqa: E402, F403
from portal.settings import DATA_DIR, DATABASES, MIDDLEWARE  # noqa: E402

DATA_DIR.mkdir(parents=True, exist_ok=True)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
SECURE_HSTS_SECONDS = 0
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MIDDLEWARE = [m for m in MIDDLEWARE if "whitenoise" not in m]  # live_server serves static files itself
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # In a file, so that threads and worker processes see it too.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["TEST"] = {"NAME": f"test_portal_{RUN}"}
