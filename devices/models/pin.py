"""One PIN on one lock: what is wanted of it, and what was seen of it there.

Services write what is wanted; the holder of the lock's lease alone writes what was seen. A Pin knows no guests and
no pools.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import models
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from devices.models.device import Device
from devices.providers.base import Window, covers
from portal.secret import SecretField

# What the indexes of a few rows are about, word for word as in their conditions.
ON_LOCK = ("writing", "unknown", "sent", "set", "removing")
NOT_PURSUED = ("tolerated", "absent")
UNWRITTEN = ("planned", "gone")
UNSETTLED = ("unknown", "writing", "removing")
READ_BACK = ("set", "sent")
SEEN_OTHERWISE = (
    models.Q(seen_until__lt=models.F("wanted_until"))
    | models.Q(seen_until__isnull=False, wanted_until__isnull=True)
    | models.Q(seen_from__gt=models.F("wanted_from"))
    | models.Q(seen_from__isnull=False, wanted_from__isnull=True)
)


class PinQuerySet(models.QuerySet["Pin"]):
    def among(self, statuses: Sequence[str], wanted: Sequence[str] = ()) -> "PinQuerySet":
        """Of these, with the words in the statement itself: by parameters SQLite knows no index of a few rows again."""
        found = self.filter(status__in=[_literal(word) for word in statuses])
        return found.filter(wanted__in=[_literal(word) for word in wanted]) if wanted else found

    def perhaps_due_ids(self, at: datetime, *, may_land: timedelta) -> set[int]:
        """All that have work due by then, and some that have not. Each kind by an index of its own: they are few.

        `may_land`: how long after a write without an answer its PIN is looked at again.
        """
        unwritten = self.among(UNWRITTEN, ["present"])
        kinds = [
            unwritten.filter(program_at__isnull=True),
            unwritten.filter(program_at__isnull=False, program_at__lte=at),
            self.among(UNSETTLED),
            self.among(READ_BACK, ["present"]).filter(SEEN_OTHERWISE),
            self.among(["set"]).filter(unknown_at__isnull=False, unknown_at__lte=at - may_land),
        ]
        found = {pk for kind in kinds for pk in kind.values_list("pk", flat=True)}
        return found.union(self.leaving_ids(), self.outstaying_ids(at))

    def maybe_on_lock(self) -> "PinQuerySet":
        """Those that may open the door now: written or being written, and not proven gone."""
        return self.filter(status__in=MAYBE_ON_LOCK)

    def leaving_ids(self) -> list[int]:
        """Those that nothing puts on the lock any more, and that may open the door still: few, by their own index.

        Asked for first: inside a larger query PostgreSQL thinks that they are many.
        """
        return list(self.among(ON_LOCK, NOT_PURSUED).values_list("pk", flat=True))

    def outstaying_ids(self, until: datetime) -> list[int]:
        """Those that are still wanted on their lock, may be there, and were wanted no longer than that."""
        over = self.among(ON_LOCK, ["present"]).filter(wanted_until__isnull=False, wanted_until__lte=until)
        return list(over.values_list("pk", flat=True))

    def alive(self) -> "PinQuerySet":
        """Those still wanted, and those that may be on the lock all the same: their digits are taken."""
        return self.filter(~models.Q(wanted=Pin.Wanted.ABSENT) | models.Q(status__in=MAYBE_ON_LOCK))

    def in_hand(self) -> "PinQuerySet":
        """Those, and those that are not wanted any more and were not written, or not again: a turn closes them."""
        open_ = models.Q(status__in=[*MAYBE_ON_LOCK, *UNWRITTEN])
        return self.filter(~models.Q(wanted=Pin.Wanted.ABSENT) | open_)


class Pin(models.Model):
    """Digits on a lock. They never change once written: other digits are another Pin."""

    class Wanted(models.TextChoices):
        PRESENT = "present", _("On the lock")  # the engine puts it there and puts it back
        TOLERATED = (
            "tolerated",
            _("May stay"),
        )  # never written again, left there if found until `wanted_until`
        ABSENT = "absent", _("Off the lock")  # the engine takes it off

    class Status(models.TextChoices):
        PLANNED = "planned", _("Planned")  # never attempted, or proven not to have landed
        WRITING = "writing", _("Being written")  # the intent, before the call
        UNKNOWN = "unknown", _("Not known")  # a write ended without an answer: it may be on the lock
        SENT = "sent", _("Sent")  # accepted by a lock that cannot be read
        SET = "set", _("Set")  # read back from the lock
        REMOVING = "removing", _("Being removed")  # may still open the door
        REFUSED = "refused", _("Refused")  # the lock said no, for good
        GONE = "gone", _("Gone")  # was set, and read as missing
        REMOVED = "removed", _("Removed")  # taken off, and read as empty
        WITHDRAWN = "withdrawn", _("Withdrawn")  # never attempted and not wanted any more

    class Trouble(models.TextChoices):
        """Why the last try failed, in words a manager reads."""

        NONE = "", ""
        OFFLINE = "offline", _("the lock is offline")
        NO_ANSWER = "no_answer", _("the lock did not answer")
        FULL = "full", _("the lock is full")
        DUPLICATE = "duplicate", _("the lock has this PIN already")
        REJECTED = "rejected", _("the lock refused the PIN")
        INVALID = "invalid", _("the PIN breaks the lock's rules")
        UNSUPPORTED = "unsupported", _("this lock cannot do that")
        NOT_STORED = "not_stored", _("the lock said yes but did not store it")
        PROVIDER = "provider", _("the lock maker's system has errors")

    class Priority(models.IntegerChoices):
        PERSON = 0, _("Somebody waits for it")
        SPARE = 1, _("A spare")

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="pins")
    secret = SecretField()
    digest = models.CharField(max_length=64)  # keyed, of the lock's canonical form: on a Kwikset 1357 is 2468
    label = models.CharField(max_length=60)  # carries a short unique id, so it is found again by label
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.PERSON)
    slot = models.PositiveIntegerField(null=True, blank=True)
    code_id = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    # wanted: services write these
    wanted = models.CharField(max_length=10, choices=Wanted, default=Wanted.PRESENT)
    wanted_from = models.DateTimeField(null=True, blank=True)  # null: at once
    wanted_until = models.DateTimeField(null=True, blank=True)  # null: for good
    program_at = models.DateTimeField(null=True, blank=True)  # not written earlier; null: at once
    give_up_at = models.DateTimeField(null=True, blank=True)  # not confirmed by then: somebody else's turn

    # seen: the lease holder writes these
    status = models.CharField(max_length=10, choices=Status, default=Status.PLANNED)
    seen_from = models.DateTimeField(null=True, blank=True)  # the window on the lock, null: open-ended
    seen_until = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)  # last read back
    unknown_at = models.DateTimeField(null=True, blank=True)  # last write that ended unknown: may land for max_late
    removed_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=20, choices=Trouble, default=Trouble.NONE, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)  # null: whenever wanted

    objects = PinQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device", "digest"],
                name="devices_pin_digits_once",
                condition=models.Q(status__in=["writing", "unknown", "sent", "set", "removing"]),
                violation_error_message=_("This PIN is on the lock already."),
            ),
            models.UniqueConstraint(
                fields=["device", "slot"],
                name="devices_pin_slot_once",
                condition=models.Q(status__in=["writing", "unknown", "sent", "set", "removing"]),
                violation_error_message=_("This place on the lock is taken."),
            ),
            models.UniqueConstraint(
                fields=["device", "code_id"],
                name="devices_pin_code_id_once",
                condition=~models.Q(code_id="")
                & models.Q(status__in=["writing", "unknown", "sent", "set", "removing"]),
                violation_error_message=_("This code on the lock is another PIN's already."),
            ),
            models.CheckConstraint(
                condition=models.Q(
                    status__in=[
                        "planned",
                        "writing",
                        "unknown",
                        "sent",
                        "set",
                        "removing",
                        "refused",
                        "gone",
                        "removed",
                        "withdrawn",
                    ]
                ),
                name="devices_pin_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(wanted__in=["present", "tolerated", "absent"]),
                name="devices_pin_wanted_known",
            ),
        ]
        # Those of a few rows are by a column that is asked for: SQLite does not know of an empty one that it is small.
        indexes = [
            # A turn: the lock's PINs that still matter.
            models.Index(fields=["device", "status"], name="devices_pin_of_device"),
            # The tick: which codes are past their give-up moment?
            models.Index(
                fields=["give_up_at"],
                name="devices_pin_give_up",
                condition=models.Q(give_up_at__isnull=False, wanted="present"),
            ),
            # The sweep: what is to be written by now?
            models.Index(
                fields=["program_at"],
                name="devices_pin_unwritten",
                condition=models.Q(wanted__in=["present"], status__in=["planned", "gone"]),
            ),
            # The sweep: of what is it not known whether it is on its lock?
            models.Index(
                fields=["status"],
                name="devices_pin_not_settled",
                condition=models.Q(status__in=["unknown", "writing", "removing"]),
            ),
            # The sweep: what is on its lock for another time than wanted?
            models.Index(
                fields=["device"],
                name="devices_pin_otherwise",
                condition=models.Q(SEEN_OTHERWISE, wanted__in=["present"], status__in=["set", "sent"]),
            ),
            # The sweep: what is set, and an unanswered write of it could have landed later?
            models.Index(
                fields=["unknown_at"],
                name="devices_pin_in_doubt",
                condition=models.Q(unknown_at__isnull=False, status__in=["set"]),
            ),
            # Warnings and the sweep: what stays longer than it was wanted?
            models.Index(
                fields=["wanted_until"],
                name="devices_pin_outstaying",
                condition=models.Q(
                    wanted_until__isnull=False,
                    wanted__in=["present"],
                    status__in=["writing", "unknown", "sent", "set", "removing"],
                ),
            ),
            # Warnings and the sweep: what should have left its lock, and has not?
            models.Index(
                fields=["wanted"],
                name="devices_pin_to_leave",
                condition=models.Q(
                    wanted__in=["tolerated", "absent"],
                    status__in=["writing", "unknown", "sent", "set", "removing"],
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def window(self) -> Window:
        """When it is wanted to open the door."""
        return Window(self.wanted_from, self.wanted_until)

    @property
    def seen_window(self) -> Window:
        """When it opens the door, as last seen on the lock."""
        return Window(self.seen_from, self.seen_until)

    @property
    def maybe_on_lock(self) -> bool:
        return self.status in MAYBE_ON_LOCK

    @property
    def believed(self) -> bool:
        """On the lock, as it said itself when it was last asked (or it is a lock that never says)."""
        return self.status in READ_BACK

    @property
    def confirmed(self) -> bool:
        """Believed to be on the lock for all of its wanted window."""
        return self.believed and covers(self.seen_from, self.seen_until, self.wanted_from, self.wanted_until)


def _literal(word: str) -> RawSQL:
    return RawSQL(f"'{word}'", [])  # noqa: S611  one of the words above


MAYBE_ON_LOCK = frozenset(
    {Pin.Status.WRITING, Pin.Status.UNKNOWN, Pin.Status.SENT, Pin.Status.SET, Pin.Status.REMOVING}
)
