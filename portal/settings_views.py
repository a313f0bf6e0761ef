"""The workspace's settings: owners change them, managers look at them."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.access import MemberRequest, may_change
from portal.hearing import UNHEARD, unheard
from portal.settings_forms import SettingsForm
from portal.workspaces import change_settings


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def settings(request: MemberRequest) -> HttpResponse:
    workspace = request.membership.workspace
    if request.method == "POST" and not request.membership.may_own:
        raise PermissionDenied(_("Only an owner of the workspace may change this."))
    form = SettingsForm(request.POST or None, workspace=workspace)
    if form.is_valid():
        change_settings(workspace, **form.values(), actor=request.user)
        messages.success(request, _("Settings saved."))
        return redirect("settings")
    for field in form.fields.values():
        field.disabled = not request.membership.may_own
    context = {"form": form, "unheard": UNHEARD if unheard(workspace) else "", "section": "settings"}
    return render(request, "portal/settings.html", {**context, "part": "settings"})
