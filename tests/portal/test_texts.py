"""`{% translate %}`: Django's own answer, given again where it is always the same."""

from collections.abc import Callable
from itertools import count

import pytest
from django.template import Context, Template
from django.templatetags.i18n import TranslateNode
from django.utils.functional import lazystr


def drawn(source: str, *, autoescape: bool = True, **about: object) -> str:
    return Template("{% load i18n %}" + source).render(Context(about, autoescape=autoescape))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{% translate "Home" %}', "Home"),
        ('{% trans "Home" %}', "Home"),
        ('{% translate "Home" noop %}', "Home"),
        ('{% translate "100 %" %}', "100 %"),
        ('{% translate "Ben & Amelia" %}', "Ben & Amelia"),
        ("{% translate word %}", "&lt;b&gt;"),
        ('{% translate "Home"|upper %}', "HOME"),
        ('{% translate "Home" as told %}[{{ told }}]', "[Home]"),
        ('{% translate "Home" context "a house" %}', "Home"),
    ],
)
def test_it_says_what_django_says_the_first_time_and_again(source: str, expected: str) -> None:
    template = Template("{% load i18n %}" + source)
    assert [template.render(Context({"word": "<b>"})) for _ in range(2)] == [expected, expected]


def test_a_variable_is_told_as_it_is_each_time() -> None:
    template = Template("{% load i18n %}{% translate word %}")
    assert [template.render(Context({"word": word})) for word in ("one", "two", lazystr("three"))] == [
        "one",
        "two",
        "three",
    ]


@pytest.fixture
def numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django's own rendering of a text gives a number, the next one each time."""
    numbers = count(1)
    monkeypatch.setattr(TranslateNode, "render", lambda node, context: f"text {next(numbers)}")


@pytest.fixture
def languages(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Changes the language, which the portal's settings do not do as long as there is nothing to look words up in."""
    spoken = ["en"]
    monkeypatch.setattr("portal.templatetags.texts.get_language", lambda: spoken[-1])
    return spoken.append


@pytest.mark.usefixtures("numbered")
def test_a_text_is_rendered_once_a_language_and_way_of_escaping(languages: Callable[[str], None]) -> None:
    template = Template('{% load i18n %}{% translate "Home" %}')
    told = []
    for language in ("en", "de", "en", "de"):
        languages(language)
        told += [template.render(Context({}, autoescape=autoescape)) for autoescape in (True, False)]
    assert told == [f"text {number}" for number in (1, 2, 3, 4, 1, 2, 3, 4)]


def test_the_other_tags_and_filters_of_the_library_are_djangos() -> None:
    told = drawn('{% get_current_language as code %}{{ code }} {{ "de"|language_name }}')
    assert told == "en German"
    several = "{% blocktranslate count count=n %}{{ count }} code{% plural %}{{ count }} codes{% endblocktranslate %}"
    assert drawn(several, n=2) == "2 codes"
