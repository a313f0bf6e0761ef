"""Showing a PIN is asked for on purpose, written down, and changes what may become of that PIN."""

from datetime import timedelta

from codes.models import CodePin
from codes.services import cancel_code, pull_backup, reveal
from devices.models import Device, Event, Pin
from tests.engine import backup, fault, fill_pool, guest, own, settle


def test_it_shows_the_pin_that_opens_and_writes_down_who_saw_it(device: Device, alice) -> None:
    code = guest(device)
    settle(device)
    assert reveal(code, actor=alice) == own(code).secret
    event = Event.objects.get(type=Event.Type.CODE_REVEALED)
    assert (event.actor, event.subject) == (alice, code.pk)
    assert CodePin.objects.get(code=code).revealed_at is not None


def test_it_shows_the_backup_of_a_covered_code(device: Device, alice) -> None:
    fill_pool(device)
    code = guest(device)
    pull_backup(code)
    assert reveal(code, actor=alice) == backup(code).secret


def test_the_first_time_stays(device: Device, alice, bob) -> None:
    code = guest(device)
    settle(device)
    reveal(code, actor=alice)
    first = CodePin.objects.get(code=code).revealed_at
    reveal(code, actor=bob)
    assert CodePin.objects.get(code=code).revealed_at == first
    assert Event.objects.filter(type=Event.Type.CODE_REVEALED).count() == 2


def test_it_shows_nothing_while_no_pin_works(device: Device, alice) -> None:
    fault(device, "unreachable")
    code = guest(device)
    settle(device)
    assert reveal(code, actor=alice) is None
    assert not Event.objects.filter(type=Event.Type.CODE_REVEALED).exists()


def test_it_shows_nothing_of_a_code_that_ended_since_the_page_was_opened(device: Device, alice) -> None:
    code = guest(device, starts=timedelta(hours=-1))
    settle(device)
    cancel_code(code)
    assert reveal(code, actor=alice) is None  # `code` is as the page knew it


def test_a_pin_shown_just_before_the_cover_stays(device: Device, alice) -> None:
    fill_pool(device)
    code = guest(device)
    settle(device)
    reveal(code, actor=alice)
    pull_backup(code)
    assert own(code).wanted == Pin.Wanted.TOLERATED
