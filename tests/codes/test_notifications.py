"""Warnings by e-mail: one mail for one cause, to the right people, "Resolved" after, never a PIN."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from backups.models import BackupCode, BackupPool
from backups.services import acknowledge
from codes.models import AccessCode, CodePin, Notice, TakenOn
from codes.notifications import notify
from codes.services import cancel_code, reveal
from codes.taken_on import take_on_guest, take_on_lock
from codes.tick import tick
from devices.models import Device, Hub, Pin, Property
from portal.models import Membership, User, Workspace
from portal.outbox import send_due
from tests import factories, scene
from tests.engine import fault, fill_pool, guest, settle

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # Lisbon has the same time
OFFLINE = {"online": Device.Online.NO, "online_since": NOW - timedelta(hours=4)}


class Post:
    """What arrives: `post(seconds)` lets time pass, with a look every few seconds, and gives the new mails."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self.traveller = traveller

    @property
    def mails(self) -> list[EmailMessage]:
        return mail.outbox

    def __call__(self, seconds: float = 40) -> list[EmailMessage]:
        before = len(self.mails)
        step = max(5, seconds / 10)
        for _ in range(int(seconds / step) + 1):
            notify()
            send_due()
            self.traveller.shift(step)
        return self.mails[before:]

    def subjects(self, seconds: float = 40) -> list[str]:
        return sorted({told.subject for told in self(seconds)})


@pytest.fixture
def post(alice: User) -> Iterator[Post]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield Post(traveller)


@pytest.fixture
def pool(device: Device) -> BackupPool:
    return factories.BackupPoolFactory(device=device)


def uncovered(device: Device, name: str = "Ben Okafor", hours: float = 6) -> AccessCode:
    code = scene.guest(device, name, hours=hours, trouble=Pin.Trouble.NO_ANSWER)
    AccessCode.objects.filter(pk=code.pk).update(uncovered_since=timezone.now())
    return code


def pulled(pool: BackupPool, *names: str) -> list[AccessCode]:
    return [scene.covered(pool.device, pool, name, hours=30 + number) for number, name in enumerate(names)]


def of(device: Device, **values: object) -> None:
    Device.objects.filter(pk=device.pk).update(**values)


def exhaust(pool: BackupPool) -> None:
    BackupPool.objects.filter(pk=pool.pk).update(exhausted_since=timezone.now())


# Each cause has its mail


def test_a_guest_without_a_code(post: Post, device: Device) -> None:
    code = uncovered(device)
    (told,) = post()
    assert told.subject == "Act now: no working code for Ben Okafor, Lakeview Cottage Front door, 15:00 WET"
    assert f"/codes/{code.pk}/" in str(told.body)
    assert "Check-in: Mon 23 Nov 15:00 WET." in str(told.body)


def test_an_exhausted_pool(post: Post, device: Device, pool: BackupPool) -> None:
    of(device, **OFFLINE)
    exhaust(pool)
    (told,) = post()
    assert told.subject == "Backup pool exhausted: Lakeview Cottage Front door"
    assert "Likely cause: offline since 05:00." in str(told.body)
    assert f"/devices/{device.pk}/" in str(told.body)


def test_several_pulled(post: Post, device: Device, pool: BackupPool) -> None:
    pulled(pool, "Ben Okafor", "Ana Ruiz")
    (told,) = post()
    assert told.subject == "2 backup codes pulled in 7 days: Lakeview Cottage Front door"
    assert "Ana Ruiz and Ben Okafor are covered." in str(told.body)


@pytest.mark.parametrize(("hours", "when"), [(6, "today 15:00"), (23, "tomorrow 08:00")])
def test_an_offline_lock_with_an_arrival(post: Post, device: Device, hours: float, when: str) -> None:
    of(device, **OFFLINE)
    scene.guest(device, "Chloé Martin", hours=hours, status=Pin.Status.SET)
    (told,) = post()
    assert told.subject == f"Lock offline, guest arrives {when}: Lakeview Cottage Front door"
    assert "the code is on the lock and works without a connection" in str(told.body)


def test_an_offline_lock_without_an_arrival_is_no_news(post: Post, device: Device) -> None:
    of(device, **OFFLINE)
    scene.guest(device, "Chloé Martin", hours=25, status=Pin.Status.SET)
    scene.ongoing(device, "Housekeeping", status=Pin.Status.SET)
    assert post() == []


def test_a_removal_that_is_overdue(post: Post, device: Device) -> None:
    code = scene.guest(device, "Felix Past", hours=-5, status=Pin.Status.REMOVING, wanted=Pin.Wanted.ABSENT)
    AccessCode.objects.filter(pk=code.pk).update(ended_at=NOW)
    CodePin.objects.filter(code=code).update(ended_at=NOW)
    assert post(60) == []
    (told,) = post(120)
    assert told.subject == "Removal overdue, old code may still open: Lakeview Cottage Front door"
    assert "Felix Past’s code should have left Front door" in str(told.body)


def test_a_pin_that_changed_after_it_was_seen(post: Post, device: Device, pool: BackupPool) -> None:
    (code,) = pulled(pool, "Ben Okafor")
    CodePin.objects.filter(code=code, role=CodePin.Role.OWN).update(revealed_at=NOW - timedelta(hours=1))
    (told,) = post(90)
    assert told.subject == "PIN changed after Ben Okafor saw it: Lakeview Cottage Front door"


def test_a_guest_whose_open_page_shows_the_new_pin_needs_no_mail(post: Post, device: Device, pool: BackupPool) -> None:
    (code,) = pulled(pool, "Ben Okafor")
    CodePin.objects.filter(code=code, role=CodePin.Role.OWN).update(revealed_at=NOW - timedelta(hours=1))
    assert post(10) == []
    CodePin.objects.filter(code=code, role=CodePin.Role.BACKUP).update(revealed_at=timezone.now())
    assert post(120) == []


def test_an_ordinary_pull_sends_nothing(post: Post, device: Device) -> None:
    fill_pool(device)
    fault(device, "reject_set")
    code = guest(device)
    settle(device)
    assert code.code_pins.filter(role=CodePin.Role.BACKUP).exists()
    assert post(120) == []


# One cause, one mail


def test_it_is_told_once(post: Post, device: Device, pool: BackupPool) -> None:
    exhaust(pool)
    uncovered(device)
    assert len(post(600)) == 1


def test_what_happens_together_is_told_together(post: Post, device: Device, pool: BackupPool) -> None:
    of(device, **OFFLINE)
    pulled(pool, "Ana Ruiz", "Jonas Keller")
    exhaust(pool)
    uncovered(device)
    uncovered(device, "Chloé Martin", hours=8)
    (told,) = post(300)
    assert told.subject == (
        "Act now: no working code for Ben Okafor, Lakeview Cottage Front door, 15:00 WET (and 1 more guest)"
    )
    for words in ("Chloé Martin has no working code", "No backup codes are ready", "2 backup codes were pulled"):
        assert words in str(told.body)
    assert str(told.body).count("Likely cause") == 1


def test_a_hubs_outage_is_one_mail_and_later_arrivals_are_none(post: Post, place: Property, hub: Hub) -> None:
    locks = factories.DeviceFactory.create_batch(12, property=place, hub=hub)
    Hub.objects.filter(pk=hub.pk).update(down_since=NOW)
    for number, lock in enumerate(locks):
        scene.guest(lock, f"Guest {number}", hours=5 if number < 11 else 24.5)
    (told,) = post()
    assert told.subject.startswith("Lock offline, guest arrives today 14:00: ")
    assert told.subject.endswith("(and 10 more locks)")
    assert post(3600) == []


def test_a_second_guest_without_a_code_is_news(post: Post, device: Device) -> None:
    uncovered(device)
    assert len(post()) == 1
    uncovered(device, "Chloé Martin")
    assert post.subjects() == ["Act now: no working code for Chloé Martin, Lakeview Cottage Front door, 15:00 WET"]


def test_two_processes_tell_it_once(post: Post, device: Device) -> None:
    uncovered(device)
    notify()
    post.traveller.shift(10)
    first, second = (list(Notice.objects.filter(told_at=None)) for _ in range(2))
    assert first == second
    notify()
    Notice.objects.bulk_create([Notice(**{**_values(first[0]), "opened_at": timezone.now()})], ignore_conflicts=True)
    notify()
    assert Notice.objects.count() == 1
    assert len(post(60)) == 1


def _values(notice: Notice) -> dict[str, object]:
    return {name: getattr(notice, name) for name in ("workspace", "kind", "key", "group", "device", "code")}


# Resolved


def test_resolved_follows_once(post: Post, device: Device, pool: BackupPool) -> None:
    exhaust(pool)
    code = uncovered(device)
    post()
    AccessCode.objects.filter(pk=code.pk).update(uncovered_since=None)
    assert post(10) == []  # the pool is about to be well too
    BackupPool.objects.filter(pk=pool.pk).update(exhausted_since=None)
    assert post.subjects(300) == ["Resolved: no working code for Ben Okafor, Lakeview Cottage Front door, 15:00 WET"]
    assert len(post.mails) == 2
    assert "Ben Okafor has a working code" in str(post.mails[-1].body)
    assert "Backup codes are ready again" in str(post.mails[-1].body)


def test_resolved_goes_to_those_who_were_told(
    post: Post, workspace: Workspace, device: Device, alice: User, bob: User
) -> None:
    turn_off(bob, "uncovered")
    code = uncovered(device)
    assert [told.to for told in post()] == [[alice.email]]
    factories.MembershipFactory(workspace=workspace, role=Membership.Role.MANAGER)
    turn_off(bob)
    AccessCode.objects.filter(pk=code.pk).update(uncovered_since=None)
    assert [told.to for told in post(300)] == [[alice.email]]


def test_who_turned_it_off_meanwhile_is_spared_its_end(post: Post, device: Device, alice: User, bob: User) -> None:
    code = uncovered(device)
    assert sorted(told.to for told in post()) == sorted([[alice.email], [bob.email]])
    turn_off(bob, "uncovered")
    AccessCode.objects.filter(pk=code.pk).update(uncovered_since=None)
    assert [told.to for told in post(300)] == [[alice.email]]


def test_who_was_told_only_the_second_time_hears_of_its_end_too(
    post: Post, workspace: Workspace, device: Device, pool: BackupPool, alice: User
) -> None:
    exhaust(pool)
    post()
    acknowledge(pool, actor=alice)
    post(10)
    new = factories.MembershipFactory(workspace=workspace, role=Membership.Role.MANAGER).user
    BackupPool.objects.update(acknowledged_at=None)  # as a pull does
    assert {told.to[0] for told in post()} == {alice.email, new.email}
    BackupPool.objects.update(exhausted_since=None)
    assert {told.to[0] for told in post(300)} == {alice.email, new.email}


def test_who_was_told_only_the_first_time_hears_of_its_end_too(
    post: Post, device: Device, pool: BackupPool, alice: User, bob: User
) -> None:
    exhaust(pool)
    post()
    acknowledge(pool, actor=alice)
    post(10)
    turn_off(bob, "exhausted")
    BackupPool.objects.update(acknowledged_at=None)
    assert [told.to for told in post()] == [[alice.email]]
    turn_off(bob)
    BackupPool.objects.update(exhausted_since=None)
    assert {told.to[0] for told in post(300)} == {alice.email, bob.email}


def test_of_a_warning_from_before_it_was_kept_all_who_hear_such_warnings_hear_the_end(
    post: Post, workspace: Workspace, device: Device, alice: User
) -> None:
    code = uncovered(device)
    post()
    Notice.objects.update(told_to=None)
    new = factories.MembershipFactory(workspace=workspace, role=Membership.Role.MANAGER).user
    AccessCode.objects.filter(pk=code.pk).update(uncovered_since=None)
    assert sorted(told.to for told in post(300)) == sorted([[alice.email], [new.email]])


def test_a_covered_guest_is_not_kept_waiting_for_the_pool(post: Post, device: Device, pool: BackupPool) -> None:
    exhaust(pool)
    code = uncovered(device)
    post()
    AccessCode.objects.filter(pk=code.pk).update(uncovered_since=None)
    assert len(post(180)) == 1
    assert "are ready again" not in str(post.mails[-1].body)


def test_a_cancelled_stay_is_not_said_to_work(post: Post, device: Device) -> None:
    code = uncovered(device)
    post()
    cancel_code(code)
    (told,) = post(60)
    assert told.subject.startswith("Resolved: ")
    assert "is over or cancelled" in str(told.body)


def test_what_passed_before_it_was_told_is_never_told(post: Post, device: Device, pool: BackupPool) -> None:
    exhaust(pool)
    assert post(5) == []
    BackupPool.objects.update(exhausted_since=None)
    assert post(300) == []


def test_a_lock_that_comes_and_goes_is_one_cause(post: Post, device: Device) -> None:
    of(device, **OFFLINE)
    scene.guest(device, "Chloé Martin", hours=6, status=Pin.Status.SET)
    assert len(post()) == 1
    for _ in range(5):
        of(device, online=Device.Online.YES)
        assert post(30) == []
        of(device, **OFFLINE)
        assert post(30) == []
    of(device, online=Device.Online.YES)
    assert post.subjects(180) == ["Resolved: Lock offline, guest arrives today 15:00: Lakeview Cottage Front door"]


def test_an_arrived_guest_does_not_make_the_lock_online(post: Post, device: Device) -> None:
    of(device, **OFFLINE)
    scene.guest(device, "Chloé Martin", hours=1, status=Pin.Status.SET)
    post()
    post.traveller.shift(2 * 3600)
    assert post(300) == []


# I'm on it


def test_taken_on_it_is_quiet_until_something_new(post: Post, device: Device, pool: BackupPool, bob: User) -> None:
    pulled(pool, "Ben Okafor", "Ana Ruiz")
    acknowledge(pool, actor=bob)
    assert post(300) == []
    pulled(pool, "Jonas Keller")
    BackupPool.objects.update(acknowledged_at=None)  # as a pull does
    assert post.subjects() == ["3 backup codes pulled in 7 days: Lakeview Cottage Front door"]
    acknowledge(BackupPool.objects.get(), actor=bob)
    assert post(300) == []
    pulled(pool, "Mei Chen")
    BackupPool.objects.update(acknowledged_at=None)
    assert post.subjects() == ["4 backup codes pulled in 7 days: Lakeview Cottage Front door"]


def test_a_guest_without_a_code_is_told_although_somebody_is_on_it(
    post: Post, device: Device, pool: BackupPool, bob: User
) -> None:
    exhaust(pool)
    acknowledge(pool, actor=bob)
    uncovered(device)
    assert len(post()) == 2  # Alice and Bob


def test_an_uncovered_guest_taken_on_is_told_again_only_if_something_new_happens(
    post: Post, device: Device, bob: User
) -> None:
    code = uncovered(device)
    assert post()
    take_on_guest(code, actor=bob)
    assert post(300) == []
    AccessCode.objects.update(uncovered_since=timezone.now())
    assert len(post()) == 2  # Alice and Bob
    assert post(300) == []


def test_an_offline_lock_taken_on_is_told_again_for_the_next_guest(post: Post, device: Device, bob: User) -> None:
    of(device, **OFFLINE)
    scene.guest(device, "Chloé Martin", hours=6, status=Pin.Status.SET)
    scene.guest(device, "Mei Chen", hours=27, status=Pin.Status.SET)
    assert len(post()) == 2
    device.refresh_from_db()
    take_on_lock(device, TakenOn.About.OFFLINE, actor=bob)
    assert post(300) == []
    post.traveller.shift(7 * 3600)
    assert post.subjects() == ["Lock offline, guest arrives tomorrow 12:00: Lakeview Cottage Front door"]


def test_a_report_taken_on_is_told_again_only_if_the_guest_reports_again(post: Post, device: Device, bob: User) -> None:
    code = scene.guest(device, "Ben Okafor", hours=-1, status=Pin.Status.SET)
    AccessCode.objects.update(reported_at=timezone.now())
    assert len(post()) == 2  # Alice and Bob
    take_on_guest(code, actor=bob)
    assert post(300) == []
    AccessCode.objects.update(reported_at=timezone.now())
    assert len(post()) == 2
    assert post(300) == []


def test_a_pin_that_changed_is_not_told_once_somebody_is_on_it(
    post: Post, device: Device, pool: BackupPool, bob: User
) -> None:
    (code,) = pulled(pool, "Ben Okafor")
    CodePin.objects.filter(code=code, role="own").update(revealed_at=timezone.now())
    take_on_guest(code, actor=bob)
    assert post(300) == []
    TakenOn.objects.update(pin=CodePin.objects.get(code=code, role="own").pin)  # it changed since
    assert post.subjects(100) == ["PIN changed after Ben Okafor saw it: Lakeview Cottage Front door"]


# To whom


def turn_off(user: User, *kinds: str) -> None:
    Membership.objects.filter(user=user).update(unwanted_mails=list(kinds))


def test_who_turned_a_warning_off_gets_the_others_alone(
    post: Post, device: Device, alice: User, bob: User, pool: BackupPool
) -> None:
    turn_off(bob, "exhausted")
    exhaust(pool)
    uncovered(device)
    people = {told.to[0]: str(told.body) for told in post()}
    assert set(people) == {alice.email, bob.email}
    assert "No backup codes are ready on" in people[alice.email]
    assert "No backup codes are ready on" not in people[bob.email]
    assert "/settings/account/#mails" in people[bob.email]


def test_who_turned_everything_off_gets_nothing(
    post: Post, device: Device, alice: User, bob: User, pool: BackupPool
) -> None:
    turn_off(alice, "exhausted")
    turn_off(bob, "exhausted")
    exhaust(pool)
    assert post() == []


def test_of_a_guest_without_a_code_the_owners_hear_if_nobody_else_wants_to(
    post: Post, device: Device, alice: User, bob: User
) -> None:
    turn_off(bob, "uncovered")
    turn_off(alice, "uncovered")
    uncovered(device)
    assert [told.to for told in post()] == [[alice.email]]


def test_it_goes_to_the_chosen_roles_apart(
    post: Post, workspace: Workspace, bob: User, vera: User, nina: User, charlie: User, device: Device, pool: BackupPool
) -> None:
    exhaust(pool)
    uncovered(device)
    mails = post()
    people = {told.to[0]: told for told in mails}
    alice = Membership.objects.get(workspace=workspace, role="owner").user
    assert set(people) == {alice.email, bob.email, nina.email}
    assert "No backup codes are ready" in str(people[bob.email].body)
    assert "No backup codes are ready on" not in str(people[nina.email].body)


def test_nobody_in_a_chosen_role_means_the_owners(
    post: Post, workspace: Workspace, alice: User, device: Device
) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(mail_roles={"uncovered": ["night"]})
    uncovered(device)
    assert [told.to for told in post()] == [[alice.email]]


def test_a_warning_chosen_for_nobody_is_not_sent(
    post: Post, workspace: Workspace, device: Device, pool: BackupPool
) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(mail_roles={"exhausted": []})
    exhaust(pool)
    assert post(120) == []


# What must never be in them


def test_no_pin_is_in_any_mail(post: Post, device: Device, alice: User) -> None:
    fill_pool(device)
    fault(device, "reject_set")
    codes = [guest(device, f"Guest {name}") for name in ("Ay", "Bee", "Cee", "Dee", "Ee", "Eff", "Gee")]
    reveal(codes[0], actor=alice)
    settle(device)
    post(120)
    tick()
    post(120)
    assert post.mails
    digits = {pin.secret.reveal() for pin in Pin.objects.all()}
    text = "\n".join(f"{told.subject}\n{told.body}" for told in post.mails)
    assert not digits & set(re.findall(r"\d+", re.sub(r"https?://\S+", "", text)))
    assert BackupCode.objects.ready().count() == 0


def test_it_asks_the_same_number_of_queries_for_many(
    post: Post, place: Property, hub: Hub, django_assert_max_num_queries: Callable[..., object]
) -> None:
    def some(count: int) -> None:
        for lock in factories.DeviceFactory.create_batch(count, property=place, hub=hub, **OFFLINE):
            scene.guest(lock, f"Guest of {lock.pk}", status=Pin.Status.SET)
            exhaust(factories.BackupPoolFactory(device=lock))

    some(1)
    post(120)
    some(5)
    post(120)
    with django_assert_max_num_queries(14):  # type: ignore[attr-defined]
        notify()
