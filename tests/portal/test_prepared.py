"""A query that is made once gives what the queryset gives, whatever it is asked, whoever asks at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, connections
from django.db.models import (
    Case,
    CharField,
    Count,
    DateTimeField,
    DurationField,
    F,
    Q,
    QuerySet,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Now
from django.db.models.query import ModelIterable
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from codes.models import AccessCode
from devices.activity import record
from devices.models import Device, Event, Pin, Property
from portal.models import User
from portal.prepared import Given, Prepared, PreparedInsert, PreparedUpdate, columns_of, rows_of
from portal.secret import Secret
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


def test_rows_bring_what_was_annotated_and_what_was_left_out_can_be_asked_for(device: Device) -> None:
    of = Prepared(
        lambda: (
            Device.objects.filter(pk=Given("pk", UUIDField()))
            .defer("name")
            .annotate(place=F("property__name"), two=Value(2))
        )
    )
    (found,) = of(pk=device.pk)
    assert (found.place, found.two, found.name) == (device.property.name, 2, device.name)
    assert not found._state.adding and found._state.db == connection.alias


def test_rows_bring_those_they_refer_to_however_far_and_none_where_there_is_none(
    device: Device, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    of = Prepared(
        lambda: (
            Event.objects.filter(device=Given("lock", UUIDField()))
            .select_related("actor", "device__property__workspace")
            .annotate(lock=F("device__name"))
            .order_by("pk")
        )
    )
    record(device, Event.Type.CODE_SET, actor=alice, name="Ben")
    record(device, Event.Type.CODE_SET, name="Ana")
    with django_assert_num_queries(1):
        by_alice, by_nobody = of(lock=device.pk)
        assert (by_alice.actor, by_nobody.actor) == (alice, None)
        assert by_nobody.device.property.workspace == device.property.workspace
        assert (by_alice.lock, by_alice.device.caps) == (device.name, device.caps)  # type: ignore[attr-defined]
    assert by_alice.data == {"name": "Ben"} and by_alice.at == Event.objects.earliest("pk").at


def test_rows_of_a_relation_know_the_other_side(
    place: Property, device: Device, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    (found,) = Prepared(lambda: place.devices.all())()
    with django_assert_num_queries(0):
        assert found.property is place


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


def test_values_hold_no_column_that_only_the_order_needs(place: Property) -> None:
    named = Prepared(
        lambda: Device.objects.filter(property=Given("of", UUIDField())).order_by("name").distinct().values_list("make")
    )
    for name in ("Front door", "Side door"):
        factories.DeviceFactory(property=place, name=name, make="Kwikset")
    assert named(of=place.pk) == [("Kwikset",), ("Kwikset",)]


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
    both = Barrier(2, timeout=30)

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


RENAMED = PreparedUpdate(
    lambda: Device.objects.filter(name=Given("was", CharField()), removal="kept"),
    name=Case(When(property=Given("place", UUIDField()), then=Given("name", CharField())), default=F("name")),
    syncing_until=Now() + Given("lasts", DurationField()),
)


class TestUpdate:
    def test_changes_the_rows_that_are_meant_each_time_and_tells_how_many(self, place: Property) -> None:
        front = factories.DeviceFactory(property=place, name="Front door")
        side = factories.DeviceFactory(property=place, name="Side door")
        elsewhere = factories.DeviceFactory(name="Side door")
        hour = timedelta(hours=1)
        assert RENAMED(was="Side door", name="Garden door", place=place.pk, lasts=hour) == 2
        assert RENAMED(was="Front door", name="Main door", place=place.pk, lasts=2 * hour) == 1
        assert RENAMED(was="Front door", name="Main door", place=place.pk, lasts=hour) == 0
        for device, name, lasts in ((front, "Main door", 2), (side, "Garden door", 1), (elsewhere, "Side door", 1)):
            device.refresh_from_db()
            assert device.name == name
            assert abs(device.syncing_until - timezone.now() - lasts * hour) < timedelta(minutes=1)

    def test_is_put_together_once(self, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
        RENAMED(was="", name="", place=None, lasts=timedelta())

        def again(self: SQLCompiler, **options: object) -> None:
            raise AssertionError("put together again")

        monkeypatch.setattr(SQLCompiler, "pre_sql_setup", again)
        assert RENAMED(was=device.name, name="Back door", place=device.property_id, lasts=timedelta()) == 1

    def test_names_a_value_that_is_missing(self, db: None) -> None:
        with pytest.raises(KeyError, match="lasts"):
            RENAMED(was="", name="", place=None)


class TestInsert:
    def test_writes_what_save_would_and_gives_the_key(self, device: Device) -> None:
        append = PreparedInsert(Event)
        for number in range(2):
            event = Event(
                workspace_id=device.property.workspace_id,
                device=device,
                type=Event.Type.CODE_SET,
                at=timezone.now(),
                data={"tries": number},
            )
            append(event)
            found = Event.objects.get(pk=event.pk)
            assert {field.name: getattr(found, field.name) for field in Event._meta.concrete_fields} == {
                field.name: getattr(event, field.name) for field in Event._meta.concrete_fields
            }
            assert not event._state.adding

    def test_fills_in_what_a_column_says_of_itself(self, device: Device) -> None:
        pin = Pin(device=device, secret=Secret("4711"), digest="d", label="Anna")
        PreparedInsert(Pin)(pin)
        found = Pin.objects.get(pk=pin.pk)
        assert (found.secret.reveal(), found.created_at) == ("4711", pin.created_at)


class TestRowsOf:
    def test_are_full_instances_with_what_else_was_asked(self, device: Device) -> None:
        pin = factories.PinFactory(device=device)
        as_id = UUIDField().get_db_prep_value(device.pk, connection)
        of_lock = f"SELECT {columns_of(Pin)}, 7 FROM devices_pin WHERE device_id = %s"  # noqa: S608  names of ours
        (found,) = rows_of(Pin, of_lock, [as_id], also=["lucky"])
        assert found.lucky == 7  # type: ignore[attr-defined]
        for field in Pin._meta.concrete_fields:
            assert getattr(found, field.attname) == getattr(pin, field.attname), field.attname
        found.label = "Ben"
        found.save()
        assert Pin.objects.get().label == "Ben"
        pin.delete()
        assert rows_of(Pin, of_lock, [as_id], also=["lucky"]) == []
