"""How codes stand on a Z-Wave lock: by the User Code command class (numbered slots) or User Credential (named users).

Both are read afresh from the lock, never from the driver's cache, and written one message at a time. `attempt.sent`
becomes true right before a PIN's write or removal leaves us; until then a failure means that nothing was done.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from zwave_js_server.const import CommandClass
from zwave_js_server.const.command_class.access_control import (
    SetCredentialResult,
    SetUserResult,
    UserCredentialType,
    UserCredentialUserType,
)
from zwave_js_server.model.access_control import AddUserCredential, SetUserOptions, UserData
from zwave_js_server.model.node import Node

from devices.providers.base import (
    NoAnswer,
    Observation,
    Outcome,
    Reason,
    Result,
    Seen,
    Slot,
)
from devices.providers.zwave_link import heard
from portal.secret import Secret

SUPERVISION = 0x6C  # the command class by which a lock says what became of a command
AVAILABLE, ENABLED, NOT_KNOWN = 0, 1, 254  # user id status: empty; opens the door; the lock cannot say
SUPERVISED = {0: Result.REJECTED, 1: Result.ACCEPTED, 2: Result.REJECTED, 255: Result.CONFIRMED}
NOT_IN_FORCE = Secret("")  # the place is taken, and its code opens nothing: no PIN of ours equals this
PIN = UserCredentialType.PIN_CODE


@dataclass(slots=True)
class Attempt:
    """Whether the write has left us."""

    sent: bool = False


class Codes(Protocol):
    """The codes on one lock, by place. Raises NoAnswer, and DriverRefused for the driver's own errors."""

    async def read(self, slot: int) -> Observation: ...
    async def put(self, slot: int, pin: Secret, label: str, attempt: Attempt) -> Outcome: ...
    async def remove(self, slot: int, attempt: Attempt) -> Outcome: ...


class UserCodes:
    """User Code command class, version 1 and 2: one code a slot, no names."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def read(self, slot: int) -> Observation:
        answer = await self._invoke("get", slot)
        if answer is None or answer.get("userIdStatus") in (None, NOT_KNOWN):
            return Observation(Seen.NO_ANSWER, Slot(slot))
        if answer["userIdStatus"] == AVAILABLE:
            return Observation(Seen.EMPTY, Slot(slot))
        if answer["userIdStatus"] != ENABLED:
            return Observation(Seen.CODE, Slot(slot), pin=NOT_IN_FORCE)
        return _digits(slot, answer.get("userCode"))

    async def put(self, slot: int, pin: Secret, label: str, attempt: Attempt) -> Outcome:
        attempt.sent = True
        return self._outcome(await self._invoke("set", slot, ENABLED, pin.reveal()))

    async def remove(self, slot: int, attempt: Attempt) -> Outcome:
        attempt.sent = True
        return self._outcome(await self._invoke("clear", slot))

    async def _invoke(self, method: str, *arguments: Any) -> dict[str, Any] | None:
        """One message to the lock. None: no answer."""
        answer: dict[str, Any] | None = await heard(
            self._node.endpoints[0].async_invoke_cc_api(
                CommandClass.USER_CODE, method, *arguments, wait_for_result=True
            )
        )
        return answer

    def _outcome(self, answer: dict[str, Any] | None) -> Outcome:
        """What a supervised lock says; a lock without supervision only acknowledges by radio: read it afterwards."""
        if answer is None:
            supervised = any(each.id == SUPERVISION for each in self._node.command_classes)
            return Outcome(Result.UNKNOWN if supervised else Result.ACCEPTED)
        result = SUPERVISED.get(answer.get("status", -1), Result.UNKNOWN)
        return Outcome(result, Reason.UNSPECIFIED if result == Result.REJECTED else None)


class UserCredentials:
    """User Credential command class: user n holds PIN credential n, and its name is the label."""

    def __init__(self, node: Node, name_length: int) -> None:
        self._api = node.access_control
        self._name_length = name_length

    async def read(self, slot: int) -> Observation:
        """A lock that answers for an empty place names owner 0; the library's None means that it did not answer."""
        credential = await heard(self._api.get_credential(PIN, slot))
        if credential is None:
            return Observation(Seen.NO_ANSWER, Slot(slot))
        user = await heard(self._api.get_user(credential.user_id or slot))
        if user is None:
            return Observation(Seen.NO_ANSWER, Slot(slot))
        if not credential.user_id:
            return await self._without_pin(slot, user)
        name = user.user_name or ""
        if not user.active or user.user_type == UserCredentialUserType.NON_ACCESS:
            return Observation(Seen.CODE, Slot(slot), pin=NOT_IN_FORCE, label=name)
        return _digits(slot, credential.data, name)

    async def put(self, slot: int, pin: Secret, label: str, attempt: Attempt) -> Outcome:
        """Add user and PIN, or complete a user whom an interrupted attempt left without one."""
        seen = await self.read(slot)
        user = await heard(self._api.get_user(slot))
        if seen.seen == Seen.NO_ANSWER or user is None:
            raise NoAnswer("The lock did not answer.")
        if seen.seen == Seen.CODE and seen.pin == NOT_IN_FORCE:
            return Outcome(Result.REJECTED, Reason.UNSPECIFIED, detail="The place is somebody else's.")
        options = SetUserOptions(
            active=True, user_type=UserCredentialUserType.GENERAL, user_name=label[: self._name_length]
        )
        attempt.sent = True
        if _exists(user):
            await heard(self._api.set_user(slot, options))
            return _written(await heard(self._api.set_credential(slot, PIN, slot, pin.reveal())))
        added = await heard(self._api.add_user(slot, options, AddUserCredential(PIN, slot, pin.reveal())))
        if added.credential is None:
            return await self._user_not_added(added.user, slot, pin)
        outcome = _written(added.credential)
        if outcome.result == Result.REJECTED:
            await heard(self._api.delete_user(slot))  # the user we added a moment ago, with no PIN
        return outcome

    async def remove(self, slot: int, attempt: Attempt) -> Outcome:
        attempt.sent = True
        result = await heard(self._api.delete_user(slot))
        gone = result in (SetUserResult.OK, SetUserResult.ERROR_MODIFY_REJECTED_LOCATION_EMPTY)
        return Outcome(Result.CONFIRMED if gone else Result.UNKNOWN)  # no report exists that refuses a deletion

    async def _without_pin(self, slot: int, user: UserData) -> Observation:
        """No PIN stands in the place, but its user may hold a card or a finger. A user with nothing opens nothing."""
        others = await heard(self._api.get_credentials(slot)) if _exists(user) else []
        if others:
            return Observation(Seen.CODE, Slot(slot), pin=NOT_IN_FORCE, label=user.user_name or "")
        return Observation(Seen.EMPTY, Slot(slot))

    async def _user_not_added(self, result: SetUserResult, slot: int, pin: Secret) -> Outcome:
        """The PIN was not sent, for its user was refused or the answer was lost. Ask the lock which of the two."""
        user = await heard(self._api.get_user(slot))
        if user is None:
            return Outcome(Result.UNKNOWN)
        if result == SetUserResult.ERROR_UNKNOWN and _exists(user):
            return _written(await heard(self._api.set_credential(slot, PIN, slot, pin.reveal())))
        return Outcome(Result.REJECTED, Reason.UNSPECIFIED)


def _exists(user: UserData) -> bool:
    """A lock reports a user who does not exist as inactive and nameless; one who does always has a name."""
    return user.active or bool(user.user_name)


def _written(result: SetCredentialResult) -> Outcome:
    match result:
        case SetCredentialResult.OK:
            return Outcome(Result.CONFIRMED)
        case SetCredentialResult.ERROR_UNKNOWN:  # the driver's word for no answer too
            return Outcome(Result.UNKNOWN)
        case SetCredentialResult.ERROR_DUPLICATE_CREDENTIAL | SetCredentialResult.ERROR_DUPLICATE_ADMIN_PIN_CODE:
            return Outcome(Result.REJECTED, Reason.DUPLICATE)
        case SetCredentialResult.ERROR_MANUFACTURER_SECURITY_RULES:
            return Outcome(Result.REJECTED, Reason.INVALID)
    return Outcome(Result.REJECTED, Reason.UNSPECIFIED)


def _digits(slot: int, code: str | bytes | dict[str, Any] | None, label: str = "") -> Observation:
    """A code in force, as read: some locks pad it, some show asterisks, some nothing at all."""
    text = code.strip("\0 ") if isinstance(code, str) else ""
    if isinstance(code, str) and text.strip("*"):
        return Observation(Seen.CODE, Slot(slot), pin=Secret(text), label=label)
    if isinstance(code, bytes | dict):  # binary: nothing that a keypad of digits takes, so nothing of ours
        return Observation(Seen.CODE, Slot(slot), pin=NOT_IN_FORCE, label=label)
    return Observation(Seen.MASKED, Slot(slot), label=label)
