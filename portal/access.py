"""Who may do what: the membership behind a request, and the decorators views wear.

A stranger's object is a 404, never a 403: views look things up inside `request.membership.workspace`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from portal.backends import memberships_of
from portal.changes import number
from portal.look import Look, membership_by
from portal.models import Membership, User


class MemberRequest(HttpRequest):
    """A request by a person who belongs to a workspace."""

    user: User
    membership: Membership
    look: Look | None  # staff looking at somebody's portal
    htmx: Any


type View[**P] = Callable[Concatenate[Any, P], HttpResponseBase]  # Any: the request, as the view types it


def membership_of(request: HttpRequest) -> Membership | None:
    """The membership in use: the one picked in this session, else the person's first. None for outsiders.

    For staff who look at a workspace's portal it is a viewer's, and stands nowhere.
    """
    if not request.user.is_authenticated:
        return None
    if look := getattr(request, "look", None):
        looking = membership_by(look, request.user)
        if looking is not None:
            looking.changes = number(looking.workspace_id)
        return looking
    known = getattr(request.user, "read_memberships", None)
    found = known if known is not None else memberships_of(request.user.pk)
    picked = request.session.get("workspace")
    used = next((m for m in found if str(m.workspace_id) == picked), None) or next(iter(found), None)
    if used is not None:
        used.one_of_several = len(found) > 1
    return used


def member[**P](view: View[P]) -> View[P]:
    """Members of a workspace only; others are told that nobody has invited them yet (403)."""
    return _gate(view, lambda membership: True, "")


def may_reveal[**P](view: View[P]) -> View[P]:
    """Members who may see PINs, pull backups and check locks."""
    return _gate(view, lambda m: m.may_reveal, _("Your role does not allow this. Ask an owner of the workspace."))


def may_change[**P](view: View[P]) -> View[P]:
    """Members who may add, edit and cancel codes and locks."""
    return _gate(view, lambda m: m.may_change, _("Your role does not allow this. Ask an owner of the workspace."))


def may_own[**P](view: View[P]) -> View[P]:
    """Owners only: settings and people."""
    return _gate(view, lambda m: m.may_own, _("Only an owner of the workspace may change this."))


def _gate[**P](view: View[P], allowed: Callable[[Membership], bool], refusal: StrPromise | str) -> View[P]:
    @wraps(view)
    def guarded(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.membership:
            raise PermissionDenied(_("You belong to no workspace yet. Ask its owner to invite you."))
        if not allowed(request.membership):
            raise PermissionDenied(refusal)
        return view(request, *args, **kwargs)

    return cast(View[P], guarded)
