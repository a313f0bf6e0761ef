"""All settings, typed and read from the environment; a bad value is refused by its name.

With no environment at all this file loads (so tools can read it), DEBUG is off, and the first use of a
missing secret says which variable to set. Under DEBUG, missing secrets are made once and kept in
PORTAL_DATA_DIR.
"""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from django.utils.csp import CSP
from django.utils.translation import gettext_lazy
from environs import Env, EnvError, validate

from portal.environment import network, read_by_a_machine, report_address
from portal.keyfile import load_or_create

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

DEBUG = env.bool("DEBUG", False)
DATA_DIR = Path(env.str("PORTAL_DATA_DIR", str(BASE_DIR / ".data"))).absolute()

# Secrets. PIN_KEYS (Fernet, comma separated, the first encrypts, all decrypt) and PIN_DIGEST_KEY stay apart from
# SECRET_KEY so that a leaked session key opens no door.
_local = load_or_create(DATA_DIR / "keys.json") if DEBUG else {}
SECRET_KEY = env.str("SECRET_KEY", _local.get("SECRET_KEY", ""))
PIN_KEYS: list[str] = env.list("PIN_KEYS", [k for k in [_local.get("PIN_KEY")] if k])
PIN_DIGEST_KEY: str = env.str("PIN_DIGEST_KEY", _local.get("PIN_DIGEST_KEY", ""))

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "portal",
    "devices",
    "backups",
    "codes",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "django_q",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.request_log.RequestLog",
    # Fifty rows of HTML shrink to a tenth. It pads answers at random, so that their length tells nothing (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "portal.middleware.no_nul",
    "portal.quick_polls.quick_polls",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.full_page_sign_in",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "portal.middleware.ReadOnlyLook",
    "portal.middleware.membership",
    "portal.request_log.bind_whom",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["portal.templatetags.links"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database: SQLite by default; DATABASE_URL makes it PostgreSQL.
DATABASE_URL = env.str("DATABASE_URL", f"sqlite:///{DATA_DIR / 'portal.sqlite3'}")
DATABASES = {"default": env.dj_db_url("DATABASE_URL", DATABASE_URL)}
DATABASES["default"].update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Without IMMEDIATE and a time-out one write in three meets "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["ENGINE"] = "portal.postgresql"
    # Compiling the list of codes takes PostgreSQL a second, answering it 60 ms; starting helpers for what turns out to
    # be no row at all takes it 12 ms. What the URL says comes after it.
    options = DATABASES["default"].setdefault("OPTIONS", {})
    few_rows = "-c jit=off -c max_parallel_workers_per_gather=0"
    options["options"] = f"{few_rows} {options.get('options', '')}".strip()
    options |= {"server_side_binding": True, "prepare_threshold": 5}  # what is asked again and again is parsed once
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES: dict[str, dict[str, Any]] = {
    # Shared by all processes: sign-in throttling counts there.
    # Room enough that nobody washes a count away by making others.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
    # A process's own: the queue's statistics, which nobody else reads.
    "local": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# People
AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = [
    "portal.backends.ByPassword",
    "portal.backends.ByAccount",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "portal.accounts.AccountAdapter"
MFA_ADAPTER = "portal.accounts.MFAAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True  # one address a person; a new one counts once its mail was answered
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""

# Mail: written to the terminal unless EMAIL_HOST is set.
EMAIL_SERVER = env.str("EMAIL_HOST", "")
MAILERS: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": EMAIL_SERVER,
            "port": env.int("EMAIL_PORT", 587),
            "username": env.str("EMAIL_HOST_USER", ""),
            "password": env.str("EMAIL_HOST_PASSWORD", ""),
            "use_tls": env.bool("EMAIL_USE_TLS", True),
            "timeout": 20,
        },
    }
    if EMAIL_SERVER
    else {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
}
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "portal@localhost")
# Where the links in mails lead.
_named = [host for host in ALLOWED_HOSTS if not host.startswith((".", "*"))]
_usual = "http://127.0.0.1:8000" if DEBUG else f"https://{_named[0]}" if _named else ""
PORTAL_URL: str = env.str("PORTAL_URL", _usual, validate=[validate.URL(schemes={"http", "https"}, require_tld=False)])

# The product
ACTIVITY_JOURNAL = "devices.team_activity.record_team"  # where `portal.journal` writes
BACKUP_BRAND: str = env.str("BACKUP_BRAND", "Seam")  # stands in every backup's label on the lock
SUPPORT_CONTACT: str = env.str("SUPPORT_CONTACT", "support@example.com")  # an e-mail address or an https:// URL

# Which networks hubs may be in: managers type a hub's address, and this host connects to it.
_here = ["127.0.0.0/8", "::1/128"]
try:
    HUB_NETWORKS: list[IPv4Network | IPv6Network] = env.list("HUB_NETWORKS", _here if DEBUG else [], subcast=ip_network)
except ValueError as error:
    raise EnvError(f"Environment variable HUB_NETWORKS: {error}. Write 192.168.1.0/24, comma separated.") from None

# The queue is a wake-up call; the tables are the truth. A lost or repeated task is harmless.
# A task claims locks for 45 s and a turn lasts 60 s at most, its last call 25 s: 150 s is the last resort.
# retry > timeout x ((queue_limit + bulk) / workers + 1), else waiting tasks run twice.
QUEUE_WORKERS = env.int("QUEUE_WORKERS", 2)
Q_CLUSTER = {
    "name": "portal",
    "label": gettext_lazy("Task queue"),
    "orm": "default",
    "broker_class": "portal.queue.Broker",
    "workers": QUEUE_WORKERS,
    "queue_limit": QUEUE_WORKERS,
    "bulk": 1,
    "timeout": 150,
    "retry": 600,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "recycle": 5000,
    "poll": 0.1,
    "catch_up": False,
    "cache": "local",
}

# Watching. Who may read /metrics: whoever brings the token, or asks directly (not through a proxy) from a network.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", "", validate=read_by_a_machine)
METRICS_NETWORKS: list[IPv4Network | IPv6Network] = env.list("METRICS_NETWORKS", [], subcast=network)
# Each app's own numbers, and for how many seconds one answer does for all who ask.
METRIC_SOURCES = {
    "portal.metrics.measure": 0,
    "devices.metrics.measure": 15,
    "backups.metrics.measure": 15,
    "codes.metrics.measure": 0,
}
# Errors are reported to Sentry, scrubbed, if a DSN is set.
SENTRY_DSN: str = env.str("SENTRY_DSN", "", validate=report_address)
SENTRY_ENVIRONMENT: str = env.str("SENTRY_ENVIRONMENT", "production")

# Language and time. Pages show the property's zone.
LANGUAGE_CODE = "en"
USE_I18N = any(BASE_DIR.glob("*/locale/*/LC_MESSAGES/*.mo"))  # nothing to look words up in costs a tenth of a page
USE_TZ = True
TIME_ZONE = "UTC"

# Static files
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

# Security
SECURE_CSP: dict[str, list[str]] = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "portal.sessions"
SESSION_COOKIE_NAME = "portal_session"
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", not DEBUG)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # monitors ask this process itself, without TLS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 0 if DEBUG else 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# How many proxies of ours add to X-Forwarded-For: throttling counts by the address before them.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", 1 if BEHIND_PROXY else 0)
# Forms here are small and none takes a file: a larger body is refused before it is kept.
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 0
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# One line an entry: JSON in production, for people under DEBUG.
LOG_FORMAT: str = env.str("LOG_FORMAT", "text" if DEBUG else "json", validate=validate.OneOf(["text", "json"]))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "portal.logs.formatter", "format": LOG_FORMAT}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.log_level("LOG_LEVEL", "INFO")},
    "loggers": {
        # Their own handlers print a line twice, or mail a whole traceback with its values.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "propagate": True, "level": "WARNING"},
        # With a root handler there, django-q leaves its own level unset: each task would write three lines.
        "django-q": {"level": env.log_level("QUEUE_LOG_LEVEL", "WARNING")},
        "zwave_js_server": {"level": "WARNING"},
    },
}
