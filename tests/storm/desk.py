"""Where guests are checked in at the same time as at others: `python -m tests.storm.desk LOCK…`.

A process of its own, so that who measures the waits is not kept from it by booking. Begins at a line on standard input.
"""

import sys
from datetime import timedelta

import django

django.setup()

from django.utils import timezone  # noqa: E402

from codes.services import add_code  # noqa: E402
from devices.models import Device  # noqa: E402


def main(pks: list[str]) -> None:
    """A guest who stays already, on each of these locks, booked this moment."""
    devices = list(Device.objects.filter(pk__in=pks).select_related("property__workspace", "hub"))
    sys.stdin.readline()
    starts = timezone.now() - timedelta(minutes=1)
    for device in devices:
        add_code(device=device, name="Guest", kind="time_bound", starts_at=starts, ends_at=starts + timedelta(days=2))


if __name__ == "__main__":
    main(sys.argv[1:])
