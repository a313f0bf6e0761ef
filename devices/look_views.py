"""Staff looking at a workspace's portal: asked first, recorded in the workspace's own activity."""

from typing import cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from devices.activity import record_in
from devices.models import Event
from portal import look
from portal.models import User, Workspace


@require_http_methods(["GET", "HEAD", "POST"])
def look_begin(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = _staff(request)
    workspace = get_object_or_404(Workspace, pk=pk)
    if request.method == "POST":
        with transaction.atomic():
            begun = look.begin(request, workspace)
            record_in(workspace, Event.Type.STAFF_LOOK_BEGAN, actor=person, until=begun.until.isoformat())
        return redirect("home")
    context = {**admin.site.each_context(request), "workspace": workspace, "minutes": look.LASTS.seconds // 60}
    return render(request, "admin/look.html", {**context, "title": _("See this workspace’s portal?")})


@require_POST
def look_end(request: HttpRequest) -> HttpResponse:
    person = _staff(request)
    with transaction.atomic():
        ended = look.end(request)
        workspace = Workspace.objects.filter(pk=ended.workspace_id).first() if ended else None
        if workspace:
            record_in(workspace, Event.Type.STAFF_LOOK_ENDED, actor=person)
    if workspace is None:
        return redirect("admin:index")
    messages.success(request, _("You have stopped looking at the portal of %(name)s.") % {"name": workspace})
    return redirect("admin:portal_workspace_change", workspace.pk)


def _staff(request: HttpRequest) -> User:
    person = cast(User, request.user)
    if not look.may_look(person):
        raise PermissionDenied(_("Only staff who may act on workspaces can do this."))
    return person
