"""Adding a hub by its address; its locks come by themselves."""

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from devices.models import Hub, Property
from portal.models import User
from tests import factories

URL = "/devices/add/"


def typed(place: Property, **changes: str) -> dict[str, str]:
    return {
        "provider": "zwave",
        "name": "Attic hub",
        "address": "ws://192.0.2.7:3000",
        "property": str(place.pk),
        **changes,
    }


def test_it_adds_the_hub_and_asks_it_for_its_locks(signed_in: Client, place: Property) -> None:
    answer = signed_in.post(URL, typed(place))
    assert answer["Location"] == reverse("hub", args=[Hub.objects.get().pk])
    assert Hub.objects.get().workspace == place.workspace
    assert OrmQ.objects.count() == 1


def test_a_bad_address_is_refused_beside_its_field_and_nothing_is_lost(signed_in: Client, place: Property) -> None:
    page = signed_in.post(URL, typed(place, address="http://192.0.2.7")).content.decode()
    assert "Write the server&#x27;s address like ws://192.0.2.7:3000." in page or "address like ws://" in page
    assert 'aria-invalid="true"' in page
    assert 'value="Attic hub"' in page
    assert not Hub.objects.exists()


def test_somebody_elses_hub_is_refused(signed_in: Client, place: Property) -> None:
    factories.HubFactory(provider="zwave", address="ws://192.0.2.7:3000")
    page = signed_in.post(URL, typed(place)).content.decode()
    assert "This hub has been added already." in page


def test_another_workspaces_property_is_no_choice(signed_in: Client, place: Property) -> None:
    theirs = factories.PropertyFactory(name="Their house")
    page = signed_in.post(URL, typed(place, property=str(theirs.pk))).content.decode()
    assert "Select a valid choice" in page
    assert "Their house" not in page


def test_viewers_may_not(client: Client, vera: User) -> None:
    client.force_login(vera)
    assert client.get(URL).status_code == 403


@pytest.mark.parametrize("method", ["put", "delete"])
def test_it_refuses_other_methods(signed_in: Client, method: str) -> None:
    assert getattr(signed_in, method)(URL).status_code == 405
