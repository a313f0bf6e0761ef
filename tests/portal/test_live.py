"""Only parts that changed are sent again, and a poll that changed nothing is small."""

import json
import re

import pytest
from django.http import HttpResponse
from django.template import Context, Template, TemplateSyntaxError
from django.test import Client
from django.urls import reverse

from devices.models import Device
from portal.live import Live
from tests import scene

PART = Template('{% load portal %}{% live "word" %}<b>{{ word }}</b>{% endlive %}')


def seen(response: HttpResponse) -> dict[str, str]:
    """What the page would send back with its poll."""
    return dict(re.findall(r'name="(seen-[\w-]+)" value="(\w+)"', response.content.decode()))


def test_the_first_rendering_holds_every_part_and_its_digest() -> None:
    html = PART.render(Context({"live": Live(), "word": "one"}))
    assert '<div class="live" id="live-word"><b>one</b>' in html
    assert 'name="seen-word"' in html


def test_a_part_the_page_has_is_not_sent_again() -> None:
    html = PART.render(Context({"live": Live(), "word": "one"}))
    digest = re.findall(r'value="(\w+)"', html)[0]
    assert PART.render(Context({"live": Live({"seen-word": digest}), "word": "one"})) == ""
    assert 'hx-swap-oob="true"' in PART.render(Context({"live": Live({"seen-word": digest}), "word": "two"}))


def test_a_part_needs_a_name() -> None:
    with pytest.raises(TemplateSyntaxError):
        Template("{% load portal %}{% live %}{% endlive %}")


def test_a_poll_that_changed_nothing_is_a_204_below_a_kilobyte(signed_in: Client, device: Device) -> None:
    scene.lively(device)
    page = signed_in.get(reverse("device", args=[device.pk]))
    poll = signed_in.get(reverse("device_live", args=[device.pk]), seen(page), headers={"HX-Request": "true"})
    size = len(poll.content) + sum(len(name) + len(value) for name, value in poll.headers.items())
    assert (poll.status_code, size < 1024) == (204, True)


def test_a_poll_tells_when_it_was(signed_in: Client, device: Device) -> None:
    poll = signed_in.get(reverse("device_live", args=[device.pk]), headers={"HX-Request": "true"})
    assert set(json.loads(poll["HX-Trigger"])["refreshed"]) == {"at", "words", "mark"}


def test_a_change_sends_its_own_part_only(signed_in: Client, device: Device) -> None:
    scene.lively(device)
    page = signed_in.get(reverse("device", args=[device.pk]))
    Device.objects.filter(pk=device.pk).update(battery=11)
    poll = signed_in.get(reverse("device_live", args=[device.pk]), seen(page), headers={"HX-Request": "true"})
    assert list(seen(poll)) == ["seen-facts"]
    assert b"Battery low: 11%" in poll.content


def test_an_expired_session_sends_the_whole_page_to_sign_in(client: Client, device: Device) -> None:
    here = f"http://testserver{reverse('device', args=[device.pk])}"
    headers = {"HX-Request": "true", "HX-Current-URL": here}
    poll = client.get(reverse("device_live", args=[device.pk]), headers=headers)
    assert poll["HX-Redirect"] == f"/accounts/login/?next={reverse('device', args=[device.pk])}"
