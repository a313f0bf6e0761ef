"""A query that is made once gives what the queryset gives, whatever it is asked, whoever asks at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.db.models import CharField, Count, DateTimeField, Q, QuerySet, UUIDField
from django.db.models.query import ModelIterable
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from codes.models import AccessCode
from devices.models import Device, Property
from portal.prepared import Given, Prepared
from tests import factories

NAMED = Prepared(
    lambda: (
        Device.objects.filter(
            Q(name=Given("name", CharField())) | Q(name="Everywhere"), property__workspace=Given("of", UUIDField())
        )
        .select_related("property")
        .annotate(codes=Count("access_codes"))
        .order_by("name")
    )
)


def test_each_call_has_its_own_values_and_rows(place: Property) -> None:
    for name in ("Everywhere", "Front door", "Side door"):
        factories.DeviceFactory(property=place, name=name)
    factories.DeviceFactory(name="Front door")  # another workspace's
    for name in ("Front door", "Side door", "Front door"):
        found = NAMED(name=name, of=place.workspace_id)
        assert [device.name for device in found] == ["Everywhere", name]
        assert {device.property.name for device in found} == {place.name}
    assert [device.name for device in NAMED(name="Nowhere", of=place.workspace_id)] == ["Everywhere"]


def test_rows_are_full_instances(device: Device, django_assert_num_queries: object) -> None:
    factories.AccessCodeFactory.create_batch(2, device=device)
    with django_assert_num_queries(1):  # type: ignore[operator]
        (found,) = NAMED(name=device.name, of=device.property.workspace_id)
        assert (found, found.property, found.codes) == (device, device.property, 2)  # type: ignore[attr-defined]
    found.name = "Back door"
    found.save()
    assert Device.objects.get().name == "Back door"


def test_values_moments_and_a_limit(device: Device) -> None:
    latest = Prepared(
        lambda: (
            AccessCode.objects.filter(starts_at__lte=Given("until", DateTimeField()), device=Given("lock", UUIDField()))
            .order_by("-starts_at")
            .values_list("pk", "starts_at")[:2]
        )
    )
    at = timezone.now()
    stays = [at - timedelta(hours=hours) for hours in range(4)]
    codes = [(factories.AccessCodeFactory(device=device, starts_at=begins).pk, begins) for begins in stays]
    assert latest(lock=device.pk, until=at) == codes[:2]
    assert latest(lock=device.pk, until=at - timedelta(hours=2)) == codes[2:]


def test_it_is_put_together_once(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    NAMED(name="", of=device.property.workspace_id)

    def again(self: SQLCompiler, **options: object) -> None:
        raise AssertionError("put together again")

    monkeypatch.setattr(SQLCompiler, "pre_sql_setup", again)
    assert [found.pk for found in NAMED(name=device.name, of=device.property.workspace_id)] == [device.pk]


def test_a_value_that_is_missing_is_named(db: None) -> None:
    with pytest.raises(KeyError, match="of"):
        NAMED(name="Front door")


@pytest.mark.django_db(transaction=True)
def test_two_threads_at_once_have_their_own_values_and_connections(place: Property) -> None:
    for name in ("Front door", "Side door"):
        factories.DeviceFactory(property=place, name=name)
    both = Barrier(2, timeout=10)

    class Together(ModelIterable):
        def __iter__(self) -> Iterator[Device]:
            both.wait()  # both are about to run what was made once
            return super().__iter__()

    def named() -> QuerySet[Device]:
        found = Device.objects.filter(name=Given("name", CharField()))
        found._iterable_class = Together
        return found

    named_together = Prepared(named)

    def ask(name: str) -> list[str]:
        try:
            return [device.name for device in named_together(name=name)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(ask, ["Front door", "Side door"])) == [["Front door"], ["Side door"]]
