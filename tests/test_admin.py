"""Staff look at everything through the admin, see no PIN there and delete nothing."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from codes.models import AccessCode
from devices.models import Device, Event
from portal.models import User
from tests import factories
from tests.engine import fill_pool, guest, settle

LISTS = [
    "portal_workspace",
    "portal_user",
    "portal_invitation",
    "portal_outgoingmail",
    "portal_heartbeat",
    "devices_property",
    "devices_hub",
    "devices_device",
    "devices_pin",
    "devices_event",
    "devices_simulatedlock",
    "backups_backuppool",
    "backups_backupcode",
    "codes_accesscode",
    "codes_notice",
]


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    client.force_login(factories.UserFactory(name="Stella", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def code(device: Device) -> AccessCode:
    fill_pool(device)
    code = guest(device)
    settle(device)
    return code


@pytest.mark.parametrize("name", LISTS)
def test_lists_show_no_pin_and_no_guest_link(staff: Client, code: AccessCode, device: Device, name: str) -> None:
    html = staff.get(reverse(f"admin:{name}_changelist")).content.decode()
    for pin in device.pins.all():
        assert f">{pin.secret.reveal()}<" not in html
    assert code.guest_token not in html


@pytest.mark.parametrize("name", ["pin", "device", "simulatedlock"])
def test_a_row_shows_no_pin(staff: Client, code: AccessCode, device: Device, name: str) -> None:
    own = code.code_pins.get().pin
    pk = {"pin": own.pk, "device": device.pk, "simulatedlock": device.hub.simulated_locks.get().pk}[name]
    html = staff.get(reverse(f"admin:devices_{name}_change", args=[pk])).content.decode()
    assert own.label in html or name != "pin"
    assert own.secret.reveal() not in html.replace(own.label, "").replace(str(device.pk), "")
    assert own.secret.seal() not in html


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_as_much_for_many_rows_as_for_few(
    staff: Client, django_assert_max_num_queries, code: AccessCode, device: Device, name: str
) -> None:
    for _ in range(8):
        other = factories.DeviceFactory(property=device.property, hub=device.hub)
        factories.CodePinFactory(code__device=other)
        factories.BackupCodeFactory(pool__device=other)
    with django_assert_max_num_queries(12):
        staff.get(reverse(f"admin:{name}_changelist"))


def test_a_pool_cannot_be_deleted_or_switched_off(staff: Client, code: AccessCode, device: Device) -> None:
    url = reverse("admin:backups_backuppool_delete", args=[device.backup_pool.pk])
    assert staff.post(url, {"post": "yes"}).status_code == 403
    change = reverse("admin:backups_backuppool_change", args=[device.backup_pool.pk])
    assert staff.post(change, {"size": 1}).status_code == 403


def test_checking_locks_is_recorded_with_a_name(staff: Client, device: Device) -> None:
    staff.post(reverse("admin:devices_device_changelist"), {"action": "check_now", "_selected_action": [device.pk]})
    checked = Event.objects.get(type=Event.Type.DEVICE_CHECKED)
    assert checked.actor is not None
    assert checked.actor.name == "Stella"


def test_a_manager_is_no_staff(signed_in: Client) -> None:
    assert signed_in.get(reverse("admin:index")).status_code in (302, 403)


def test_a_person_signed_out_is_sent_to_sign_in(client: Client, db: None) -> None:
    response = client.get(reverse("admin:index"), follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/")


def test_a_person_can_be_added(staff: Client) -> None:
    fields = {"email": "new@example.org", "name": "New", "usable_password": "true"}
    passwords = {"password1": "correct horse battery", "password2": "correct horse battery"}
    response = staff.post(reverse("admin:portal_user_add"), {**fields, **passwords})
    assert response.status_code == 302
    assert User.objects.filter(email="new@example.org").exists()


def test_every_model_of_ours_is_there() -> None:
    ours = {model._meta.label_lower for model in admin.site._registry}
    assert {name.replace("_", ".") for name in LISTS} <= ours
