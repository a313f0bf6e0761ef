"""One line of the benchmark: what was measured, what it is held against, and the goal."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """`ours` and `against` in `unit`; `ratio` is ours ÷ against. None: not measured, `note` says why."""

    figure: str
    ours: float | None
    against: float | None
    ratio: float | None
    goal: str
    met: bool | None
    unit: str = ""
    peer: str = ""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def at_most(figure: str, ours: float, against: float, goal: float, *, unit: str, peer: str, note: str = "") -> Figure:
    """Ours may take so many times what the peer takes."""
    ratio = ours / against
    return Figure(figure, ours, against, ratio, f"≤ {goal:g} ×", ratio <= goal, unit, peer, note)


def at_least(figure: str, ours: float, against: float, goal: float, *, unit: str, peer: str, note: str = "") -> Figure:
    """Ours is to reach so many times what the peer does."""
    ratio = ours / against
    return Figure(figure, ours, against, ratio, f"≥ {goal:g} ×", ratio >= goal, unit, peer, note)


def within(figure: str, ours: float, limit: float, *, unit: str, peer: str = "", note: str = "") -> Figure:
    """Ours may be so much, whatever others do."""
    return Figure(figure, ours, None, None, f"≤ {limit:g} {unit}", ours <= limit, unit, peer, note)


def unknown(figure: str, goal: str, why: str) -> Figure:
    """What cannot be measured here."""
    return Figure(figure, None, None, None, goal, None, note=why)
