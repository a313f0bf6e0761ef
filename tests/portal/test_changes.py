"""Whatever changes of what a workspace's pages show raises its number, whoever changes it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from backups.models import BackupCode, BackupPool
from codes.models import AccessCode, CodePin, TakenOn
from devices.activity import record, record_in
from devices.lease import take
from devices.models import Device, Event, Hub, Pin, Property
from portal.changes import OPERATIONS, name_of, narrow_number, number
from portal.models import Membership, User, Workspace
from tests import factories, scene

SHOWN = (
    Property,
    Hub,
    Device,
    Pin,
    Event,
    BackupPool,
    BackupCode,
    AccessCode,
    CodePin,
    TakenOn,
    Workspace,
    Membership,
    User,
)
NEVER = {("portal_workspace", "DELETE"), ("portal_user", "INSERT"), ("portal_user", "DELETE")}  # no page is left then


def triggers() -> set[str]:
    statement = {
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    }
    with connection.cursor() as cursor:
        cursor.execute(statement[connection.vendor])
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db
def test_every_table_that_pages_show_is_counted() -> None:
    """On SQLite a migration that makes a table anew drops its triggers: then repeat `CountChanges` in it."""
    tables = {model._meta.db_table for model in SHOWN}
    wanted = {name_of(table, event) for table in tables for event in OPERATIONS if (table, event) not in NEVER}
    assert wanted <= triggers()


def test_no_model_of_ours_was_forgotten() -> None:
    """A new model is either shown, and counted, or stands here."""
    beside = {
        "SimulatedLock",
        "Notice",
        "Heartbeat",
        "OutgoingMail",
        "Invitation",
        "ChangeCount",
        "LockChangeCount",
        "Tally",
    }
    ours = {
        m.__name__ for app in ("portal", "devices", "backups", "codes") for m in apps.get_app_config(app).get_models()
    }
    assert ours <= {model.__name__ for model in SHOWN} | beside


def rows(device: Device) -> list[Model]:
    """One row of each shown table, all of one workspace."""
    pool = scene.lively(device)
    code = AccessCode.objects.filter(device=device).first()
    given = CodePin.objects.filter(code=code).first()
    assert code and given
    return [device.property, device.hub, device, given.pin, pool, pool.codes.first(), code, given]  # type: ignore[list-item]


@pytest.mark.django_db
def test_each_row_that_is_updated_counts(workspace: Workspace, device: Device) -> None:
    for row in rows(device):
        field = next(
            f for f in row._meta.concrete_fields if not f.primary_key and not f.is_relation and f.name != "lock_ref"
        )
        before = number(workspace.pk)
        type(row)._base_manager.filter(pk=row.pk).update(**{field.attname: getattr(row, field.attname)})
        assert number(workspace.pk) > before, f"{type(row).__name__}.{field.attname}"


@pytest.mark.django_db
def test_people_and_settings_count(workspace: Workspace, alice: User) -> None:
    before = number(workspace.pk)
    User.objects.filter(pk=alice.pk).update(name="Alice Hart")
    Workspace.objects.filter(pk=workspace.pk).update(name="Lakeview")
    Membership.objects.filter(user=alice).update(role=Membership.Role.VIEWER)
    Membership.objects.filter(user=alice).delete()
    assert number(workspace.pk) == before + 4


@pytest.mark.django_db
def test_what_no_page_shows_does_not_count(workspace: Workspace, alice: User, device: Device) -> None:
    before = number(workspace.pk)
    User.objects.filter(pk=alice.pk).update(last_login=timezone.now())
    lease = take(device.pk)
    assert lease is not None
    lease.extend(5)
    assert number(workspace.pk) == before


@pytest.mark.django_db
def test_a_lease_is_no_change_of_the_lock(device: Device) -> None:
    before = narrow_number(device.pk)
    lease = take(device.pk)
    assert lease is not None
    lease.extend(5)
    assert narrow_number(device.pk) == before


@pytest.mark.django_db
def test_each_change_counts_for_its_lock_or_for_all(workspace: Workspace, device: Device, alice: User) -> None:
    """What has a lock raises that lock's number; what has none the workspace's own."""
    place, hub, *of_lock = rows(device)
    wide = [place, hub, workspace, Membership.objects.get(user=alice)]
    for row, subject, other in [*((r, device, workspace) for r in of_lock), *((r, workspace, device) for r in wide)]:
        before, beside = narrow_number(subject.pk), narrow_number(other.pk)
        field = next(f for f in row._meta.concrete_fields if not f.primary_key and f.name not in ("lock_ref", "id"))
        type(row)._base_manager.filter(pk=row.pk).update(**{field.attname: getattr(row, field.attname)})
        assert (narrow_number(subject.pk) > before, narrow_number(other.pk)) == (True, beside), type(row).__name__


@pytest.mark.django_db
def test_events_and_who_is_on_it_count_for_their_lock(workspace: Workspace, device: Device, alice: User) -> None:
    scene.lively(device)
    code = AccessCode.objects.filter(device=device)[0]
    at = timezone.now()
    for subject, make in [
        (device, lambda: record(device, Event.Type.DEVICE_CHECKED)),
        (workspace, lambda: record_in(workspace, Event.Type.SETTINGS_CHANGED)),
        (device, lambda: TakenOn.objects.create(workspace=workspace, about="overdue", device=device, at=at)),
        (device, lambda: TakenOn.objects.create(workspace=workspace, about="guest", code=code, at=at)),
        (workspace, lambda: TakenOn.objects.create(workspace=workspace, about="outage", hub=device.hub, at=at)),
    ]:
        before = {one.pk: narrow_number(one.pk) for one in (device, workspace)}
        make()
        raised = {pk for pk, number in before.items() if narrow_number(pk) > number}
        assert raised == {subject.pk}


@pytest.mark.django_db
def test_the_rights_of_a_person_count_for_all(workspace: Workspace, alice: User) -> None:
    before = narrow_number(workspace.pk)
    User.objects.filter(pk=alice.pk).update(password="!")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    Membership.objects.filter(user=alice).delete()
    assert narrow_number(workspace.pk) == before + 3


@pytest.mark.django_db
def test_another_lock_is_none_of_its_business(workspace: Workspace, device: Device) -> None:
    before, wide = narrow_number(device.pk), narrow_number(workspace.pk)
    beside = factories.DeviceFactory(property=device.property, hub=device.hub)
    scene.lively(beside)
    assert (narrow_number(device.pk), narrow_number(workspace.pk)) == (before, wide)
    assert narrow_number(beside.pk) > 0


@pytest.mark.django_db
def test_another_workspace_is_none_of_its_business(workspace: Workspace, device: Device) -> None:
    before = number(workspace.pk)
    scene.lively(factories.DeviceFactory())
    assert number(workspace.pk) == before


@pytest.mark.django_db(transaction=True)
def test_no_writer_waits_for_anothers_count() -> None:
    """Two transactions change one lock's rows at once; on SQLite, where there is one writer, in turn."""
    first, second = factories.PinFactory.create_batch(2, device=factories.DeviceFactory())
    workspace, lock = first.device.property.workspace_id, first.device_id
    at_once = connection.vendor == "postgresql"
    before, of_lock = number(workspace), narrow_number(lock)

    def change_the_second() -> None:
        if at_once:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")  # waiting would be an error
        try:
            Pin.objects.filter(pk=second.pk).update(label="Second")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            Pin.objects.filter(pk=first.pk).update(label="First")
            if at_once:
                other.submit(change_the_second).result(timeout=20)
        if not at_once:
            other.submit(change_the_second).result(timeout=20)
    assert (number(workspace), narrow_number(lock)) == (before + 2, of_lock + 2)
