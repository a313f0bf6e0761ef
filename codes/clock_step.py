"""The clock was put back: what a clock that ran ahead wrote down must not hold anybody up.

Retries rest until a moment, and stays end at one. If the machine's clock was hours ahead and is set right, those
moments lie hours away, or came too early. Leases and queue marks heal by themselves: they go by the database's
clock and count for their maximum at most.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django_q.models import Schedule

from codes.models import AccessCode
from codes.services import resume_code
from devices.models import Device, Hub, Pin
from portal.clock import now
from portal.models import Heartbeat

logger = logging.getLogger(__name__)

NOTICED = timedelta(minutes=1)


class ClockWatch:
    """Whether this machine's clock was put back since the last look, seen against the clock that nobody sets.

    At the first look the tick's last beat stands in for it: it may have been written before the machine was restarted.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._ahead: timedelta | None = None  # of the wall's clock over the steady one

    def mind(self) -> None:
        """Look, and set right what must be."""
        if self.was_put_back():
            set_right()

    def was_put_back(self) -> bool:
        at = now()
        ahead = timedelta(seconds=at.timestamp() - self._steady())
        if self._ahead is None:
            back = Heartbeat.objects.filter(name="tick", beat_at__gt=at + NOTICED).exists()
        else:
            back = self._ahead - ahead > NOTICED
        self._ahead = ahead
        return back


def set_right() -> None:
    """Make everything that waits for a moment of the fast clock due now, and let stays go on that it ended."""
    at = now()
    logger.warning("the clock was put back: locks are looked at anew, stays that were ended too early go on")
    Pin.objects.filter(unknown_at__gt=at).update(unknown_at=at)  # it may land for as long from now, at the latest
    Pin.objects.filter(next_attempt_at__gt=at).update(next_attempt_at=at)
    Hub.objects.filter(probe_at__gt=at).update(probe_at=at)
    Device.objects.filter(read_at__gt=at).update(read_wanted=True)
    kept = Device.objects.exclude(removal=Device.Removal.REMOVED)
    kept.filter(Q(next_sync_at__gt=at) | Q(read_at__gt=at)).update(next_sync_at=at, version=F("version") + 1)
    Schedule.objects.filter(next_run__gt=at).update(next_run=at)
    for code in ended_too_early(at):
        resume_code(code)


def ended_too_early(at: datetime) -> QuerySet[AccessCode]:
    """Stays that a fast clock closed, with their time not over."""
    closed = AccessCode.objects.filter(ended_at__gt=at, ends_at__gt=at, cancelled_at=None)
    return closed.filter(device__removal=Device.Removal.KEPT).select_related("device")
