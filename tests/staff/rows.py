"""Rows for every page of the admin."""

from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.db.models import Model
from django.utils import timezone
from django_q.models import Failure, Schedule, Success

from codes.models import CodePin, Notice
from devices.models import Device, Event, Pin
from portal import people
from portal.models import Heartbeat, MailKind, OutgoingMail, User, Workspace
from portal.queue import enqueue
from tests import factories

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)
SECRET_DIGITS = {"own": "734915", "backup": "734916"}  # found nowhere else
NAMES = [model._meta.label_lower for model in MODELS]


def grow(workspace: Workspace, times: int = 1) -> None:
    """One more of everything in a workspace, and of everything beside it; each related to what is there."""
    for _ in range(times):
        factories.WorkspaceFactory()
        user = factories.MembershipFactory(workspace=workspace).user
        device = factories.DeviceFactory(property__workspace=workspace, hub__workspace=workspace)
        _people(workspace, user)
        _codes(workspace, device, user)
        _queue(device)


def pages(model: type[Model]) -> Any:
    """The rows the admin shows of a model, the oldest first."""
    return model._default_manager.order_by("pk")


def _people(workspace: Workspace, user: User) -> None:
    n = User.objects.count()
    people.invite(workspace=workspace, email=f"new{n}@example.org", role="viewer", actor=user)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "sealed-secret"})
    Group.objects.create(name=f"Group {n}")
    OutgoingMail.objects.create(to=user.email, subject="Act now", body="Look at the portal.")
    Heartbeat.objects.create(name=f"worker {n}", beat_at=timezone.now())
    LogEntry.objects.log_actions(user.pk, [workspace], CHANGE, change_message="Looked")


def _codes(workspace: Workspace, device: Device, user: User) -> None:
    pool = factories.BackupPoolFactory(device=device, acknowledged_by=user)
    factories.BackupCodeFactory(pool=pool)
    code = factories.CodePinFactory(code__device=device, pin__digits=SECRET_DIGITS["own"]).code
    spare = factories.BackupCodeFactory(pool=pool, drawn_at=timezone.now(), pin__digits=SECRET_DIGITS["backup"])
    factories.CodePinFactory(code=code, pin=spare.pin, role=CodePin.Role.BACKUP)
    Pin.objects.filter(code_pin__role="own").update(trouble=Pin.Trouble.OFFLINE)
    Event.objects.create(
        workspace=workspace,
        device=device,
        type=Event.Type.BACKUP_PULLED,
        at=timezone.now(),
        actor=user,
        subject=code.pk,
        data={"name": code.name, "backup": spare.code_id},
    )
    Notice.objects.create(
        workspace=workspace,
        kind=MailKind.UNCOVERED,
        key=f"uncovered:{code.pk}",
        group="g",
        device=device,
        code=code,
        opened_at=timezone.now(),
    )


def _queue(device: Device) -> None:
    enqueue("codes.tasks.sync_lock", str(device.pk))
    ended = {"started": timezone.now() - timedelta(seconds=2), "stopped": timezone.now(), "attempt_count": 1}
    ended |= {"func": "codes.tasks.sync_lock", "args": (str(device.pk),), "kwargs": {}}
    failed = Failure.objects.create(
        id=f"f{device.pk.hex[:31]}", name="lost", result="boom : why", success=False, **ended
    )
    Success.objects.create(id=f"s{device.pk.hex[:31]}", name="done", success=True, **ended)
    Schedule.objects.create(name=str(device.pk), func="codes.tasks.sweep", schedule_type="I", minutes=1, task=failed.pk)
