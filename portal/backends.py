"""Who a session belongs to: the person, their memberships and each workspace's number of changes, in one query."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.backends import ModelBackend

from portal.changes import narrow_number_of, number_of
from portal.models import Membership, User
from portal.prepared import Given, Prepared

MEMBERSHIPS = Prepared(
    lambda: (
        Membership.objects.filter(user=Given("user", User._meta.pk))
        .select_related("user", "workspace")
        .annotate(number=number_of("workspace"), wide=narrow_number_of("workspace"))
        .order_by("pk")
    )
)


def memberships_of(user_id: Any) -> list[Membership]:
    """A person's memberships with their workspaces and numbers of changes. The first is the one used by default."""
    memberships: list[Membership] = []
    for membership in MEMBERSHIPS(user=user_id):
        membership.changes, membership.wide_changes = membership.number, membership.wide
        memberships.append(membership)
    return memberships


class WithMemberships(ModelBackend):
    """Every page needs both: one query less for each."""

    def get_user(self, user_id: Any) -> User | None:
        found = memberships_of(user_id)
        if not found:
            return super().get_user(user_id)
        user = found[0].user
        for membership in found:
            membership.user = user
        user.read_memberships = found
        return user if self.user_can_authenticate(user) else None


class ByPassword(WithMemberships):
    """The admin's and Django's own sign-in."""


class ByAccount(WithMemberships, AuthenticationBackend):  # type: ignore[misc]
    """The portal's sign-in."""
