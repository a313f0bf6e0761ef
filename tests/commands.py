"""Calling a command as a person or a program does: what it printed, and its exit status."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import StringIO
from threading import Event, Thread
from typing import Any

from django.apps import apps
from django.core.management import CommandError, call_command, load_command_class
from django.db import connections

from devices.models import Device
from portal.models import ChangeCount, LockChangeCount, Tally
from tests.engine import turn


@dataclass(frozen=True)
class Ran:
    out: str
    status: int
    error: str = ""

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def run(command: str, *args: object, terminal: bool = False) -> Ran:
    out = Terminal() if terminal else StringIO()
    try:
        call_command(command, *map(str, args), stdout=out, stderr=StringIO())
    except SystemExit as end:
        return Ran(out.getvalue(), int(end.code or 0))
    except CommandError as error:
        return Ran(out.getvalue(), error.returncode, str(error))
    return Ran(out.getvalue(), 0)


def help_of(app: str, command: str) -> str:
    """What `manage.py COMMAND --help` prints."""
    return load_command_class(app, command).create_parser("manage.py", command).format_help()


def rows() -> dict[str, list[str]]:
    """Every row of our own tables, to see that nothing changed; but not how often a row was written, nor metrics."""
    ours = [m for name in ("portal", "devices", "backups", "codes") for m in apps.get_app_config(name).get_models()]
    ours = [m for m in ours if m not in (ChangeCount, LockChangeCount, Tally)]
    models = [*ours, apps.get_model("django_q", "OrmQ"), apps.get_model("mfa", "Authenticator")]
    return {str(m._meta): sorted(map(repr, m._default_manager.values_list())) for m in models}


@contextmanager
def a_worker(device: Device) -> Iterator[None]:
    """Somebody else gives this lock its turns meanwhile. For tests with `transactional_db`."""
    stop = Event()

    def work() -> None:
        try:
            while not stop.wait(0.02):
                with suppress(Device.DoesNotExist):
                    turn(Device.objects.get(pk=device.pk))
        finally:
            connections.close_all()

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=20)
