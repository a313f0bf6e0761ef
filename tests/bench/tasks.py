"""What the benchmark's queue runs beside the portal's own tasks."""

from codes.seen import seen
from devices.lease import take
from devices.programming import program
from devices.runner import run


def one_lock(device_id: str) -> None:
    """One lock's turn, and no other beside it: what the portal would do without claiming further due ones."""
    if lease := take(device_id):
        run(program(lease, seen))
