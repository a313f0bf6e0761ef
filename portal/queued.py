"""What the queue's own rows say, read without trusting them, and what staff may do about a task that hangs or failed.

The queue stores pickles. Loading one can run anything, so here only plain values are taken out of it. Of a
task's arguments only row ids are shown: the queue carries nothing else, and no PIN even if somebody sent one.
"""

import base64
import binascii
import io
import pickle
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django_q import core_signing
from django_q.conf import Conf
from django_q.models import Failure, OrmQ

from portal.queue import enqueue

OURS = ("portal.", "devices.", "backups.", "codes.")
PLAIN = {("datetime", "datetime"), ("datetime", "timedelta"), ("datetime", "timezone")}
DIGITS = re.compile(r"\b\d{4,}\b")
SIGNED_WRONGLY = (core_signing.BadSignature, ValueError, binascii.Error)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a stored task asks for. `ids` is None where it cannot be read, or holds something that is no id."""

    function: str
    ids: tuple[str | int, ...] | None

    @property
    def shown(self) -> list[str]:
        """Its rows' ids."""
        return [str(value) for value in self.ids or () if _is_id(value)]


def stored(tasks: QuerySet[Any]) -> QuerySet[Any]:
    """Finished tasks with `raw_args` and `raw_result`, their pickles as text: the fields themselves stay unread."""
    raw = {f"raw_{name}": Cast(name, TextField()) for name in ("args", "result")}
    with_raw: QuerySet[Any] = tasks.defer("args", "kwargs", "result").annotate(**raw)
    return with_raw


def asked_by(task: Any) -> Asked:
    """Of a finished task from `stored()`."""
    return Asked(task.func, _ids(_from_text(task.raw_args)))


def asked_in(queued: OrmQ) -> Asked:
    """Of a task that waits. One that the portal did not sign is not looked into."""
    try:
        task = core_signing.loads(queued.payload, key=Conf.SECRET_KEY, salt=Conf.PREFIX, serializer=_Serializer)
        return Asked(str(task["func"]), _ids(task["args"]))
    except (*SIGNED_WRONGLY, *UNREADABLE, TypeError):
        return Asked("", None)


def error_of(task: Any) -> str:
    """What a failed task from `stored()` ended with, its traceback below; longer numbers are masked."""
    told = _from_text(task.raw_result)
    return DIGITS.sub("••••", told) if isinstance(told, str) else ""


def run_again(failed: Any) -> None:
    """Queue a failed task from `stored()` anew, and forget the failure. Raises ValidationError."""
    asked = asked_by(failed)
    if asked.ids is None or not _is_ours(asked.function):
        raise ValidationError(_("The portal does not know this task. Delete the failure; what is due is found again."))
    with transaction.atomic():
        forget(failed)
        enqueue(asked.function, *asked.ids)


def forget(failed: Any) -> None:
    """Delete a failure. Raises ValidationError when it is gone."""
    if not Failure.objects.filter(pk=failed.pk).delete()[0]:
        raise ValidationError(_("Somebody else has dealt with it."))


def hand_out(queued: OrmQ) -> None:
    """Let the next free worker have a task, even one that a worker took and never finished. Twice is harmless."""
    if not OrmQ.objects.filter(pk=queued.pk).update(lock=timezone.now()):
        raise ValidationError(_("It has been done meanwhile."))


def drop(queued: OrmQ) -> None:
    """Take a task off the queue. What it was for is found again by the sweep, a minute later at most."""
    if not OrmQ.objects.filter(pk=queued.pk).delete()[0]:
        raise ValidationError(_("It has been done meanwhile."))


class _Plain(pickle.Unpickler):
    """Builds text, numbers, times and lists of them; refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in PLAIN:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no plain value")


class _Serializer:
    def loads(self, data: bytes) -> Any:
        return _Plain(io.BytesIO(data)).load()


UNREADABLE = (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError)


def _from_text(raw: str | None) -> Any:
    try:
        return _Serializer().loads(base64.b64decode(raw or "", validate=True))
    except (*UNREADABLE, ValueError, TypeError):
        return None


def _ids(args: Any) -> tuple[str | int, ...] | None:
    if not isinstance(args, list | tuple) or any(type(value) not in (str, int) for value in args):
        return None
    return tuple(args)


def _is_id(value: str | int) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True


def _is_ours(function: str) -> bool:
    if not function.startswith(OURS):
        return False
    try:
        return callable(import_string(function))
    except ImportError:
        return False
