"""Guests without a code, and pulls by cause."""

import pytest
from django.db import transaction
from django.utils import timezone

from codes.cover import cover
from codes.metrics import PULLS, measure
from codes.models import AccessCode
from codes.services import pull_backup
from devices.models import Device
from portal import tally
from portal.models import Tally
from tests import engine
from tests.engine import fault, fill_pool, guest, settle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_left_from_before() -> None:
    tally._pending.take(0)


def pulls() -> dict[str, float]:
    tally.flush()
    return dict(Tally.objects.filter(metric=PULLS.name).values_list("labels", "value"))


def test_a_pull_by_its_cause(device: Device) -> None:
    fill_pool(device)
    fault(device, "reject_set")
    guest(device)
    settle(device)
    assert pulls() == {'["rejected", "portal"]': 1}


def test_a_pull_that_a_person_asked_for(device: Device, alice) -> None:
    fill_pool(device)
    code = guest(device)
    pull_backup(code, actor=alice)
    assert pulls() == {'["unknown", "person"]': 1}


def test_a_pull_that_was_rolled_back_is_none(device: Device) -> None:
    fill_pool(device)
    code = guest(device)
    with transaction.atomic():
        assert cover(code)
        transaction.set_rollback(True)
    assert pulls() == {}


def test_uncovered_guests(device: Device) -> None:
    engine.guest(device)
    ended = engine.guest(device, "Gone")
    AccessCode.objects.update(uncovered_since=timezone.now())
    AccessCode.objects.filter(pk=ended.pk).update(ended_at=timezone.now())
    (family,) = measure()
    assert [one.value for one in family.samples] == [1]
