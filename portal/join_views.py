"""Where an invitation's link leads."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from portal import people
from portal.guessing import slow_to_guess
from portal.models import Invitation, User
from portal.people_forms import JoinForm

BACKEND = "portal.backends.ByPassword"


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
@never_cache
@slow_to_guess
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation: with one click by whom it is meant for, else by making an account."""
    invitation = people.invited_by_token(token)
    if invitation is None:
        return _page(request, None, {}, status=410)
    if isinstance(request.user, User):
        return _as_somebody(request, invitation, request.user)
    if people.account_of(invitation):
        return _page(request, invitation, {"sign_in": True})
    return _as_new(request, invitation)


def _as_somebody(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    if not people.meant_for(invitation, user):
        return _page(request, invitation, {"stranger": True})
    if request.method != "POST":
        return _page(request, invitation, {})
    try:
        people.accept(invitation, user=user)
    except ValidationError:
        return _page(request, None, {}, status=410)
    return _welcome(request, invitation)


def _as_new(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = JoinForm(request.POST or None, email=invitation.email)
    if not form.is_valid():
        return _page(request, invitation, {"form": form})
    try:
        user = people.accept_as_new(invitation, **form.cleaned_data)
    except (ValidationError, IntegrityError):  # used, taken back, or the account was made, this very moment
        return redirect("join", request.resolver_match.kwargs["token"] if request.resolver_match else "")
    login(request, user, backend=BACKEND)
    return _welcome(request, invitation)


def _welcome(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    request.session["workspace"] = str(invitation.workspace_id)
    messages.success(request, _("Welcome to %(workspace)s.") % {"workspace": invitation.workspace})
    return redirect("home")


def _page(
    request: HttpRequest, invitation: Invitation | None, context: dict[str, object], *, status: int = 200
) -> HttpResponse:
    return render(request, "portal/join.html", {"invitation": invitation, **context}, status=status)
