"""Changing a workspace's settings."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction

from portal.models import MailKind, Workspace
from portal.queue import enqueue

REPLAN_TASK = "codes.replan.replan_workspace"
LEADS = ["programming_lead_native", "cover_lead_native", "programming_lead", "cover_lead"]
DURATIONS = [*LEADS, "reveal_lead", "early_access", "late_access"]


def change_settings(
    workspace: Workspace, *, name: str, durations: Mapping[str, timedelta], mail_roles: Mapping[MailKind, list[str]]
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
        for field, value in values.items():
            setattr(row, field, value)
        row.save(update_fields=list(values))
        if moved:
            enqueue(REPLAN_TASK, str(row.pk))
