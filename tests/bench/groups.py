"""The groups of figures, in the order of the table: which module measures them, and on which database."""

from dataclasses import dataclass
from enum import Enum


class On(Enum):
    """Where a group is measured."""

    EITHER = "either"  # PostgreSQL if there is one, else SQLite
    BOTH = "both"  # in a quick run, either
    POSTGRES = "postgres"
    NOWHERE = "nowhere"  # it needs no database, or starts its own


@dataclass(frozen=True, slots=True)
class Group:
    """`figures` are told without a measurement where it cannot be made: title and goal.

    One that has `two` databases finds the other as SECOND_DATABASE_URL.
    """

    name: str
    on: On
    figures: tuple[tuple[str, str], ...] = ()
    two: bool = False

    @property
    def module(self) -> str:
        return f"tests.bench.{self.name}"


GROUPS = (
    Group("pages", On.EITHER),
    Group("polls", On.EITHER),
    Group("growth", On.BOTH, two=True),
    Group(
        "programming",
        On.POSTGRES,
        (("PINs programmed a second, lock latency 0, 2 workers", "≥ 0.4 ×"),),
    ),
    Group(
        "waiting",
        On.POSTGRES,
        (
            ("locks of 0.5 s an operation, all due at once", "≤ 1.2 ×"),
            ("the same with uneven locks (0.1–1.8 s)", "≤ 1.4 ×"),
            ("the same, one task a lock", "≥ 8 ×"),
        ),
    ),
    Group(
        "urgent",
        On.POSTGRES,
        (
            ("lock refuses → link shows the backup, p50", "≤ 0.3 s"),
            ("lock refuses → link shows the backup, p99", "≤ 1 s"),
        ),
    ),
    Group("draws", On.POSTGRES, (("500 check-ins refused at once, 500 pools", "≤ 3 ×"),)),
    Group("zwave", On.NOWHERE),
    Group("hosts", On.POSTGRES, (("lock turns a second with a second host, 50 ms locks", "≥ 1.7 ×"),)),
    Group("memory", On.NOWHERE),
    Group("bytes", On.EITHER),
)
NAMES = tuple(group.name for group in GROUPS)
