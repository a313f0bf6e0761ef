"""How gunicorn is called to serve the portal."""

import sys

from django.conf import settings

ANSWER_WITHIN = 30  # seconds after which a worker that says nothing is replaced
RENEWED_AFTER = 5000  # requests, give or take 500: a slow leak never adds up


def argv(*, bind: str, workers: int, threads: int, grace: int, shared: bool = False) -> list[str]:
    """The command line. `bind` is host:port or unix:/path; `grace` is what requests get to end, in seconds.

    `shared`: the workers share the code, loaded once. They take less memory, and SIGHUP brings no new code.

    No access log of gunicorn's: the portal writes its own line for each request, without what opens something.
    """
    return [
        sys.executable,
        *("-m", "gunicorn", "portal.wsgi"),
        *("--chdir", str(settings.BASE_DIR)),
        *("--bind", bind),
        *("--workers", str(workers), "--threads", str(threads)),
        *("--timeout", str(ANSWER_WITHIN), "--graceful-timeout", str(grace)),
        *("--max-requests", str(RENEWED_AFTER), "--max-requests-jitter", "500"),
        *("--logger-class", "portal.gunicorn_log.Lines"),
        "--no-control-socket",
        *(["--preload"] if shared else []),
    ]
