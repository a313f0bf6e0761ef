"""The promises the database itself keeps, tried from below: raw writes and two connections, no service between.

I1: a PIN is never given to two guests. I5: a code's window fits its kind.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import ProtectedError
from django.utils import timezone

from backups.models import BackupCode
from codes.models import AccessCode, CodePin
from devices.models import Device, Hub, Pin
from tests import factories
from tests.raw import race, refused


class TestI1NeverGivenTwice:
    """A PIN is one guest's for good."""

    @pytest.fixture
    def given(self, device: Device) -> CodePin:
        return factories.CodePinFactory(code__device=device, ended_at=timezone.now())

    def test_to_a_second_guest(self, device: Device, given: CodePin) -> None:
        with refused():
            factories.CodePinFactory(code__device=device, pin=given.pin)

    def test_to_the_same_guest_again(self, given: CodePin) -> None:
        with refused():
            factories.CodePinFactory(code=given.code, pin=given.pin, role=CodePin.Role.BACKUP)

    def test_by_changing_whose_it_is(self, device: Device, given: CodePin) -> None:
        other = factories.CodePinFactory(code__device=device)
        with refused():
            CodePin.objects.filter(pk=other.pk).update(pin=given.pin)

    def test_as_two_spares(self, device: Device) -> None:
        spare = factories.BackupCodeFactory(pool__device=device, position=1, retired_at=timezone.now())
        with refused():
            factories.BackupCodeFactory(pool=spare.pool, pin=spare.pin, position=2)

    @pytest.mark.parametrize("role", CodePin.Role)
    def test_a_code_holds_one_of_each_role(self, device: Device, role: str) -> None:
        open_one = factories.CodePinFactory(code__device=device, role=role)
        with refused():
            factories.CodePinFactory(code=open_one.code, role=role)
        CodePin.objects.filter(pk=open_one.pk).update(ended_at=timezone.now())
        factories.CodePinFactory(code=open_one.code, role=role)

    @pytest.mark.django_db(transaction=True)
    def test_two_connections_give_one_spare(self, device: Device) -> None:
        spare = factories.BackupCodeFactory(pool__device=device)
        guests = factories.AccessCodeFactory.create_batch(2, device=device)

        def give(guest: AccessCode) -> Callable[[], Any]:
            return lambda: CodePin.objects.create(
                code=guest, pin=spare.pin, role=CodePin.Role.BACKUP, given_at=timezone.now()
            )

        assert race(*map(give, guests)) == 1
        assert CodePin.objects.filter(pin=spare.pin).count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_two_connections_draw_one_spare(self, device: Device) -> None:
        spare = factories.BackupCodeFactory(pool__device=device)
        won: list[int] = []

        def draw() -> None:
            won.append(BackupCode.objects.filter(pk=spare.pk, drawn_at=None).update(drawn_at=timezone.now()))

        race(draw, draw)
        assert sorted(won) == [0, 1]

    def test_what_was_given_is_not_deleted(self, given: CodePin, device: Device) -> None:
        spare = factories.BackupCodeFactory(pool__device=device)
        for row in (given, given.code, spare):
            with pytest.raises(TypeError, match="never"):
                row.delete()

    def test_nor_swept_away_with_what_it_hangs_on(self, given: CodePin, device: Device) -> None:
        factories.BackupCodeFactory(pool__device=device)
        for rows in (Pin.objects, AccessCode.objects, Device.objects, Hub.objects):
            with pytest.raises((ProtectedError, TypeError)):
                rows.all().delete()
        assert CodePin.objects.count() == 1
        assert BackupCode.objects.count() == 1


class TestI5WindowFitsKind:
    """Time-bound: both ends, the end after the start. Ongoing: neither."""

    WRONG = [
        ("time_bound", None, None),
        ("time_bound", 0, None),
        ("time_bound", None, 0),
        ("time_bound", 0, 0),
        ("time_bound", 1, 0),
        ("ongoing", 0, 1),
        ("ongoing", 0, None),
        ("ongoing", None, 1),
        ("", None, None),
        ("", 0, 1),
        ("for_ever", None, None),
    ]

    @staticmethod
    def window(kind: str, starts: int | None, ends: int | None) -> dict[str, Any]:
        base = timezone.now()
        at = [None if day is None else base + timedelta(days=day) for day in (starts, ends)]
        return {"kind": kind, "starts_at": at[0], "ends_at": at[1]}

    @pytest.mark.parametrize(("kind", "starts", "ends"), WRONG)
    def test_created(self, device: Device, kind: str, starts: int | None, ends: int | None) -> None:
        with refused():
            AccessCode.objects.create(
                device=device, name="Ana", changed_at=timezone.now(), **self.window(kind, starts, ends)
            )

    @pytest.mark.parametrize(("kind", "starts", "ends"), WRONG)
    @pytest.mark.parametrize("ongoing", [False, True])
    def test_changed(self, device: Device, ongoing: bool, kind: str, starts: int | None, ends: int | None) -> None:
        code = factories.AccessCodeFactory(device=device, ongoing=ongoing)
        with refused():
            AccessCode.objects.filter(pk=code.pk).update(**self.window(kind, starts, ends))

    @pytest.mark.parametrize(("kind", "starts", "ends"), [("time_bound", 0, 1), ("ongoing", None, None)])
    def test_what_fits_passes(self, device: Device, kind: str, starts: int | None, ends: int | None) -> None:
        code = factories.AccessCodeFactory(device=device)
        assert AccessCode.objects.filter(pk=code.pk).update(**self.window(kind, starts, ends)) == 1
