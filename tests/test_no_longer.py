"""Who was let in once and is not any more gets nowhere, at every address; and what a staff flag alone opens."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from portal.models import Membership, User
from tests import factories
from tests.test_isolation import (
    ADMIN,
    ALL,
    EXPECTED,
    NOBODY,
    OPEN,
    PUBLIC,
    REFUSED,
    SIGN_IN,
    STAFF,
    address,
    addresses,
    answer_of,
    arguments,
    kept,
)

__all__ = ["arguments"]  # the fixture
PERSONAL = ("account", "mfa", "workspace_switch")  # about the person, not about what a workspace holds


def answers(client: Client, name: str, arguments: dict[str, list[object]]) -> set[object]:
    url = address(name, arguments)
    return {answer_of(getattr(client, method)(url)) for method in ("get", "post")} - {None}


def only(client: Client, name: str, arguments: dict[str, list[object]], expected: object) -> str:
    """What is wrong with how this address answers; empty if nothing is."""
    before = kept()
    given = answers(client, name, arguments)
    changed = expected != OPEN and kept() != before
    return f"{name}: {given}, not {expected}" if given != {expected} else f"{name} changed something" if changed else ""


@pytest.mark.parametrize("how", ["expired", "signed out elsewhere", "deactivated"])
def test_a_session_that_is_over_is_none(alice: User, arguments: dict[str, list[object]], how: str) -> None:
    client = Client()
    client.force_login(alice)
    assert client.get("/").status_code == 200
    travel = timedelta(seconds=settings.SESSION_COOKIE_AGE + 1) if how == "expired" else timedelta(0)
    if how == "signed out elsewhere":
        client.session.flush()
    if how == "deactivated":
        User.objects.filter(pk=alice.pk).update(is_active=False)
    with time_machine.travel(timezone.now() + travel, tick=False):
        names = [name for name in ALL if EXPECTED[name][0] == SIGN_IN]
        assert len(names) > 30
        wrong = [only(client, name, arguments, SIGN_IN) for name in names]
    assert not [line for line in wrong if line]


def test_who_left_the_workspace_sees_and_changes_nothing(alice: User, arguments: dict[str, list[object]]) -> None:
    """The session stays, for the person may belong to others; what the workspace holds is refused."""
    client = Client()
    client.force_login(alice)
    Membership.objects.filter(user=alice).delete()
    names = [name for name in ALL if EXPECTED[name] not in (PUBLIC, NOBODY) and not name.startswith(PERSONAL)]
    wrong = [only(client, name, arguments, REFUSED) for name in names]
    assert len(names) > 30 and not [line for line in wrong if line]


def test_whose_role_was_lowered_may_no_more_than_that(alice: User, arguments: dict[str, list[object]]) -> None:
    """In the middle of a session."""
    client = Client()
    client.force_login(alice)
    Membership.objects.filter(user=alice).update(role=Membership.Role.VIEWER)
    names = [name for name in ALL if EXPECTED[name][2] == REFUSED]
    wrong = [only(client, name, arguments, REFUSED) for name in names]
    assert len(names) > 10 and not [line for line in wrong if line]


def test_staff_are_no_members(arguments: dict[str, list[object]], db: None) -> None:
    """Even who may do everything in the admin belongs to no workspace by that."""
    client = Client()
    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True))
    names = [name for name in ALL if EXPECTED[name] not in (PUBLIC, NOBODY, STAFF) and not name.startswith(PERSONAL)]
    wrong = [only(client, name, arguments, REFUSED) for name in names]
    assert not [line for line in wrong if line]


def admin_urls() -> list[tuple[str, str]]:
    patterns = dict(addresses(get_resolver().url_patterns))
    takes = {name: patterns[name].pattern.regex.groups for name in ADMIN}
    argument = {"admin:app_list": "portal"}
    return [(name, reverse(name, args=[argument.get(name, "1")] * takes[name])) for name in ADMIN if takes[name] < 2]


PLAIN = ("admin:index", "admin:login", "admin:logout", "admin:password_change", "admin:password_change_done")


def test_a_staff_flag_without_permissions_opens_no_row(arguments: dict[str, list[object]]) -> None:
    client = Client()
    client.force_login(factories.UserFactory(is_staff=True))
    before = kept()
    for name, url in admin_urls():
        if name in PLAIN or name in ("admin:jsi18n", "admin:autocomplete"):
            continue
        for method in ("get", "post"):
            assert getattr(client, method)(url).status_code in (302, 403, 404), name
    assert kept() == before


def test_permissions_without_the_staff_flag_open_nothing(alice: User, arguments: dict[str, list[object]]) -> None:
    alice.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(alice)
    before = kept()
    for name, url in admin_urls():
        if name in PLAIN:
            continue
        for method in ("get", "post"):
            assert getattr(client, method)(url).status_code in (302, 403, 404), name
    assert kept() == before


@pytest.mark.parametrize("flag", ["is_active", "is_staff"])
def test_a_flag_that_is_taken_away_counts_at_once(db: None, flag: str) -> None:
    staff = factories.UserFactory(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(staff)
    assert client.get(reverse("admin:devices_device_changelist")).status_code == 200
    User.objects.filter(pk=staff.pk).update(**{flag: False})
    assert client.get(reverse("admin:devices_device_changelist")).status_code == 302
