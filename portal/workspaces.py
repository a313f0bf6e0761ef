"""Changing a workspace's settings."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction

from portal import journal
from portal.journal import write_down
from portal.models import MailKind, User, Workspace
from portal.queue import enqueue

REPLAN_TASK = "codes.replan.replan_workspace"
LEADS = ["programming_lead_native", "cover_lead_native", "programming_lead", "cover_lead"]
DURATIONS = [*LEADS, "reveal_lead", "early_access", "late_access"]


def change_settings(
    workspace: Workspace,
    *,
    name: str,
    durations: Mapping[str, timedelta],
    mail_roles: Mapping[MailKind, list[str]],
    actor: User | None = None,
) -> None:
    """Keep the settings. When a lead changed, the codes of stays that have not begun are planned anew; when the late
    access did, the PINs of all stays that are not over.
    """
    with transaction.atomic():
        row = Workspace.objects.select_for_update().get(pk=workspace.pk)
        moved = any(getattr(row, lead) != durations[lead] for lead in [*LEADS, "late_access"])
        values: dict[str, Any] = {
            "name": name,
            "mail_roles": {kind.value: list(roles) for kind, roles in mail_roles.items()},
            **{field: durations[field] for field in DURATIONS},
        }
        changed = [field for field, value in values.items() if getattr(row, field) != value]
        if not changed:
            return
        for field in changed:
            setattr(row, field, values[field])
        row.save(update_fields=changed)
        told = ", ".join(str(Workspace._meta.get_field(field).verbose_name) for field in changed)  # type: ignore[union-attr]
        write_down(row, journal.SETTINGS_CHANGED, actor=actor, fields=told)
        if moved:
            enqueue(REPLAN_TASK, str(row.pk))
