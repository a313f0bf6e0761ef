"""What single cells of a row must say, and which cell a model's refusal is about."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db.models import Model

from devices.importing.sheet import Row
from devices.models import Device, Hub, Property
from devices.properties import Details

DETAILS = ("address", "guest_phone", "if_nothing_works")
COLUMN_OF: dict[type[Model], dict[str, str]] = {  # a model's field: the column it is written in
    Property: {"name": "property"},
    Hub: {"name": "hub", "address": "hub_address", "__all__": "hub_address"},
    Device: {"name": "lock", "__all__": "lock_ref"},
}


class Wrong(Exception):
    """Cells that cannot be taken as they are: pairs of a column and what is wrong there."""

    def __init__(self, *cells: tuple[str, str]) -> None:
        super().__init__("; ".join(words for _, words in cells))
        self.cells = cells


def refused_by(model: type[Model], error: ValidationError) -> Wrong:
    """Everything the model refuses, each at the column it is written in."""
    columns = COLUMN_OF[model]
    return Wrong(*((columns.get(name, name), " ".join(words)) for name, words in error.message_dict.items()))


def provider_of(row: Row) -> str:
    """The kind of hub, by value or by its name in the portal."""
    text = row["provider"]
    for value, label in Hub.Provider.choices:
        if text.casefold() in (value, str(label).casefold()):
            return str(value)
    kinds = " or ".join(Hub.Provider.values)
    raise Wrong(("provider", f"“{text}” is no kind of hub: write {kinds}" if text else f"this is empty: write {kinds}"))


def details_of(row: Row) -> Details:
    return {
        "name": row["property"],
        "address": row["address"],
        "guest_phone": row["guest_phone"],
        "if_nothing_works": row["if_nothing_works"],
    }


def same_as_before(row: Row, before: Row) -> None:
    """Later lines of a property may leave its columns empty, or say the same once more."""
    said = [column for column in ("time_zone", *DETAILS) if row[column] and row[column] != before[column]]
    if said:
        raise Wrong(*((column, f"line {before.line} says something else of this property") for column in said))


def check_lock(row: Row) -> None:
    """A lock's own cells: there, and not too long."""
    needed = [(column, "this is empty: a lock needs lock_ref and lock") for column in ("lock_ref", "lock")]
    if empty := [(column, words) for column, words in needed if not row[column]]:
        raise Wrong(*empty)
    texts = {"name": row["lock"], **{column: row[column] for column in ("lock_ref", "make", "model")}}
    try:
        Device(**texts).clean_fields(exclude=["property", "hub", "capabilities", "unmanaged"])
    except ValidationError as error:
        raise refused_by(Device, error) from None


def otherwise(row: Row, there: dict[str, str], columns: Sequence[str]) -> str:
    """In a few words what the row says otherwise than what is there; "" if nothing."""
    differs = [column for column in columns if row[column] and row[column].casefold() != there[column].casefold()]
    return f"other {', '.join(differs)} in the file" if differs else ""
