"""The portal's processes under the supervisor that the demo has: what dies comes back, what hangs is ended.

`python -m tests.storm.supervisor LOGS PORT CLUSTERS TICKS SILENT`. PORT 0: no web server. A cluster that gives no
sign of life for SILENT seconds is started anew; 0: nobody looks, for under a storm of tasks the sign comes late.
"""

import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

import django

django.setup()

from django.db import DatabaseError, close_old_connections  # noqa: E402

from portal.process import Program, Supervisor  # noqa: E402
from portal.queue import alive, enqueue  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
STARTS_FOR = 30.0  # seconds


class Storm(Supervisor):
    RESTARTS = 1000  # it is us who kill them


def main(logs: str, port: str, clusters: str, ticks: str, silent: str) -> int:
    """Run until SIGTERM."""
    well = partial(workers_are_well, timedelta(seconds=int(silent))) if int(silent) else None
    manage = [sys.executable, str(ROOT / "manage.py")]
    programs = [Program("web", web(port))] if port != "0" else []
    programs += [Program(f"workers-{n}", [*manage, "qcluster"], well=well) for n in range(int(clusters))]
    programs += [Program(f"tick-{n}", [*manage, "tick"]) for n in range(int(ticks))]
    with Storm(programs, logs=Path(logs), tell=lambda text: print(text, flush=True)) as running:  # noqa: T201
        return 0 if running.watch() else 1


def web(port: str) -> list[str]:
    served = ["--chdir", str(ROOT), "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"]
    return [sys.executable, "-m", "gunicorn", "portal.wsgi", *served, "--no-control-socket"]


def workers_are_well(silent: timedelta, age: float) -> bool:
    """A cluster can freeze, or lose its sentinel: it is asked for a sign of life each time."""
    close_old_connections()
    try:
        enqueue("codes.tasks.heartbeat")
        return age < STARTS_FOR or alive("worker", silent)
    except DatabaseError:
        return True  # the database is away: no fault of the workers


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
