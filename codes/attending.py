"""What commands that ask for locks have in common: ask only, wait for the workers, or give the turns here."""

import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from codes.turns import give_turns
from devices.lookup import NotFound, locks_called
from devices.models import Device
from devices.services import sync_now, wake_due
from devices.settling import Settled, Standing, how_it_stands, wait_until_settled
from portal.console import misuse, progress, seconds

PATIENCE = 60.0  # seconds


def add_attending(parser: CommandParser) -> None:
    """`--wait` and `--here`."""
    parser.add_argument(
        "--wait",
        type=seconds,
        nargs="?",
        const=PATIENCE,
        metavar="SECONDS",
        help=f"wait until each lock has had its turn, {PATIENCE:.0f} s at most unless told; report what came of it",
    )
    parser.add_argument(
        "--here",
        action="store_true",
        help="give the turns in this process: works while no worker runs, and beside them",
    )


def attend(devices: Sequence[Device], options: dict[str, Any], *, read: bool = False) -> list[Settled] | None:
    """Ask for the locks' turns, and see them through as the options say. None: nobody waited.

    Many locks at once are left to the tick, so that no guest waits behind them.
    """
    with progress("Asking", len(devices)) as done:
        for device in devices:
            sync_now(device, read=read, wake=False)
            done(1)
    return see_through(devices, options)


def see_through(devices: Sequence[Device], options: dict[str, Any]) -> list[Settled] | None:
    """Wait for locks that were asked for, or give them their turns here, as the options say. None: nobody waited."""
    if not options["wait"] and not options["here"]:
        wake_due()
        return None
    pks, patience = [device.pk for device in devices], options["wait"] or PATIENCE
    with progress("Locks", len(pks)) as done:
        if not options["here"]:
            return wait_until_settled(pks, seconds=patience, settled=done)
        return _turns_here(pks, patience, done)


def _turns_here(pks: Sequence[UUID], patience: float, done: Callable[[int], None]) -> list[Settled]:
    stood: dict[UUID, Settled] = {}  # at the end of its turn: a lock that rests may be at its next try by the end
    ends = time.monotonic() + patience

    def ended(pk: UUID) -> None:
        stood[pk] = how_it_stands(pk)
        if stood[pk].standing != Standing.WAITING:
            done(1)

    give_turns(pks, seconds=patience, ended=ended)
    taken = [pk for pk, lock in stood.items() if lock.standing == Standing.WAITING]  # by a worker, right after
    again = wait_until_settled(taken, seconds=ends - time.monotonic(), settled=done)
    stood |= {lock.device.pk: lock for lock in again}
    return [stood.get(pk) or how_it_stands(pk) for pk in pks]


def check_attending(options: dict[str, Any]) -> None:
    """Refuse what makes no sense together."""
    if options["dry_run"] and (options["wait"] or options["here"]):
        raise misuse("--dry-run asks for nothing, so there is nothing to wait for: leave out --wait and --here.")


def meant(options: dict[str, Any]) -> list[Device]:
    """The locks that the call names. Raises CommandError."""
    if options["all"] == bool(options["locks"]):
        raise misuse("Name one lock or more, or give --all; not both.")
    if options["all"]:
        every = Device.objects.exclude(removal=Device.Removal.REMOVED).select_related("property__workspace", "hub")
        return list(every.order_by("property__workspace__name", "property__name", "name", "pk"))
    try:
        return locks_called(options["locks"])
    except NotFound as error:
        raise misuse(str(error)) from None
