"""Every word a person reads is marked for translation: in templates, and in Python, outside what operators read."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.unmarked import unmarked

TEMPLATES = Path(settings.BASE_DIR) / "templates"
MARKED = re.compile(
    r"{% blocktranslate.*?{% endblocktranslate %}|{#.*?#}|{% comment.*?endcomment %}"
    r"|{% block bodyclass %}.*?{% endblock",  # names of styles, in the admin's own place for them
    re.S,
)
TAGS = re.compile(r"{%.*?%}|{{.*?}}", re.S)
SPOKEN = re.compile(r'\b(?:aria-label|placeholder|title|alt|aria-description)="([^"]*)"')
ELEMENTS = re.compile(r"<(script|style|svg)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.S)
LETTERS = re.compile(r"[^\W\d_]{2,}")
# Not words of a language: units of a page that says UTC, and names.
ALLOWED = {"UTC", "nbsp", "middot", "rarr", "hellip"}
ALL = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
BASE = Path(settings.BASE_DIR)
APPS = ("portal", "devices", "backups", "codes")
# English stays English: what operators read in a terminal, in logs and in metrics.
OPERATORS = {
    "backups/metrics.py",
    "backups/refilling.py",  # of refill_pools
    "codes/doctor",
    "codes/expired.py",  # of remove_expired_codes
    "codes/metrics.py",
    "devices/importing",  # of import_locks
    "devices/lookup.py",
    "devices/metrics.py",
    "devices/providers",  # why a call failed, for the log
    "devices/settling.py",  # of sync_locks
    "portal/changes.py",
    "portal/console.py",
    "portal/environment.py",
    "portal/metrics.py",
    "portal/monitor_views.py",
    "portal/preflight.py",
    "portal/process.py",
    "portal/readiness.py",
    "portal/scrub.py",
    "portal/watchdog.py",
}
NAMES_OF_THINGS = {"codes/demo"}  # people, places and makes that are made up
ON_THE_LOCK = {("backups/services.py", "Backup ")}  # a label that stands on the lock itself, in one language for ever


def bare_words(source: str) -> list[str]:
    """What is left of a template without its marks, tags and elements."""
    unmarked = TAGS.sub(" ", MARKED.sub(" ", source))
    spoken = " ".join(SPOKEN.findall(unmarked))
    text = ELEMENTS.sub(" ", unmarked)
    return [word for word in LETTERS.findall(f"{text} {spoken}") if word not in ALLOWED]


@pytest.mark.parametrize("name", ALL)
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


def modules() -> list[str]:
    """Every module whose words are for the portal's own people; commands and migrations talk to operators."""
    apart = OPERATORS | NAMES_OF_THINGS
    found = [path.relative_to(BASE) for app in APPS for path in sorted((BASE / app).rglob("*.py"))]
    found = [path for path in found if not {"migrations", "commands"} & set(path.parts)]
    return [str(path) for path in found if not apart & {str(path), *map(str, path.parents)}]


@pytest.mark.parametrize("module", modules())
def test_a_module_holds_no_words_outside_the_marks(module: str) -> None:
    found = [one for one in unmarked((BASE / module).read_text()) if (module, one.text) not in ON_THE_LOCK]
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("path", sorted(OPERATORS | NAMES_OF_THINGS))
def test_what_is_left_out_is_there_and_has_words(path: str) -> None:
    """An entry that no longer leaves anything out goes."""
    place = BASE / path
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    assert any(unmarked(file.read_text()) for file in files)


@pytest.mark.parametrize(
    "source",
    [
        'raise ValidationError("too long")',
        'raise forms.ValidationError({"pin": "Too long"}) if x else 1',
        'messages.success(request, "Saved")',
        'messages.error(request, f"{name} is late")',
        'name = models.CharField("name", verbose_name="name")',
        'pin = forms.CharField(label="PIN", help_text=_("Digits"))',
        'class Kind(models.TextChoices):\n    A = "a", "Late"',
        'class Kind(models.TextChoices):\n    A = "a"',
        '@admin.display(description="portal")\ndef look(): ...',
        'look.short_description = "portal"',
        'words = "Nothing to do."',
        'words = "Nothing to do" if x else _("All well")',
        'words = {"a": "not on lock yet"}',
        'told = format_html("offline <b>{}</b>", since)',
        'subject = f"Act now: {guest} has no code"',
        'def __str__(self):\n    return f"Backup {self.code_id}"',
        'return Status("Checking", "wait")',
        'raise PermissionDenied("No.")',
    ],
)
def test_the_check_finds_what_is_not_marked_in_python(source: str) -> None:
    assert unmarked(source)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring. It says much."""',
        '_("Nothing to do.") % {"a": ngettext("%(n)d lock", "%(n)d locks", 1)}',
        'raise TypeError("a pool stays on: remove the lock instead")',
        'logger.error("an invitation could not be mailed: %s", reason)',
        'messages.success(request, _("Saved"))',
        'Status(_("Checking"), "wait")',
        'field = {"class": "btn quiet", "query": "SELECT 1"}',
        'format_html("{}, {}.", a, b)',
        'class Kind(models.TextChoices):\n    A = "a", _("Late")',
        'date_format(local, "D j M H:i")',
    ],
)
def test_the_check_takes_what_is_marked_in_python(source: str) -> None:
    assert not unmarked(source)
