"""Every word a person reads is marked for translation: templates hold no text of their own outside the marks."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TEMPLATES = Path(settings.BASE_DIR) / "templates"
MARKED = re.compile(r"{% blocktranslate.*?{% endblocktranslate %}|{#.*?#}|{% comment.*?endcomment %}", re.S)
TAGS = re.compile(r"{%.*?%}|{{.*?}}", re.S)
SPOKEN = re.compile(r'\b(?:aria-label|placeholder|title|alt|aria-description)="([^"]*)"')
ELEMENTS = re.compile(r"<(script|style|svg)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.S)
LETTERS = re.compile(r"[^\W\d_]{2,}")
# Not words of a language: units of a page that says UTC, and names.
ALLOWED = {"UTC", "nbsp", "middot", "rarr", "hellip"}
ALL = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
NAMES = [name for name in ALL if not name.startswith("admin/")]  # staff's admin puts its words between Django's own


def bare_words(source: str) -> list[str]:
    """What is left of a template without its marks, tags and elements."""
    unmarked = TAGS.sub(" ", MARKED.sub(" ", source))
    spoken = " ".join(SPOKEN.findall(unmarked))
    text = ELEMENTS.sub(" ", unmarked)
    return [word for word in LETTERS.findall(f"{text} {spoken}") if word not in ALLOWED]


@pytest.mark.parametrize("name", NAMES)
def test_a_template_holds_no_words_of_its_own(name: str) -> None:
    assert bare_words((TEMPLATES / name).read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        '<input placeholder="Guest">',
        '<a href="{% url "home" %}" aria-label="Home"></a>',
        "{% if beat %}Stands still{% endif %}",
    ],
)
def test_the_check_finds_what_is_not_marked(source: str) -> None:
    assert bare_words(source)


@pytest.mark.parametrize(
    "source",
    [
        '{% translate "Hello" %}',
        "<p class='a b'>{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}</p>",
        '<input placeholder="{% translate "Guest" %}"><svg viewBox="0 0 1 1"><path d="Mm"></path></svg>',
    ],
)
def test_the_check_takes_what_is_marked(source: str) -> None:
    assert not bare_words(source)
