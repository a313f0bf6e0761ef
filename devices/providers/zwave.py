"""Z-Wave locks behind a Z-Wave JS server, by the driver's own client (zwave-js-server-python).

A `lock_ref` is the network's home id and the node's number, "7e570001-12": another network at the same address is
never mistaken for this one.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeGuard
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from zwave_js_server.const import CommandClass
from zwave_js_server.const.command_class.access_control import UserCredentialType
from zwave_js_server.model.driver import Driver
from zwave_js_server.model.node import Node

from devices.providers.base import (
    Capabilities,
    Handle,
    Health,
    LockInfo,
    NoAnswer,
    Observation,
    Outcome,
    PinRules,
    Reason,
    Result,
    Seen,
    Slot,
    Unreachable,
    Window,
)
from devices.providers.zwave_codes import Attempt, Codes, UserCodes, UserCredentials
from devices.providers.zwave_link import DriverRefused, heard, link_to
from portal.secret import Secret

USER_CODE, USER_CREDENTIAL = 0x63, 0x83
MOST_SLOTS = 30  # used of each lock: slots are read one by one, and a lock with 250 would never be read to its end
INVALID_ARGUMENT, NOT_SUPPORTED = 322, 302  # zwave-js error codes, both raised before anything is sent
KNOWN_FOR = 60.0  # seconds for which what a lock can do is not asked again: it takes two messages to the server
MAX_LATE = 90.0
"""Seconds for which a write that timed out here may still land.

zwave-js does not stop when its client does. It tries a message three times (attempts.sendData) and gives the radio up
to 20 s for each (timeouts.sendDataAbort): 60 s, plus what waits before it in the one queue of the stick. Measured
over mock radio with Z-Wave JS 15.29: a lock out of reach was given up after 3.0 s, with everything queued for it, and a
write that timed out at 0.2 s landed 1.8 s later when the lock came back meanwhile; on a lock that takes 5 s to act, one
that timed out at 1 s landed 4.1 s later.
"""


class ZwaveProvider:
    """The locks of one Z-Wave network. Raises ValueError for an address that is no WebSocket address."""

    def __init__(self, address: str) -> None:
        self._address = _checked(address)

    def discover(self, *, deadline: float) -> Sequence[LockInfo]:
        async def work(driver: Driver) -> list[LockInfo]:
            return [await _describe(driver, node) for node in driver.controller.nodes.values() if _is_lock(node)]

        return self._ask(work, deadline)

    def capabilities(self, lock_ref: str, *, deadline: float) -> Capabilities:
        """As the driver's interview found them: asks the server, not the lock."""

        async def work(driver: Driver) -> Capabilities:
            return await _capabilities(_node(driver, lock_ref))

        return self._ask(work, deadline)

    def health(self, lock_ref: str, *, deadline: float) -> Health:
        """Asks the lock for its battery, which proves that it answers. Raises NoAnswer if it hears and keeps silent."""

        async def work(driver: Driver) -> Health:
            node = _node(driver, lock_ref)
            try:
                return await _health(node)
            except DriverRefused as refused:
                if refused.out_of_reach:
                    return Health(online=False, battery=_battery(node), detail="The lock is out of reach.")
                raise

        return self._ask(work, deadline)

    def read_all(self, lock_ref: str, *, deadline: float) -> Sequence[Observation]:
        async def work(driver: Driver) -> list[Observation]:
            codes, places = await _codes(_node(driver, lock_ref))
            found = []
            for slot in range(1, places + 1):  # one after the other: a lock does one thing at a time
                seen = await codes.read(slot)
                if seen.seen == Seen.NO_ANSWER:
                    raise NoAnswer(f"The lock did not answer for slot {slot}.")
                if seen.seen != Seen.EMPTY:
                    found.append(seen)
            return found

        return self._ask(work, deadline)

    def read(self, lock_ref: str, handle: Handle, *, deadline: float) -> Observation:
        async def work(driver: Driver) -> Observation:
            codes, places = await _codes(_node(driver, lock_ref))
            return await codes.read(handle.number) if _holds(handle, places) else silent

        silent = Observation(Seen.NO_ANSWER, handle)
        try:
            return self._ask(work, deadline) if isinstance(handle, Slot) else silent
        except (NoAnswer, Unreachable):
            return silent

    def put(
        self, lock_ref: str, handle: Handle, pin: Secret, label: str, window: Window, *, deadline: float
    ) -> Outcome:
        """The window is the portal's to keep: these locks know no schedules."""

        async def write(codes: Codes, slot: int, attempt: Attempt) -> Outcome:
            return await codes.put(slot, pin, label, attempt)

        return self._write(lock_ref, handle, write, deadline)

    def remove(self, lock_ref: str, handle: Handle, *, deadline: float) -> Outcome:
        async def write(codes: Codes, slot: int, attempt: Attempt) -> Outcome:
            return await codes.remove(slot, attempt)

        return self._write(lock_ref, handle, write, deadline)

    def _write(
        self,
        lock_ref: str,
        handle: Handle,
        write: Callable[[Codes, int, Attempt], Awaitable[Outcome]],
        deadline: float,
    ) -> Outcome:
        attempt = Attempt()

        async def work(driver: Driver) -> Outcome:
            codes, places = await _codes(_node(driver, lock_ref))
            if not _holds(handle, places):
                return Outcome(Result.REJECTED, Reason.UNSUPPORTED, detail="The lock has no such slot.")
            return await write(codes, handle.number, attempt)

        try:
            return link_to(self._address).run(work, deadline)
        except DriverRefused as refused:
            return _refused(refused, attempt)
        except (NoAnswer, Unreachable) as silent:
            return Outcome(Result.UNKNOWN if attempt.sent else Result.UNREACHABLE, detail=str(silent))

    def _ask[T](self, work: Callable[[Driver], Awaitable[T]], deadline: float) -> T:
        """Reading calls: the driver's errors become Unreachable or NoAnswer."""
        try:
            return link_to(self._address).run(work, deadline)
        except DriverRefused as refused:
            if refused.out_of_reach:
                raise Unreachable("The lock is out of reach.") from None
            raise NoAnswer(str(refused)) from None


def _checked(address: str) -> str:
    parts = urlsplit(address.strip())
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError("Enter the Z-Wave JS server's address, like ws://192.168.1.20:3000.")
    try:
        parts.port  # noqa: B018  raises for a port that is none
    except ValueError:
        raise ValueError("The port in the address must be a number up to 65535.") from None
    return address.strip()


def _refused(refused: DriverRefused, attempt: Attempt) -> Outcome:
    if refused.code == INVALID_ARGUMENT:
        return Outcome(Result.REJECTED, Reason.INVALID, detail=str(refused))
    if refused.code == NOT_SUPPORTED:
        return Outcome(Result.REJECTED, Reason.UNSUPPORTED, detail=str(refused))
    return Outcome(Result.UNKNOWN if attempt.sent else Result.UNREACHABLE, detail=str(refused))


def _holds(handle: Handle, places: int) -> TypeGuard[Slot]:
    """The handle is a slot that the lock has."""
    return isinstance(handle, Slot) and 1 <= handle.number <= places


def _is_lock(node: Node) -> bool:
    return any(each.id in (USER_CODE, USER_CREDENTIAL) for each in node.command_classes)


def _node(driver: Driver, lock_ref: str) -> Node:
    home_id, _, number = lock_ref.partition("-")
    if home_id != _home_id(driver):
        raise Unreachable("Another Z-Wave network is at this address now.")
    node = driver.controller.nodes.get(int(number)) if number.isdecimal() else None
    if node is None or not _is_lock(node):
        raise Unreachable("The lock is not in this Z-Wave network any more.")
    return node


def _home_id(driver: Driver) -> str:
    return f"{driver.controller.home_id or 0:08x}"


_known: WeakKeyDictionary[Node, tuple[float, Capabilities]] = WeakKeyDictionary()  # and when it was asked


async def _codes(node: Node) -> tuple[Codes, int]:
    """The lock's codes, and how many places there are. Raises NoAnswer while that is not known."""
    asked_at, known = _known.get(node, (0.0, None))
    if known is None or time.monotonic() - asked_at > KNOWN_FOR:
        known = await _capabilities(node)
        if known.slots is not None:
            _known[node] = (time.monotonic(), known)
    if known.slots is None:
        raise NoAnswer("Z-Wave JS has not finished its interview of this lock.")
    if known.label_length:
        return UserCredentials(node, known.label_length), known.slots
    return UserCodes(node), known.slots


async def _capabilities(node: Node) -> Capabilities:
    """Slots are None while the driver's interview of the lock has not come that far."""
    users = await heard(node.access_control.get_user_capabilities_cached())
    credentials = await heard(node.access_control.get_credential_capabilities_cached())
    types = credentials.supported_credential_types
    pins = types.get(UserCredentialType.PIN_CODE) or types.get(UserCredentialType.PASSWORD)
    slots = min(users.max_users, pins.number_of_credential_slots, MOST_SLOTS) if pins else 0
    return Capabilities(
        slots=slots or None,
        pins=PinRules(lengths=tuple(range(pins.min_credential_length, pins.max_credential_length + 1)))
        if pins
        else PinRules(),
        label_length=users.max_user_name_length or 0,
        max_late=MAX_LATE,
        backup_pool=slots >= 2 if slots else None,
    )


async def _describe(driver: Driver, node: Node) -> LockInfo:
    make, model = _text(node.device_config.manufacturer), _text(node.device_config.label)
    make = make or _text(node.manufacturer)
    name = node.name or node.device_config.description or f"Z-Wave lock {node.node_id}"
    return LockInfo(
        lock_ref=f"{_home_id(driver)}-{node.node_id}",
        name=name[:100],
        make=make,
        model=model,
        capabilities=await _capabilities(node),
        battery=_battery(node),
    )


def _text(label: str | None) -> str:
    """A label of the device database, cut to what a row takes; makers it does not know are named like _RESERVED_."""
    return "" if not label or label.startswith("_") else label[:60]


async def _health(node: Node) -> Health:
    if not any(each.id == CommandClass.BATTERY for each in node.command_classes):
        return Health(online=await heard(node.async_ping()))
    answer = await heard(node.endpoints[0].async_invoke_cc_api(CommandClass.BATTERY, "get", wait_for_result=True))
    if answer is None:
        raise NoAnswer("The lock hears, and does not answer.")
    return Health(online=True, battery=_percent(answer.get("level")))


def _battery(node: Node) -> int | None:
    """The battery as the driver last heard of it."""
    values = node.get_command_class_values(CommandClass.BATTERY).values()
    return next((_percent(value.value) for value in values if value.property_ == "level"), None)


def _percent(level: object) -> int | None:
    """Battery in percent; 255 is the radio's word for empty."""
    if not isinstance(level, int):
        return None
    return level if 0 <= level <= 100 else 0
