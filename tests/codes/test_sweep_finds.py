"""The sweep looks only at PINs that indexes say may have work due: none that has is missed."""

from datetime import datetime, timedelta
from itertools import product

import pytest
from django.utils import timezone

from codes.tick import LANDED, _work_is_due
from devices.models import MAYBE_ON_LOCK, Device, Pin
from tests import factories


def moments(at: datetime) -> list[dict[str, datetime | None]]:
    """What a PIN's times can be to one another."""
    past, later, far = at - timedelta(hours=1), at + timedelta(hours=1), at + timedelta(days=1)
    return [
        {"program_at": None},
        {"program_at": later, "wanted_from": later, "wanted_until": far, "seen_from": later, "seen_until": far},
        {"program_at": past, "wanted_from": past, "wanted_until": far, "seen_from": past, "seen_until": far},
        {"program_at": past, "wanted_from": past, "wanted_until": far, "seen_from": past, "seen_until": later},
        {"program_at": past, "wanted_from": past, "wanted_until": far, "seen_from": later, "seen_until": far},
        {"program_at": past, "wanted_from": past, "wanted_until": None, "seen_from": past, "seen_until": far},
        {"program_at": past, "wanted_from": None, "wanted_until": far, "seen_from": past, "seen_until": far},
        {"program_at": past, "wanted_from": past, "wanted_until": past, "seen_from": past, "seen_until": past},
        {"unknown_at": past},
        {"unknown_at": at},
    ]


@pytest.fixture
def pins(device: Device) -> None:
    made = product(Pin.Status.values, Pin.Wanted.values, moments(timezone.now()))
    Pin.objects.bulk_create(
        factories.PinFactory.build(device=device, digits=f"{n:08}", slot=None, status=status, wanted=wanted, **times)
        for n, (status, wanted, times) in enumerate(made)
    )


@pytest.mark.django_db
def test_none_that_has_work_due(pins: None) -> None:
    at = timezone.now()
    due = set(Pin.objects.filter(_work_is_due(at)).values_list("pk", flat=True))
    found = Pin.objects.perhaps_due_ids(at, may_land=LANDED)
    assert due and due <= found
    assert found < set(Pin.objects.values_list("pk", flat=True))


@pytest.mark.django_db
def test_none_that_should_have_left(pins: None) -> None:
    at = timezone.now()
    on_lock = Pin.objects.filter(status__in=MAYBE_ON_LOCK)
    leaving = set(on_lock.exclude(wanted=Pin.Wanted.PRESENT).values_list("pk", flat=True))
    stay_on = on_lock.filter(wanted=Pin.Wanted.PRESENT, wanted_until__lte=at)
    assert set(Pin.objects.leaving_ids()) == leaving
    assert set(Pin.objects.outstaying_ids(at)) == set(stay_on.values_list("pk", flat=True))
