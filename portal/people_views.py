"""Who is in the workspace: the list, invitations, roles, and one's own account."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal import people
from portal.access import MemberRequest, may_change, may_own, member
from portal.clock import now
from portal.forms import add_errors
from portal.hearing import UNHEARD, meant, reachable, unheard
from portal.models import Invitation, MailKind, Membership
from portal.people_forms import InviteForm, MailsForm, NameForm, RoleForm, SwitchForm
from portal.people_mail import send_invitation


def _member_or_404(request: MemberRequest, public_id: UUID) -> Membership:
    members = Membership.objects.select_related("user")
    return get_object_or_404(members, workspace=request.membership.workspace, public_id=public_id)


def _invitation_or_404(request: MemberRequest, pk: UUID) -> Invitation:
    return get_object_or_404(Invitation.objects.pending(), workspace=request.membership.workspace, pk=pk)


@require_http_methods(["GET", "HEAD"])
@may_change
def people_list(request: MemberRequest) -> HttpResponse:
    return _people_page(request, InviteForm())


@require_POST
@may_own
def person_invite(request: MemberRequest) -> HttpResponse:
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            _invite(request, form.cleaned_data["email"], form.cleaned_data["role"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            return redirect("people")
    return _people_page(request, form)


@require_POST
@may_own
def invitation_resend(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Send it again: with a new link, good for another week."""
    invitation = _invitation_or_404(request, pk)
    try:
        _invite(request, invitation.email, invitation.role)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("people")


@require_POST
@may_own
def invitation_revoke(request: MemberRequest, pk: UUID) -> HttpResponse:
    invitation = _invitation_or_404(request, pk)
    if people.revoke(invitation, actor=request.user):
        messages.success(request, _("The invitation of %(email)s is taken back.") % {"email": invitation.email})
    return redirect("people")


@require_http_methods(["GET", "HEAD", "POST"])
@may_own
def person_role(request: MemberRequest, public_id: UUID) -> HttpResponse:
    membership = _member_or_404(request, public_id)
    form = RoleForm(request.POST or None, initial={"role": membership.role})
    if form.is_valid():
        try:
            people.change_role(membership, form.cleaned_data["role"], actor=request.user)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, _("%(name)s’s role is changed.") % {"name": membership.user})
            return redirect("people")
    return render(request, "portal/person_role.html", {"person": membership, "form": form, "section": "settings"})


@require_http_methods(["GET", "HEAD", "POST"])
@may_own
def person_remove(request: MemberRequest, public_id: UUID) -> HttpResponse:
    membership = _member_or_404(request, public_id)
    error = ""
    if request.method == "POST":
        try:
            people.remove(membership, actor=request.user)
        except ValidationError as refusal:
            error = " ".join(refusal.messages)
        else:
            messages.success(request, _("%(name)s is out of the workspace.") % {"name": membership.user})
            return redirect("home" if membership.user_id == request.user.pk else "people")
    return render(request, "portal/person_remove.html", {"person": membership, "error": error, "section": "settings"})


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: MemberRequest) -> HttpResponse:
    """One's own name, the way to one's address, password and second factor, and one's workspaces."""
    form = NameForm(request.POST or None, initial={"name": request.user.name})
    if form.is_valid():
        people.rename(request.user, form.cleaned_data["name"])
        messages.success(request, _("Your name is changed."))
        return redirect("account")
    mine = Membership.objects.filter(user=request.user).select_related("workspace").order_by("workspace__name")
    mails = _mails_form(request) if request.membership else None
    context = {"form": form, "memberships": mine, "mails": mails, "section": "account"}
    return render(request, "portal/account.html", context)


@require_POST
@member
def account_mails(request: MemberRequest) -> HttpResponse:
    """Which of this workspace's warnings one wants by e-mail."""
    form = _mails_form(request, request.POST)
    if form.is_valid():
        people.choose_mails(request.membership, form.cleaned_data["wanted"], form.kinds)
        messages.success(request, _("Saved: the warnings you get by e-mail."))
        if unheard(request.membership.workspace):
            messages.warning(request, UNHEARD)
    else:
        messages.error(request, _("Nothing has been saved. Look at the choices below, and save again."))
    return redirect(f"{resolve_url('account')}#mails")


def _mails_form(request: MemberRequest, typed: QueryDict | None = None) -> MailsForm:
    mine = request.membership
    everybody = reachable(mine.workspace)
    kinds = [kind for kind in MailKind if mine in meant(mine.workspace, everybody, kind)]
    return MailsForm(typed, membership=mine, kinds=kinds)


@require_POST
def workspace_switch(request: MemberRequest) -> HttpResponse:
    form = SwitchForm(request.POST, user=request.user)
    if form.is_valid():
        request.session["workspace"] = str(form.cleaned_data["workspace"].pk)
        return redirect("home")
    messages.error(request, _("You do not belong to that workspace any more."))
    return redirect("account")


def _invite(request: MemberRequest, email: str, role: str) -> None:
    invitation, token = people.invite(
        workspace=request.membership.workspace, email=email, role=role, actor=request.user
    )
    if send_invitation(invitation, token):
        messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": invitation.email})
    else:
        messages.error(request, _("The e-mail could not be sent. Try “Send again” in a few minutes."))


def _people_page(request: MemberRequest, form: InviteForm) -> HttpResponse:
    workspace = request.membership.workspace
    context = {
        "people": workspace.memberships.select_related("user").order_by("user__name", "user__email"),
        "invitations": workspace.invitations.pending().order_by("email"),
        "now": now(),
        "form": form,
        "section": "settings",
        "part": "people",
    }
    return render(request, "portal/people.html", context)
