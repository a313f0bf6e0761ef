"""Several doors for one guest: a code a lock, one reference, all or none."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from codes.booking import add_codes
from codes.models import AccessCode
from devices.models import Device, Event, Pin, Property
from portal.models import User
from portal.secret import Secret
from tests import factories
from tests.engine import guest


@pytest.fixture
def gate(device: Device) -> Device:
    return factories.DeviceFactory(property=device.property, hub=device.hub, name="Garden gate")


@pytest.fixture
def elsewhere(device: Device) -> Device:
    place = factories.PropertyFactory(workspace=device.property.workspace, name="Harbour House")
    return factories.DeviceFactory(property=place, hub=device.hub, name="Harbour door")


def stay() -> dict[str, object]:
    at = timezone.now() + timedelta(hours=2)
    return {"name": "Ben Okafor", "kind": "time_bound", "starts_at": at, "ends_at": at + timedelta(days=2)}


def typed(**changes: object) -> dict[str, object]:
    return {
        "kind": "time_bound",
        "name": "Ben Okafor",
        "booking_reference": "",
        "starts_at": "2031-11-24T15:00",
        "ends_at": "2031-11-28T10:00",
        "pin": "",
        "once": "a-token",
        **changes,
    }


def words(page: bytes) -> str:
    return " ".join(strip_tags(page.decode()).split())


def test_each_lock_gets_a_code_and_they_share_a_reference(device: Device, gate: Device, bob: User) -> None:
    front, garden = add_codes(devices=[device, gate], actor=bob, **stay())
    assert (front.device, garden.device) == (device, gate)
    assert front.booking_reference == garden.booking_reference != ""
    assert front.guest_token != garden.guest_token
    assert Event.objects.filter(type=Event.Type.CODE_CREATED, actor=bob).count() == 2


def test_one_lock_alone_needs_no_reference(device: Device) -> None:
    [code] = add_codes(devices=[device], **stay())
    assert code.booking_reference == ""


def test_all_or_none_and_the_lock_that_refused_is_named(device: Device, gate: Device) -> None:
    taken = guest(gate, "Ana Ruiz", pin=Secret("4831"))
    with pytest.raises(ValidationError) as refused:
        add_codes(devices=[device, gate], pin=Secret("4831"), **stay())
    assert refused.value.message_dict == {"pin": ["Garden gate: This PIN is taken on this lock. Choose another one."]}
    assert list(AccessCode.objects.all()) == [taken]
    assert Pin.objects.filter(device=device).count() == 0


def test_a_chosen_pin_opens_all_doors(device: Device, gate: Device) -> None:
    codes = add_codes(devices=[device, gate], pin=Secret("4831"), **stay())
    assert {code.code_pins.get().pin.secret.reveal() for code in codes} == {"4831"}


def test_a_lock_being_removed_refuses_them_all(device: Device, gate: Device) -> None:
    Device.objects.filter(pk=gate.pk).update(removal=Device.Removal.REMOVING)
    with pytest.raises(ValidationError, match="Garden gate: This lock is being removed"):
        add_codes(devices=[device, gate], **stay())
    assert not AccessCode.objects.exists()


class TestThePage:
    """The add page offers the property's other locks."""

    def test_it_offers_those_of_the_property_alone(
        self, signed_in: Client, device: Device, gate: Device, elsewhere: Device
    ) -> None:
        page = signed_in.get(reverse("code_add", args=[device.pk])).content.decode()
        assert "Garden gate" in page and "Harbour door" not in page

    def test_a_property_with_one_lock_asks_nothing(self, signed_in: Client, device: Device) -> None:
        assert "Also on" not in signed_in.get(reverse("code_add", args=[device.pk])).content.decode()

    def test_it_adds_to_all_that_are_ticked(self, signed_in: Client, device: Device, gate: Device) -> None:
        url = reverse("code_add", args=[device.pk])
        answer = signed_in.post(url, typed(also=[str(gate.pk)], booking_reference="RES-1"))
        assert answer["Location"] == reverse("device", args=[device.pk])
        assert set(AccessCode.objects.values_list("device", "booking_reference")) == {
            (device.pk, "RES-1"),
            (gate.pk, "RES-1"),
        }
        said = words(signed_in.get(answer["Location"]).content)
        assert "Codes added for Ben Okafor on 2 locks, reference RES-1." in said

    def test_a_refusal_keeps_what_was_ticked_and_offers_a_pin(
        self, signed_in: Client, device: Device, gate: Device
    ) -> None:
        guest(
            gate,
            "Ana Ruiz",
            starts=timedelta(days=1),
            ends_at=timezone.now() + timedelta(days=9999),
            pin=Secret("4831"),
        )
        url = reverse("code_add", args=[device.pk])
        page = signed_in.post(url, typed(also=[str(gate.pk)], pin="4831")).content.decode()
        assert "Garden gate: This PIN is taken on this lock." in page
        assert "checked" in page.split(f'value="{gate.pk}"')[1][:80]
        assert 'name="offered"' in page
        assert AccessCode.objects.count() == 1

    def test_a_suggestion_keeps_what_was_ticked(self, signed_in: Client, device: Device, gate: Device) -> None:
        url = reverse("code_add", args=[device.pk])
        page = signed_in.post(url, typed(also=[str(gate.pk)], suggest="1")).content.decode()
        assert "checked" in page.split(f'value="{gate.pk}"')[1][:80]

    def test_locks_of_others_cannot_be_named(
        self, signed_in: Client, device: Device, gate: Device, elsewhere: Device
    ) -> None:
        strange = factories.DeviceFactory()
        for other in (elsewhere, strange):
            url = reverse("code_add", args=[device.pk])
            page = signed_in.post(url, typed(also=[str(other.pk)])).content.decode()
            assert "is not one of the available choices" in words(page.encode())
        assert not AccessCode.objects.exists()

    def test_a_reference_of_another_guest_is_warned_about(self, signed_in: Client, device: Device) -> None:
        far = timezone.now() + timedelta(days=9999)
        guest(device, "Ana Ruiz", starts=timedelta(days=1), ends_at=far, booking_reference="Direct")
        answer = signed_in.post(reverse("code_add", args=[device.pk]), typed(booking_reference="direct"))
        said = words(signed_in.get(answer["Location"]).content)
        assert "direct is the reference of Ana Ruiz as well: each guest’s link shows the PINs of both." in said


class TestTheGuestsLink:
    """On the code's page: to copy, to see whether it was opened, to replace."""

    @pytest.fixture
    def codes(self, device: Device, gate: Device) -> list[AccessCode]:
        return add_codes(devices=[device, gate], **stay())

    def test_it_stands_there_to_copy(self, signed_in: Client, codes: list[AccessCode]) -> None:
        page = signed_in.get(reverse("code", args=[codes[0].pk])).content.decode()
        assert f'value="http://testserver/g/{codes[0].guest_token}/"' in page
        assert "Not opened yet" in page
        assert "It shows the PINs of these doors as well: Garden gate" in words(page.encode())

    def test_when_the_guest_opened_it_is_told(self, signed_in: Client, codes: list[AccessCode]) -> None:
        signed_in.get(f"/g/{codes[0].guest_token}/")
        said = words(signed_in.get(reverse("code", args=[codes[0].pk])).content)
        assert "Guest opened link" in said and "Ben Okafor opened the guest link" in said

    def test_a_new_one_is_made(self, signed_in: Client, codes: list[AccessCode], alice: User) -> None:
        old = codes[0].guest_token
        answer = signed_in.post(reverse("code_link", args=[codes[0].pk]))
        page = signed_in.get(answer["Location"]).content.decode()
        assert old not in page and "The old link leads nowhere from now on." in page
        assert Event.objects.get(type=Event.Type.CODE_LINK_RENEWED).actor == alice

    def test_a_viewer_does_not_see_it(self, client: Client, vera: User, codes: list[AccessCode]) -> None:
        client.force_login(vera)
        page = client.get(reverse("code", args=[codes[0].pk])).content.decode()
        assert codes[0].guest_token not in page

    def test_staff_have_none(self, signed_in: Client, device: Device, place: Property) -> None:
        [staff] = add_codes(devices=[device], name="Housekeeping", kind="ongoing")
        assert "/g/" not in signed_in.get(reverse("code", args=[staff.pk])).content.decode()
