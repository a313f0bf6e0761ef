"""The portal's processes under the supervisor and the watchdog that `serve`, `work` and the demo run with.

`python -m tests.storm.supervisor LOGS PORT CLUSTERS TICKS`. PORT 0: no web server.
"""

import sys
from dataclasses import replace
from pathlib import Path

import django

django.setup()

from portal import cluster, web  # noqa: E402
from portal.process import Program, Supervisor  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent


def main(logs: str, port: str, clusters: str, ticks: str) -> int:
    """Run until SIGTERM."""
    tick = [sys.executable, str(ROOT / "manage.py"), "tick"]
    serve = web.argv(bind=f"127.0.0.1:{port}", workers=2, threads=4, grace=2)
    programs = [Program("web", serve)] if port != "0" else []
    programs += [replace(cluster.program(), name=f"workers-{n}") for n in range(int(clusters))]
    programs += [Program(f"tick-{n}", tick) for n in range(int(ticks))]
    tell = lambda text: print(text, flush=True)  # noqa: E731, T201
    with Supervisor(programs, logs=Path(logs), tell=tell, patient=True) as running:
        return 0 if running.watch() else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
