"""What is wrong with this installation, and what to do about it. Reads only."""

from codes.doctor.examination import examine
from codes.doctor.finding import Finding, State

__all__ = ["Finding", "State", "examine"]
