"""The task queue in the admin: to look at, and to get a failed or stuck task out of the way.

Nothing is edited: a task is a wake-up call, the tables are the truth. Its payload is a signed pickle and would be
executed, so a form that writes one would let staff run anything. Schedules are kept by `manage.py tick`.
"""

from typing import Any

import django_q.admin  # noqa: F401  registers its own first, which these replace
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule, Success

from portal import queued
from portal.queued import Asked
from portal.staff import LookingAdmin, Words, asks

# What a task's first id names, as in the admin's addresses.
ABOUT = {
    "codes.tasks.sync_lock": "devices_device",
    "backups.tasks.refill_pool": "devices_device",
    "devices.tasks.discover_hub": "devices_hub",
    "codes.replan.replan_workspace": "portal_workspace",
}

for replaced in (Failure, Success, OrmQ, Schedule):
    admin.site.unregister(replaced)


class FinishedAdmin(LookingAdmin):
    search_fields = ["id", "name", "func"]
    list_filter = ["func"]
    date_hierarchy = "started"
    ordering = ["-started"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return queued.stored(super().get_queryset(request))

    @admin.display(description=_("about"))
    def about(self, task: Any) -> str:
        return _about(queued.asked_by(task))

    @admin.display(description=_("took"))
    def took(self, task: Any) -> str:
        return f"{task.time_taken():.1f} s"


@admin.register(Failure)
class FailureAdmin(FinishedAdmin):
    list_display = ["name", "func", "about", "error", "started", "attempt_count"]
    fields = ["id", "name", "func", "about", "started", "stopped", "attempt_count", "cluster", "traceback"]
    readonly_fields = ["about", "traceback"]
    actions = ["run_again", "forget"]

    @admin.display(description=_("error"))
    def error(self, task: Any) -> str:
        return queued.error_of(task).partition(" : ")[0][:120]

    @admin.display(description=_("error"))
    def traceback(self, task: Any) -> str:
        return format_html("<pre>{}</pre>", queued.error_of(task))

    @asks(
        _("Run again"),
        will=_("The task is queued anew, and the failure forgotten. A task that runs twice is harmless."),
    )
    def run_again(self, request: HttpRequest, task: Any) -> None:
        queued.run_again(task)

    @asks(
        _("Delete the failure"),
        will=_("The failure is forgotten. What the task was for is found again by itself, a minute later at most."),
        danger=True,
    )
    def forget(self, request: HttpRequest, task: Any) -> None:
        queued.forget(task)


@admin.register(Success)
class SuccessAdmin(FinishedAdmin):
    """Empty as long as the settings say that successes are not kept: the activity tells what was done."""

    list_display = ["name", "func", "about", "started", "took"]
    fields = ["id", "name", "func", "about", "started", "stopped", "took", "attempt_count", "cluster"]
    readonly_fields = ["about", "took"]


@admin.register(OrmQ)
class QueuedAdmin(LookingAdmin):
    list_display = ["id", "task", "about", "state", "lock"]
    fields = ["key", "task", "about", "state", "lock"]
    readonly_fields = ["task", "about", "state"]
    ordering = ["lock"]
    actions = ["hand_out", "drop"]

    @admin.display(description=_("function"))
    def task(self, waiting: OrmQ) -> Words:
        return queued.asked_in(waiting).function or _("not readable")

    @admin.display(description=_("about"))
    def about(self, waiting: OrmQ) -> str:
        return _about(queued.asked_in(waiting))

    @admin.display(description=_("state"))
    def state(self, waiting: OrmQ) -> Words:
        taken = waiting.lock is not None and waiting.lock > timezone.now()
        return _("A worker has it; given to another at the time beside") if taken else _("Waits for a worker")

    @asks(
        _("Hand out now"),
        will=_("The next free worker gets the task, even if another took it and never finished."),
    )
    def hand_out(self, request: HttpRequest, waiting: OrmQ) -> None:
        queued.hand_out(waiting)

    @asks(
        _("Take off the queue"),
        will=_("The task is dropped. What it was for is found again by itself, a minute later at most."),
        danger=True,
    )
    def drop(self, request: HttpRequest, waiting: OrmQ) -> None:
        queued.drop(waiting)


@admin.register(Schedule)
class ScheduleAdmin(LookingAdmin):
    list_display = ["name", "func", "schedule_type", "minutes", "next_run", "last_run"]
    fields = ["name", "func", "schedule_type", "minutes", "repeats", "next_run", "last_run"]
    readonly_fields = ["last_run"]
    search_fields = ["name", "func"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        failures = Failure.objects.filter(pk=OuterRef("task"))
        found: QuerySet[Any] = super().get_queryset(request).annotate(failed=Exists(failures))
        return found

    @admin.display(description=_("last run"))
    def last_run(self, schedule: Any) -> Words:
        return _("Failed") if schedule.failed else _("Done") if schedule.task else "-"


def _about(asked: Asked) -> str:
    """The rows a task is about; those it names by id lead to their own page."""
    model = ABOUT.get(asked.function)
    if not model or not asked.shown:
        return ", ".join(asked.shown) or "-"
    first, *others = asked.shown
    page = reverse(f"admin:{model}_change", args=[first])
    return format_html_join(
        "", "{}", [(format_html('<a href="{}">{}</a>', page, first),), *((f", {o}",) for o in others)]
    )
