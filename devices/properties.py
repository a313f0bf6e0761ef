"""What may be done with properties, and how their list is found. Changing a zone moves stays: see `codes.zones`."""

from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django_stubs_ext import WithAnnotations

from devices.activity import record_place
from devices.models import Device, Event, Property
from portal.models import User, Workspace


class Details(TypedDict):
    """What people write about a property, besides its zone."""

    name: str
    address: str
    guest_phone: str
    if_nothing_works: str


class Locks(TypedDict):
    locks: int


type CountedPlaces = QuerySet[WithAnnotations[Property, Locks]]


def add_property(
    workspace: Workspace, *, time_zone: str, actor: User | None = None, **details: Unpack[Details]
) -> Property:
    """Add a place to a workspace. Raises ValidationError, for an unknown zone among others."""
    place = Property(workspace=workspace, time_zone=time_zone, **details)
    place.full_clean()
    with transaction.atomic():
        place.save()
        record_place(place, Event.Type.PROPERTY_ADDED, actor=actor)
    return place


def change_property(place: Property, *, actor: User | None = None, **details: Unpack[Details]) -> None:
    """Change what is written about a place; its zone stays. Raises ValidationError.

    The activity names what was changed, and the old name; a team's notes are not copied there.
    """
    with transaction.atomic():
        before = Property.objects.select_for_update().get(pk=place.pk)
        for name, value in details.items():
            setattr(place, name, value)
        place.full_clean()
        changed = [name for name in details if getattr(before, name) != getattr(place, name)]
        if not changed:
            return
        place.save(update_fields=changed)
        record_place(place, Event.Type.PROPERTY_CHANGED, actor=actor, was=before.name, changed=changed)


def properties_of(workspace: Workspace) -> CountedPlaces:
    """The workspace's properties by name, each with `locks`, how many it has."""
    kept = Count("devices", filter=~Q(devices__removal=Device.Removal.REMOVED))
    return Property.objects.filter(workspace=workspace).annotate(locks=kept).order_by("name", "pk")


def usual_zone(workspace: Workspace) -> str:
    """The zone most of the workspace's properties are in; "" while it has none."""
    zones = Property.objects.filter(workspace=workspace).values("time_zone").annotate(count=Count("pk"))
    most = zones.order_by("-count", "time_zone").first()
    return str(most["time_zone"]) if most else ""
