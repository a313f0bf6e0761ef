"""Which lock somebody means who types its name. For commands. Reads only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from devices.models import Device
from portal.near import near

LISTED = 8


class NotFound(Exception):
    """No lock, or more than one, is meant. Its text says what was looked up and what is there instead."""


@dataclass(frozen=True, slots=True)
class Called:
    """What a lock may be called by."""

    pk: UUID
    lock_ref: str
    door: str
    place: str
    workspace: str

    @property
    def full(self) -> str:
        return f"{self.place} / {self.door}"

    def goes_by(self, fold: str) -> bool:
        names = (self.door, self.full, f"{self.workspace} / {self.full}")
        return fold in (name.casefold() for name in names)


def locks_called(names: Iterable[str]) -> list[Device]:
    """The locks meant, each once, in the order they were named; with property, workspace and hub. Raises NotFound.

    A name is a lock's id, its reference at the hub, its door's name, "Property / Door", or the same after its
    workspace's name.
    """
    known = _known()
    meant = list(dict.fromkeys(_meant(name, known) for name in names))
    found = Device.objects.select_related("property__workspace", "hub").in_bulk(meant)
    return [found[pk] for pk in meant if pk in found]


def full_name(device: Device) -> str:
    """`Lakeview Cottage / Front door`: what the lock can be named by in a command again."""
    return f"{device.property.name} / {device.name}"


def _known() -> list[Called]:
    rows = Device.objects.exclude(removal=Device.Removal.REMOVED).order_by("property__name", "name", "pk")
    fields = ("pk", "lock_ref", "name", "property__name", "property__workspace__name")
    return [Called(*row) for row in rows.values_list(*fields)]


def _meant(words: str, known: Sequence[Called]) -> UUID:
    typed = words.strip()
    fold = " / ".join(part.strip() for part in typed.split("/")).casefold()
    looks = (
        lambda one: str(one.pk) == typed.lower(),
        lambda one: one.lock_ref == typed,
        lambda one: one.goes_by(typed.casefold()) or one.goes_by(fold),
    )
    for look in looks:
        meant = [one for one in known if look(one)]
        if len(meant) == 1:
            return meant[0].pk
        if meant:
            raise NotFound(_ambiguous(words, meant))
    raise NotFound(_unknown(words, known))


def _ambiguous(words: str, meant: Sequence[Called]) -> str:
    lines = [f"  {one.pk}  {one.workspace} / {one.full}" for one in meant[:LISTED]]
    more = [f"  and {len(meant) - LISTED} more"] if len(meant) > LISTED else []
    return "\n".join([f"{len(meant)} locks are called “{words}”. Name one by its id:", *lines, *more])


def _unknown(words: str, known: Sequence[Called]) -> str:
    if not known:
        return "There are no locks yet. Add a hub in the portal, or see manage.py import_locks --help."
    said = (
        f"No lock is called “{words}”. Looked up as id, lock reference, door name, “Property / Door” and "
        f"“Workspace / Property / Door” among {len(known)} locks."
    )
    if removed := _removed(words):
        return f"{said} {removed}"
    names = [name for one in known for name in (one.full, one.door, one.lock_ref)]
    alike = near(words, names)
    lines = [f"  {name}" for name in alike or sorted({one.full for one in known})[:LISTED]]
    return "\n".join([f"{said} {'Near it:' if alike else 'There are, for instance:'}", *lines])


def _removed(words: str) -> str:
    """That it was removed, if somebody names it as it was."""
    gone = Device.objects.filter(removal=Device.Removal.REMOVED).select_related("property")
    fold = words.strip().casefold()
    for device in gone:
        if fold in (str(device.pk), device.lock_ref.casefold(), device.name.casefold(), full_name(device).casefold()):
            when = f" on {device.removed_at:%d %b %Y}" if device.removed_at else ""
            return f"A lock of that name was removed from the portal{when}; it is not spoken to any more."
    return ""
