"""Three kinds of staff: Stella may everything, Arto may act, Lena may look."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from portal.models import User
from tests import factories


@pytest.fixture
def stella(db: None) -> User:
    """A superuser."""
    return factories.UserFactory(name="Stella", is_staff=True, is_superuser=True)


@pytest.fixture
def staff(client: Client, stella: User) -> Client:
    client.force_login(stella)
    return client


def in_group(name: str, group: str) -> User:
    call_command("staff_groups", stdout=StringIO())
    user = factories.UserFactory(name=name, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def lena(db: None) -> User:
    return in_group("Lena", "Staff who look")


@pytest.fixture
def arto(db: None) -> User:
    return in_group("Arto", "Staff who act")
