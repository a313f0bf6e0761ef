"""A make's rules are data: what a PIN may be, what the lock cannot tell apart, what no guest gets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.pin_rules import NoPinLeft, canonical, generate, problem, weak
from devices.providers.base import PinRules
from portal.secret import Secret

ANY = PinRules()
NUKI = PinRules(lengths=(6,), forbidden_digits="0", forbidden_starts=("12",))
KWIKSET = PinRules(lengths=(4, 5, 6, 7, 8), paired_buttons=True)
KWIKSET_955 = PinRules(lengths=(6, 4, 8), unique_first=4)
SCHLAGE = PinRules(lengths=(4, 5, 6, 7, 8), one_length=True)
STRICT = PinRules(lengths=(6,), least_different=3, no_runs_of_three=True)
MAKES = [ANY, NUKI, KWIKSET, KWIKSET_955, SCHLAGE, STRICT]

any_rules = st.builds(
    PinRules,
    lengths=st.lists(st.integers(4, 9), min_size=1, max_size=3, unique=True).map(tuple),
    one_length=st.booleans(),
    forbidden_digits=st.sets(st.sampled_from("0123456789"), max_size=4).map("".join),
    forbidden_starts=st.lists(st.text("0123456789", min_size=1, max_size=2), max_size=3).map(tuple),
    unique_first=st.sampled_from([0, 4]),
    paired_buttons=st.booleans(),
    least_different=st.integers(0, 4),
    no_runs_of_three=st.booleans(),
)
pins = st.text("0123456789", min_size=4, max_size=9)


def nothing(form: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("rules", "one", "other"),
    [
        (KWIKSET, "1357", "2468"),
        (KWIKSET, "9090", "0909"),
        (KWIKSET_955, "123456", "123499"),
        (KWIKSET_955, "1234", "12345678"),
        (PinRules(paired_buttons=True, unique_first=4), "13579", "24681"),
    ],
)
def test_what_the_lock_cannot_tell_apart_is_one(rules: PinRules, one: str, other: str) -> None:
    assert canonical(rules, one) == canonical(rules, other)


@pytest.mark.parametrize(
    ("rules", "one", "other"), [(ANY, "1357", "2468"), (KWIKSET, "1357", "1359"), (KWIKSET, "1357", "13571")]
)
def test_what_the_lock_can_tell_apart_is_two(rules: PinRules, one: str, other: str) -> None:
    assert canonical(rules, one) != canonical(rules, other)


@given(rules=any_rules, digits=pins)
def test_a_canonical_form_is_its_own(rules: PinRules, digits: str) -> None:
    form = canonical(rules, digits)
    assert canonical(rules, form) == form


@pytest.mark.parametrize(
    ("rules", "digits", "says"),
    [
        (ANY, "12a4", "digits 0 to 9"),
        (ANY, "12 34", "digits 0 to 9"),
        (ANY, "", "digits 0 to 9"),
        (ANY, "٣٤٥٦", "digits 0 to 9"),  # digits elsewhere, not on a keypad
        (ANY, "123", "4 to 8 digits"),
        (ANY, "123456789", "4 to 8 digits"),
        (PinRules(lengths=(4, 6)), "12345", "4 or 6 digits"),
        (NUKI, "1357", "6 digits"),
        (NUKI, "135790", "no 0"),
        (PinRules(forbidden_digits="089"), "1358", "no 0, 8 or 9"),
        (NUKI, "123579", "cannot start with 12"),
        (STRICT, "373737", "at least 3 different"),
        (STRICT, "412379", "no three digits in a row"),
        (STRICT, "493217", "no three digits in a row"),
    ],
)
def test_a_broken_rule_is_named(rules: PinRules, digits: str, says: str) -> None:
    found = problem(rules, digits)
    assert found is not None
    assert says in found
    assert not digits or digits not in found


@pytest.mark.parametrize(
    ("rules", "digits"),
    [
        (ANY, "7391"),
        (ANY, "73918264"),
        (NUKI, "731594"),
        (STRICT, "739184"),
        (STRICT, "890142"),
        (SCHLAGE, "73918"),
    ],
)
def test_a_good_pin_breaks_none(rules: PinRules, digits: str) -> None:
    assert problem(rules, digits) is None


def test_all_codes_of_one_length_take_the_length_that_is_there() -> None:
    assert problem(SCHLAGE, "73918", length=5) is None
    assert "have 5 digits" in (problem(SCHLAGE, "7391", length=5) or "")
    assert problem(ANY, "7391", length=5) is None  # others mix lengths


WEAK = """
    1234 4321 7890 0987 6789 0000 7777 1212 1122 1221 1213121 123123 112233 123321 2468 1357 2580 0852 1999
    2026 1974 345678 911112 91234 159753 147258 13579 1478
"""


@pytest.mark.parametrize("digits", WEAK.split())
def test_a_pin_that_is_easily_guessed_is_weak(digits: str) -> None:
    assert weak(digits)


@pytest.mark.parametrize("digits", ["7391", "8250", "40713", "739184", "2178", "18350624"])
def test_an_ordinary_pin_is_not(digits: str) -> None:
    assert not weak(digits)


@given(rules=any_rules)
@settings(max_examples=200, deadline=None)
def test_a_generated_pin_keeps_every_rule_or_none_is_left(rules: PinRules) -> None:
    try:
        digits = generate(rules, taken=nothing).reveal()
    except NoPinLeft:
        return
    assert problem(rules, digits) is None
    assert not weak(digits)
    assert len(digits) in rules.lengths


@pytest.mark.parametrize("rules", MAKES)
def test_every_make_gets_a_pin_of_its_preferred_length(rules: PinRules) -> None:
    pin = generate(rules, taken=nothing)
    assert isinstance(pin, Secret)
    assert len(pin.reveal()) == rules.lengths[0]


def test_a_lock_of_one_length_gets_that_length() -> None:
    assert len(generate(SCHLAGE, taken=nothing, length=7).reveal()) == 7


@pytest.mark.parametrize("rules", MAKES)
def test_two_hundred_on_one_lock_never_meet(rules: PinRules) -> None:
    forms: set[str] = set()
    for _each in range(200):
        forms.add(canonical(rules, generate(rules, taken=forms.__contains__).reveal()))
    assert len(forms) == 200


def test_shared_buttons_never_make_a_pin_of_two_buttons() -> None:
    """On paired buttons 1324 is pressed like 1133."""
    rules = PinRules(lengths=(4,), paired_buttons=True)
    for _each in range(300):
        assert not weak(canonical(rules, generate(rules, taken=nothing).reveal()))


def test_the_last_one_left_is_found() -> None:
    assert generate(PinRules(lengths=(4,)), taken=lambda form: form != "7391").reveal() == "7391"


def test_a_longer_one_is_taken_when_the_preferred_length_is_used_up() -> None:
    assert len(generate(PinRules(lengths=(4, 6)), taken=lambda form: len(form) == 4).reveal()) == 6


@pytest.mark.parametrize("rules", [ANY, PinRules(lengths=(4,), forbidden_digits="0123456789"), KWIKSET_955])
def test_it_says_so_when_none_is_left(rules: PinRules) -> None:
    with pytest.raises(NoPinLeft, match="taken"):
        generate(rules, taken=lambda form: True)


def test_a_lock_of_one_length_does_not_mix_lengths_when_full() -> None:
    with pytest.raises(NoPinLeft):
        generate(SCHLAGE, taken=lambda form: True, length=4)
