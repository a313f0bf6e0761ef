"""`{% url %}`: Django's own answer, remembered where it is of ids."""

import uuid

import pytest
from django.template import Context, Template
from django.urls import NoReverseMatch, reverse, set_script_prefix

from portal.templatetags.links import address

PK = uuid.uuid4()
TOKEN = "a" * 32


def drawn(source: str, **about: object) -> str:
    return Template(source).render(Context(about))


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    address.cache_clear()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% url 'home' %}", "/"),
        ("{% url 'device' pk %}", f"/devices/{PK}/"),
        ("{% url 'device' pk=pk %}", f"/devices/{PK}/"),
        ("{% url 'device' text %}", f"/devices/{PK}/"),
        ("{% url name pk %}", f"/devices/{PK}/edit/"),
        ("{% url 'device' pk as there %}[{{ there }}]", f"[/devices/{PK}/]"),
        ("{% url 'nowhere' as there %}[{{ there }}]", "[]"),
        ("{% url 'admin:index' %}", "/admin/"),
        ("{% url 'guest_page' token %}", f"/g/{TOKEN}/"),
    ],
)
def test_it_says_what_django_says_the_first_time_and_again(source: str, expected: str) -> None:
    about = {"pk": PK, "text": str(PK), "name": "device_edit", "token": TOKEN}
    assert [drawn(source, **about) for _ in range(2)] == [expected, expected]


def test_an_address_is_made_once() -> None:
    for _ in range(3):
        drawn("{% url 'device' pk %}", pk=PK)
    assert (address.cache_info().misses, address.cache_info().hits) == (1, 2)


def test_what_is_secret_in_an_address_is_not_remembered() -> None:
    drawn("{% url 'guest_page' token %}", token=TOKEN)
    drawn("{% url 'guest_page' token=token %}", token=TOKEN)
    assert address.cache_info().currsize == 0


@pytest.mark.parametrize(
    "source",
    ["{% url 'nowhere' %}", "{% url nothing %}", "{% url none %}", "{% url 'device' 7 %}", "{% url 'device' %}"],
)
def test_what_leads_nowhere_is_an_error_each_time(source: str) -> None:
    for _ in range(2):
        with pytest.raises(NoReverseMatch):
            drawn(source, none=None)


def test_another_prefix_is_another_address() -> None:
    assert drawn("{% url 'device_list' %}") == "/devices/"
    set_script_prefix("/portal/")
    try:
        assert drawn("{% url 'device_list' %}") == reverse("device_list") == "/portal/devices/"
    finally:
        set_script_prefix("/")


def test_it_is_escaped_where_the_template_escapes() -> None:
    set_script_prefix("/a&b/")
    try:
        assert drawn("{% url 'device_list' %}") == "/a&amp;b/devices/"
        assert drawn("{% autoescape off %}{% url 'device_list' %}{% endautoescape %}") == "/a&b/devices/"
    finally:
        set_script_prefix("/")
