"""What may be done with properties, and how their list is found. Changing a zone moves stays: see `codes.zones`."""

from typing import TypedDict, Unpack

from django.db.models import Count, Q, QuerySet
from django_stubs_ext import WithAnnotations

from devices.models import Device, Property
from portal.models import Workspace


class Details(TypedDict):
    """What people write about a property, besides its zone."""

    name: str
    address: str
    guest_phone: str
    if_nothing_works: str


class Locks(TypedDict):
    locks: int


type CountedPlaces = QuerySet[WithAnnotations[Property, Locks]]


def add_property(workspace: Workspace, *, time_zone: str, **details: Unpack[Details]) -> Property:
    """Add a place to a workspace. Raises ValidationError, for an unknown zone among others."""
    place = Property(workspace=workspace, time_zone=time_zone, **details)
    place.full_clean()
    place.save()
    return place


def change_property(place: Property, **details: Unpack[Details]) -> None:
    """Change what is written about a place; its zone stays. Raises ValidationError."""
    for name, value in details.items():
        setattr(place, name, value)
    place.full_clean()
    place.save(update_fields=[*details])


def properties_of(workspace: Workspace) -> CountedPlaces:
    """The workspace's properties by name, each with `locks`, how many it has."""
    kept = Count("devices", filter=~Q(devices__removal=Device.Removal.REMOVED))
    return Property.objects.filter(workspace=workspace).annotate(locks=kept).order_by("name", "pk")


def usual_zone(workspace: Workspace) -> str:
    """The zone most of the workspace's properties are in; "" while it has none."""
    zones = Property.objects.filter(workspace=workspace).values("time_zone").annotate(count=Count("pk"))
    most = zones.order_by("-count", "time_zone").first()
    return str(most["time_zone"]) if most else ""
