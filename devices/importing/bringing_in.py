"""What a file's rows ask for, held against what is there, and brought in. In one transaction: all of it, or nothing.

Nothing that is there is changed: what the file says otherwise is told, and kept as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from devices.hubs import add_hub
from devices.importing.cells import (
    DETAILS,
    Wrong,
    check_lock,
    details_of,
    otherwise,
    provider_of,
    refused_by,
    same_as_before,
)
from devices.importing.sheet import Problem, Row
from devices.models import Device, Hub, Property
from devices.properties import add_property
from devices.providers.base import LockInfo
from devices.services import add_lock, add_new_locks
from portal.lookup import NotFound, workspace_called
from portal.models import Workspace


class Change(StrEnum):
    ADDED = "added"
    BACK = "comes back"  # a lock that was removed earlier
    SAME = "there already"
    KEPT = "there already, kept as it is"  # and the file says something else


@dataclass(frozen=True, slots=True)
class Step:
    """What one line did with one property, hub or lock."""

    line: int
    what: str
    name: str
    change: Change
    note: str = ""


@dataclass(slots=True)
class Brought:
    """What was brought in, or what is wrong with the file: then nothing was."""

    steps: list[Step] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def added(self, what: str) -> int:
        return sum(step.what == what and step.change in (Change.ADDED, Change.BACK) for step in self.steps)

    @property
    def kept(self) -> list[Step]:
        return [step for step in self.steps if step.change == Change.KEPT]


def bring_in(rows: Sequence[Row], *, workspace: Workspace | None = None, dry_run: bool = False) -> Brought:
    """Bring in all rows, or none if one is wrong. `dry_run`: do all of it, tell what came of it, and take it back.

    `workspace`: the one meant where a row names none. Two imports at once go one after the other. Raises IntegrityError
    if one of the locks is added elsewhere, as by a discovery, at the same moment: nothing was brought in then.
    """
    with transaction.atomic():
        importer = _Importer(workspace)
        for row in rows:
            importer.take(row)
        importer.add_locks()
        if importer.brought.problems or dry_run:
            transaction.set_rollback(True)
    return importer.brought


class _Importer:
    """One run. A row goes on after a wrong cell, with None or a stand-in for what that cell would have given, so that
    everything wrong with a file is told at once, and each thing once: then all is taken back."""

    def __init__(self, workspace: Workspace | None) -> None:
        self.brought = Brought()
        self._usual = workspace
        self._workspaces: dict[str, Workspace | None] = {}  # None: refused on an earlier line
        self._there: dict[UUID, dict[str, list[Property]]] = {}  # a workspace's properties before, by name
        self._known: dict[UUID, dict[str, Device]] = {}  # a hub's locks before, by reference
        self._new: list[tuple[Hub, Property, LockInfo]] = []
        self._properties: dict[tuple[UUID, str], tuple[Property, Row]] = {}
        self._hubs: dict[tuple[str, str], Hub | None] = {}  # by kind and address; None: refused on an earlier line
        self._refused_hubs: set[str] = set()  # their names
        self._locks: dict[tuple[UUID, str], int] = {}

    def take(self, row: Row) -> None:
        """Bring in one row, or note what is wrong with it."""
        workspace = self._tried(row, lambda: self._workspace(row))
        if workspace is None:
            return
        place = self._tried(row, lambda: self._property(row, workspace)) or self._stand_in(row, workspace)
        hub = self._tried(row, lambda: self._hub(row, workspace, place))
        if row["lock_ref"] or row["lock"]:
            self._tried(row, lambda: self._lock(row, place, hub))

    def add_locks(self) -> None:
        """Write the locks that are new, all at once: the transaction is short, however long the file."""
        if not self.brought.problems:
            add_new_locks(self._new)

    def _tried[T](self, row: Row, work: Callable[[], T]) -> T | None:
        try:
            return work()
        except Wrong as wrong:
            self.brought.problems += [Problem(row.line, column, words) for column, words in wrong.cells]
            return None

    def _note(self, row: Row, what: str, name: str, change: Change, note: str = "") -> None:
        self.brought.steps.append(Step(row.line, what, name, change, note))

    def _workspace(self, row: Row) -> Workspace | None:
        name = row["workspace"]
        if name not in self._workspaces:
            self._workspaces[name] = None
            found = self._named(name) if name else self._only()
            self._workspaces[name] = Workspace.objects.select_for_update().get(pk=found.pk)  # one import at a time
        return self._workspaces[name]

    def _named(self, name: str) -> Workspace:
        try:
            found = workspace_called(name)
        except NotFound as error:
            raise Wrong(("workspace", " ".join(str(error).split()))) from None
        if self._usual is not None and found != self._usual:
            raise Wrong(("workspace", f"the call says “{self._usual}”, and this line “{found}”"))
        return found

    def _only(self) -> Workspace:
        if self._usual is not None:
            return self._usual
        some = list(Workspace.objects.all()[:2])
        if len(some) != 1:
            words = "which one? Name it here, or with --workspace" if some else "there is none in the portal yet"
            raise Wrong(("workspace", words))
        return some[0]

    def _property(self, row: Row, workspace: Workspace) -> Property:
        name = row["property"]
        if not name:
            raise Wrong(("property", "this is empty"))
        key = (workspace.pk, name.casefold())
        if key in self._properties:
            place, before = self._properties[key]
            same_as_before(row, before)
            return place
        place = self._existing(workspace, name, row) or self._new_property(workspace, row)
        self._properties[key] = place, row
        return place

    def _stand_in(self, row: Row, workspace: Workspace) -> Property:
        """For a property that was refused: all of this is taken back, and its other lines are no news."""
        key = (workspace.pk, row["property"].casefold())
        if key not in self._properties:
            self._properties[key] = Property.objects.create(workspace=workspace, name="?", time_zone="UTC"), row
        return self._properties[key][0]

    def _existing(self, workspace: Workspace, name: str, row: Row) -> Property | None:
        found = self._properties_of(workspace).get(name.casefold(), [])
        if len(found) > 1:
            raise Wrong(("property", f"{len(found)} properties are called “{name}”: rename one in the portal first"))
        if not found:
            return None
        columns = ("time_zone", *DETAILS)
        note = otherwise(row, {column: getattr(found[0], column) for column in columns}, columns)
        self._note(row, "property", name, Change.KEPT if note else Change.SAME, note)
        return found[0]

    def _properties_of(self, workspace: Workspace) -> dict[str, list[Property]]:
        if workspace.pk not in self._there:
            there = self._there[workspace.pk] = {}
            for place in Property.objects.filter(workspace=workspace):
                there.setdefault(place.name.casefold(), []).append(place)
        return self._there[workspace.pk]

    def _new_property(self, workspace: Workspace, row: Row) -> Property:
        if not row["time_zone"]:
            raise Wrong(("time_zone", "this is empty, and the property is new: write one like Europe/Lisbon"))
        try:
            place = add_property(workspace, time_zone=row["time_zone"], **details_of(row))
        except ValidationError as error:
            raise refused_by(Property, error) from None
        self._note(row, "property", place.name, Change.ADDED)
        return place

    def _hub(self, row: Row, workspace: Workspace, place: Property) -> Hub | None:
        if not row["hub_address"]:
            return self._hub_called(row, workspace)
        provider = provider_of(row)
        key = (provider, row["hub_address"])
        if key not in self._hubs:
            self._hubs[key] = None
            self._refused_hubs.add(row["hub"].casefold())
            self._hubs[key] = self._hub_at(row, workspace, place, provider)
            self._refused_hubs.discard(row["hub"].casefold())
        hub = self._hubs[key]
        if hub is not None and hub.workspace_id != workspace.pk:
            raise Wrong(("hub_address", "this hub belongs to another workspace"))
        return hub

    def _hub_called(self, row: Row, workspace: Workspace) -> Hub | None:
        name = row["hub"]
        if not name and (row["lock_ref"] or row["lock"]):
            raise Wrong(("hub", "this is empty, and the line names a lock: give hub or hub_address"))
        if not name or name.casefold() in self._refused_hubs:
            return None
        found = [hub for hub in Hub.objects.filter(workspace=workspace) if hub.name.casefold() == name.casefold()]
        if len(found) == 1:
            return found[0]
        if found:
            raise Wrong(("hub", f"{len(found)} hubs are called “{name}”: give provider and hub_address instead"))
        raise Wrong(("hub", f"no hub is called “{name}”: give its provider and hub_address, here or on a line before"))

    def _hub_at(self, row: Row, workspace: Workspace, place: Property, provider: str) -> Hub:
        address, listed = row["hub_address"], bool(row["lock_ref"] or row["lock"])
        known = Hub.objects.filter(provider=provider, address=address).first()
        if known is not None and (listed or known.devices.exists() or known.workspace_id != workspace.pk):
            note = otherwise(row, {"hub": known.name}, ["hub"])
            self._note(row, "hub", known.name, Change.KEPT if note else Change.SAME, note)
            return known
        name, discover = row["hub"] or address[:100], not listed
        try:
            hub = add_hub(
                workspace=workspace, provider=provider, name=name, address=address, property=place, discover=discover
            )
        except ValidationError as error:
            raise refused_by(Hub, error) from None
        note = "" if listed else f"its locks are looked for, and put into {place.name}"
        self._note(row, "hub", hub.name, Change.SAME if known else Change.ADDED, note)
        return hub

    def _lock(self, row: Row, place: Property, hub: Hub | None) -> None:
        check_lock(row)
        if hub is None:
            return
        before = self._locks.setdefault((hub.pk, row["lock_ref"]), row.line)
        if before != row.line:
            raise Wrong(("lock_ref", f"the same lock stands on line {before}"))
        known = self._locks_of(hub).get(row["lock_ref"])
        if known and known.removal == Device.Removal.REMOVING:
            raise Wrong(("lock_ref", "this lock is being removed: wait until it is, or take the line out"))
        if known and known.removal == Device.Removal.KEPT:
            there = {"property": known.property.name, "lock": known.name, "make": known.make, "model": known.model}
            note = otherwise(row, there, [*there])
            self._note(row, "lock", known.name, Change.KEPT if note else Change.SAME, note)
            return
        info = LockInfo(lock_ref=row["lock_ref"], name=row["lock"], make=row["make"], model=row["model"])
        if known:
            add_lock(hub=hub, property=place, info=info)
        else:
            self._new.append((hub, place, info))
        name = known.name if known else info.name
        self._note(row, "lock", f"{place.name} / {name}", Change.BACK if known else Change.ADDED)

    def _locks_of(self, hub: Hub) -> dict[str, Device]:
        if hub.pk not in self._known:
            there = Device.objects.filter(hub=hub).select_related("property")
            self._known[hub.pk] = {device.lock_ref: device for device in there}
        return self._known[hub.pk]
