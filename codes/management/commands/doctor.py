"""`manage.py doctor`: what is wrong with this installation, each with its remedy."""

from collections import Counter
from typing import Any

from django.core.management.base import CommandParser

from codes.doctor import Finding, State, examine
from codes.doctor.examination import number_of_looks
from portal.console import PortalCommand, progress


class Command(PortalCommand):
    help = "Examines settings, database, queue, locks, hubs and mail, and says what to do about what is wrong."
    requires_system_checks = []  # it runs them itself, and tells the others all the same
    epilog = """
It looks at: settings and Django's deployment checks · static files · the database, its
migrations, its clock against this machine's · time zones · whether the keys open what is
stored (without showing it) · signs of life of tick and workers · the queue · locks that
wait too long · whether each hub answers · whether the mail server takes mail.

It changes nothing and speaks to no lock. Run it after installing, after an upgrade, after
a change of keys, and when something is odd. Safe beside everything.

examples:
  manage.py doctor
  manage.py doctor --no-network          # hubs and mail server are not spoken to
  manage.py doctor --json

states: ok; note: works, and somebody may want to know; wrong; skipped: for another's reason

exit status:
  0  nothing is wrong
  1  something is: see its remedy
  2  wrong call
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-network", action="store_true", help="do not speak to hubs and the mail server")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        outside = not options["no_network"]
        with progress("Examining", number_of_looks(outside=outside)) as done:
            findings = list(examine(outside=outside, looked=lambda: done(1)))
        bad = any(one.state == State.WRONG for one in findings)
        if options["json"]:
            self.show_json({"ok": not bad, "findings": [one.to_json() for one in findings]})
        else:
            self._report(findings)
        self.leave(found=bad)

    def _report(self, findings: list[Finding]) -> None:
        self.show_table(("", "What", "Says", "Remedy"), [(f.state.value, f.area, f.says, f.remedy) for f in findings])
        count = Counter(one.state for one in findings)
        told = ", ".join(f"{count[state]} {state.value}" for state in State if count[state])
        self.say(f"{told}." if count[State.WRONG] else f"{told}. Nothing is wrong.")
