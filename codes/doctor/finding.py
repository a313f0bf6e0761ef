"""What an examination says: one fact, how bad it is, and its remedy."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    NOTE = "note"  # works, and somebody may want to know
    WRONG = "wrong"  # needs somebody
    SKIPPED = "skipped"  # could not be looked at, for another finding's reason


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact. Never a secret, a PIN or a password in it."""

    area: str
    state: State
    says: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        return {"area": self.area, "state": self.state.value, "says": self.says, "remedy": self.remedy}


def ok(area: str, says: str) -> Finding:
    return Finding(area, State.OK, says)


def note(area: str, says: str, remedy: str) -> Finding:
    return Finding(area, State.NOTE, says, remedy)


def wrong(area: str, says: str, remedy: str) -> Finding:
    return Finding(area, State.WRONG, says, remedy)


def ago(span: timedelta) -> str:
    """`14 s`, `3 min`, `5 h`, `2 days`: whole, rounded down."""
    total = max(int(span.total_seconds()), 0)
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if total >= size * (2 if unit == "days" else 1):
            return f"{total // size} {unit}"
    return f"{total} s"
