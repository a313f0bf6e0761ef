"""Switch a simulated lock's faults, look at what is truly on it, try a PIN at its door."""

import argparse
import json
import sys
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from devices.models import Device, SimulatedLock
from devices.providers.simulated_lock import Content
from devices.providers.simulator import contents, opens, switch, touched, wipe
from portal.clock import now

HEAL, WIPED = "heal", "wiped"
FAULTS = {fault.value: fault.label for fault in SimulatedLock.Fault if fault.value}
LISTED = 20

EPILOG = f"""
LOCK is a lock's reference, its name, or "Property / Door" where a name is not enough.

faults:
{"\n".join(f"  {fault:<18} {label}" for fault, label in FAULTS.items())}
  {WIPED:<18} takes every code off the lock, once, as a factory reset does
  {HEAL:<18} ends the fault and the latency; writes that are on their way still land

examples:
  manage.py simulate_lock "Front door" reject_set
  manage.py simulate_lock "Lakeview Cottage / Front door" late --late-ms 15000
  manage.py simulate_lock lock-7 --latency-ms 800
  manage.py simulate_lock lock-7 --show --json
  manage.py simulate_lock lock-7 --try 7391 && echo welcome

exit status: 0, or 1 when --try finds the door shut, or 2 on a wrong call.
"""


class Command(BaseCommand):
    help = "Make a simulated lock fail, heal it, show what is truly on it, or try a PIN at its door."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lock", metavar="LOCK", help='reference, name, or "Property / Door"')
        parser.add_argument(
            "fault", metavar="FAULT", nargs="?", choices=[*FAULTS, WIPED, HEAL], help="one of those below"
        )
        parser.add_argument("--latency-ms", type=_milliseconds, metavar="N", help="how long each call takes")
        parser.add_argument(
            "--late-ms", type=_milliseconds, metavar="N", help="with the fault late: when a write lands"
        )
        looks = parser.add_mutually_exclusive_group()
        looks.add_argument("--show", action="store_true", help="what is truly on the lock, PINs in clear")
        looks.add_argument("--try", dest="digits", metavar="PIN", help="whether the door opens for it now")
        parser.add_argument("--json", action="store_true", help="with --show: for programs")

    def handle(self, **options: Any) -> None:
        lock = _find(options["lock"])
        changes = _changes(options)
        if not (changes or options["fault"] or options["show"] or options["digits"]):
            raise CommandError("Name a fault, or heal, --show or --try PIN.", returncode=2)
        if options["json"] and not options["show"]:
            raise CommandError("--json goes with --show.", returncode=2)
        if changes:
            switch(lock, **changes)
        if options["fault"] == WIPED:
            wipe(lock)
        if options["fault"] or changes:
            self.stdout.write(f"{lock.name}: {_state(touched(lock))}")
        if options["show"]:
            self._show(touched(lock), options["json"])
        if options["digits"]:
            self._try(lock, options["digits"])

    def _try(self, lock: SimulatedLock, digits: str) -> None:
        if opens(lock, digits, now()):
            self.stdout.write("Door opens")
        else:
            self.stdout.write("Refused")
            sys.exit(1)

    def _show(self, lock: SimulatedLock, as_json: bool) -> None:
        codes = contents(lock)
        if as_json:
            self.stdout.write(json.dumps(_as_json(lock, codes), indent=2))
        elif self.stdout.isatty():
            Console(file=cast(IO[str], self.stdout)).print(_as_table(lock, codes))
        else:
            self.stdout.write("\n".join([_state(lock), *("\t".join(_cells(code)) for code in codes)]))


def _milliseconds(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of milliseconds")
    return int(text)


def _changes(options: dict[str, Any]) -> dict[str, Any]:
    changes = {key: options[key] for key in ("latency_ms", "late_ms") if options[key] is not None}
    if options["fault"] == HEAL:
        return {"fault": SimulatedLock.Fault.NONE, "latency_ms": 0, "late_ms": 0, **changes}
    return {**changes, "fault": options["fault"]} if options["fault"] in FAULTS else changes


def _find(words: str) -> SimulatedLock:
    """The one lock meant. Raises CommandError with those that may have been meant."""
    locks = list(SimulatedLock.objects.select_related("hub").order_by("name", "pk"))
    names = _portal_names()
    by_name = {lock: {lock.name, *names.get((lock.hub_id, lock.lock_ref), ())} for lock in locks}
    meant = [lock for lock in locks if lock.lock_ref == words] or [
        lock for lock in locks if words.casefold() in {name.casefold() for name in by_name[lock]}
    ]
    if len(meant) == 1:
        return meant[0]
    said = f"{len(meant)} locks are called “{words}”" if meant else f"No simulated lock is called “{words}”"
    raise CommandError(f"{said}. {_candidates(meant or locks, names)}", returncode=2)


def _portal_names() -> dict[tuple[Any, str], tuple[str, str]]:
    """How the portal calls a lock: its own name, and "Property / Door"."""
    devices = Device.objects.select_related("property")
    return {(d.hub_id, d.lock_ref): (d.name, f"{d.property.name} / {d.name}") for d in devices}


def _candidates(locks: list[SimulatedLock], names: dict[tuple[Any, str], tuple[str, str]]) -> str:
    if not locks:
        return "There are none: add a simulated hub, or run the demo."
    lines = [f"  {names.get((k.hub_id, k.lock_ref), ('', k.name))[1]}  ({k.lock_ref})" for k in locks[:LISTED]]
    more = [f"  and {len(locks) - LISTED} more"] if len(locks) > LISTED else []
    return "\n".join(["There are:", *lines, *more])


def _state(lock: SimulatedLock) -> str:
    parts = [
        lock.fault or "no fault",
        f"{len(lock.codes)} codes",
        f"{lock.latency_ms} ms latency" if lock.latency_ms else "",
        f"late by {lock.late_ms} ms" if lock.late_ms else "",
        f"{len(lock.pending)} on their way" if lock.pending else "",
        f"{lock.two_writers} times two writers at once" if lock.two_writers else "",
    ]
    return ", ".join(part for part in parts if part)


def _told(code: Content) -> dict[str, str | None]:
    starts, ends = (at.isoformat() if at else None for at in (code.window.starts_at, code.window.ends_at))
    return {
        "place": code.place,
        "pin": code.pin.reveal(),
        "label": code.label,
        "from": starts,
        "until": ends,
    }


def _cells(code: Content) -> list[str]:
    return [text or "" for text in _told(code).values()]


def _as_table(lock: SimulatedLock, codes: list[Content]) -> Table:
    table = Table("Place", "PIN", "Label", "From", "Until", title=lock.name, caption=_state(lock))
    for code in codes:
        table.add_row(*_cells(code))
    return table


def _as_json(lock: SimulatedLock, codes: list[Content]) -> dict[str, Any]:
    keys = ("lock_ref", "name", "make", "model", "fault", "latency_ms", "late_ms", "battery")
    counts = ("two_writers", "writes", "reads")
    return {
        **{key: getattr(lock, key) for key in (*keys, *counts)},
        "codes": [_told(code) for code in codes],
        "pending": [
            {"at": late["at"], "place": late["place"], "sets": late["code"] is not None} for late in lock.pending
        ],
    }
