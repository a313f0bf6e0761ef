"""`manage.py rotate_pin_keys`: seals every stored secret with the first of PIN_KEYS, so that an old key can go."""

import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandParser

from devices.stores import stores_of_secrets
from portal.console import PortalCommand, counted, misuse, progress
from portal.rotation import ROUNDS, Count, Store, count, rotate, size
from portal.secret import Secret

SHOWN = 5
REST = 0.3  # seconds between rounds


class Command(PortalCommand):
    help = "Encrypts every stored PIN, hub credential and two-factor secret anew with the first of PIN_KEYS."
    epilog = """
To change the key without a moment's outage, on every host:
  1. add the new key at the END of PIN_KEYS and restart web, workers and tick, host by host:
     now each of them can read what the others will write
  2. move it to the FRONT and restart again: new secrets are written with it
  3. run this command on one host, until it says that no old key is needed
  4. take the old key out of PIN_KEYS, restart, and run: manage.py doctor
Keep the old key with the backups of the database made before: they need it.

Runs beside everything else, a few hundred rows at a time. Interrupted or run twice, it goes
on with what is left. What no key opens stays untouched and is listed. PIN_DIGEST_KEY is
another matter: it never changes.

examples:
  manage.py rotate_pin_keys --dry-run     # how many still need an old key
  manage.py rotate_pin_keys
  manage.py rotate_pin_keys --json

exit status:
  0  every secret is sealed with the first key: the others can go
  1  some still need an old key, or no key in PIN_KEYS opens them
  2  wrong call, PIN_KEYS missing or not Fernet keys, or no database
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count what still needs an old key; write nothing")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        _check_keys()
        stores = stores_of_secrets()
        counts, written = _count_all(stores), 0
        for _ in range(0 if options["dry_run"] else ROUNDS):
            if not any(one.older for one in counts):
                break
            written += _rotate_all(stores)
            counts = _count_all(stores)
            time.sleep(REST if any(one.older for one in counts) else 0)  # somebody holds those rows
        if options["json"]:
            self.show_json(_told(counts, written, dry_run=options["dry_run"]))
        else:
            self._report(counts, written, dry_run=options["dry_run"])
        self.leave(found=any(one.older or one.lost for one in counts))

    def _report(self, counts: Sequence[Count], written: int, *, dry_run: bool) -> None:
        header = ("Where", "Secrets", "First key", "Older key", "No key")
        self.show_table(header, [(one.store.name, one.total, one.current, one.older, one.lost) for one in counts])
        if not dry_run:
            self.say(f"{counted(written, 'row')} sealed anew.")
        self.say(_verdict(counts, dry_run=dry_run))
        for one in (one for one in counts if one.lost):
            shown = ", ".join(one.lost_rows[:SHOWN])
            self.say(f"No key opens {one.lost} in {one.store.name}, rows {shown}{'…' if one.lost > SHOWN else ''}.")
            self.say("Put the key that they were written with back into PIN_KEYS, at the end.")


def _check_keys() -> None:
    try:
        Secret("").seal()
    except ImproperlyConfigured as error:
        raise misuse(str(error)) from None


def _rotate_all(stores: Sequence[Store]) -> int:
    with progress("Sealing", sum(map(size, stores))) as seen:
        return sum(rotate(store, seen) for store in stores)


def _count_all(stores: Sequence[Store]) -> list[Count]:
    with progress("Counting", sum(map(size, stores))) as seen:
        return [count(store, seen) for store in stores]


def _verdict(counts: Sequence[Count], *, dry_run: bool) -> str:
    older = sum(one.older for one in counts)
    spare = len(settings.PIN_KEYS) - 1
    if older and dry_run:
        return f"{counted(older, 'secret')} would be sealed anew. Nothing was changed."
    if older:
        left = f"{counted(older, 'secret')} still need an old key"
        return f"{left}. Keep it, see that all hosts run with the new one in front, and run this again."
    if any(one.lost for one in counts):
        return "What can be opened needs the first key alone."
    old_key = f"{counted(spare, 'older key')} can go" if spare else "there is no older key"
    return f"No secret needs an older key: {old_key}."


def _told(counts: Sequence[Count], written: int, *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "keys": len(settings.PIN_KEYS),
        "written": written,
        "need_old_key": sum(one.older for one in counts),
        "unreadable": sum(one.lost for one in counts),
        "stores": [
            {
                "store": one.store.name,
                "secrets": one.total,
                "first_key": one.current,
                "older_key": one.older,
                "unreadable": one.lost,
                "unreadable_rows": list(one.lost_rows),
            }
            for one in counts
        ],
    }
