"""`manage.py work`: the queue's workers, with a watchdog that starts a frozen cluster anew."""

from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import cluster
from portal.management.commands.serve import count
from portal.preflight import problems
from portal.process import Supervisor, end_with_launcher


class Command(BaseCommand):
    help = (
        "Runs the workers that speak to the locks, QUEUE_WORKERS processes (2 by default). A cluster that froze or "
        "lost its leader is started anew within 30 s. SIGTERM ends it when the turns in hand are done. Whatever "
        "happens to it, even kill -9, no process is left behind, and what ran is run again: the tables are the truth."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--grace",
            type=count,
            default=30,
            metavar="SECONDS",
            help="what turns in hand get to end before they are cut off, which is safe (default: 30)",
        )
        parser.add_argument("--cluster", type=int, metavar="PIPE", help=SUPPRESS)  # the child that is watched

    def handle(self, *args: Any, **options: Any) -> None:
        if options["cluster"] is not None:
            cluster.run(options["cluster"])
            return
        end_with_launcher("uv")
        if found := problems():
            raise CommandError("\n".join(found))
        watched = [cluster.program()]
        with Supervisor(watched, logs=None, tell=self.stderr.write, grace=options["grace"], patient=True) as running:
            running.watch()
