"""Properties, hubs and locks from a file: all of it, or nothing."""

from devices.importing.bringing_in import Brought, Change, Step, bring_in
from devices.importing.sheet import COLUMNS, Problem, Row, read_sheet

__all__ = ["COLUMNS", "Brought", "Change", "Problem", "Row", "Step", "bring_in", "read_sheet"]
