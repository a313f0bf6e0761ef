"""Digits on locks: what a make allows, what it cannot tell apart, what is too easy to guess. Knows no row.

A make's rules are data (`PinRules`). Digits are plain text here and are never kept, logged or shown;
what is generated leaves as a `Secret`.
"""

import secrets
from collections.abc import Callable, Iterator
from itertools import pairwise, product

from django.utils.translation import gettext as _

from devices.providers.base import PinRules
from portal.secret import Secret

PAIRED = str.maketrans("24680", "13579")  # buttons 12, 34, 56, 78, 90
FAVOURITES = """
    0911 1004 1120 1470 1478 1590 2580 0852 3690 0963 7410 7412 8520 9110 9630 1236 3214 7896 9874 1379 9731
    7913 14789 98741 15973 24680 08642 13579 90210 11223 147258 258147 147852 159753 357159 753951 258456
    456852 789456 456789 142536 741852 852963 963852 123654 123789 123987 321654 654123 987456 102030 121314
    131415 007007 520131 112358 314159 271828
"""
WELL_KNOWN = frozenset(FAVOURITES.split())  # what people choose: keypad shapes, films, constants
SCANNED = 200_000  # up to so many combinations all are tried before giving up
TRIES = 20_000  # at random, where there are more


class NoPinLeft(Exception):
    """No PIN keeps the lock's rules and is free. The text is for a manager to read."""


def pressed(rules: PinRules, digits: str) -> str:
    """The buttons these digits press, each named by one digit: paired, 2468 presses 1357."""
    return digits.translate(PAIRED) if rules.paired_buttons else digits


def canonical(rules: PinRules, digits: str) -> str:
    """One text for all digits that cannot be on this lock together, so they share a digest."""
    buttons = pressed(rules, digits)
    return buttons[: rules.unique_first] if rules.unique_first else buttons


def problem(rules: PinRules, digits: str, *, length: int | None = None) -> str | None:
    """The rule these digits break, in a manager's words without the digits; None if they keep all.

    `length` is what all codes on this lock have; it counts where the rules ask for one length.
    """
    return next(_problems(rules, digits, length), None)


SHORT_STEPS = {0, 1, 2, 8, 9}  # modulo ten: 8 is two down, 9 is one down


def weak(digits: str) -> bool:
    """Easy to guess: few different digits, a run or row, halves or pairs that repeat, a mirror, a year."""
    return (
        len(set(digits)) < 3
        or digits in WELL_KNOWN
        or digits in (digits + digits)[1:-1]
        or digits == digits[::-1]
        or digits[::2] == digits[1::2]
        or _has_even_steps(digits)
        or (len(digits) == 4 and digits[:2] in ("19", "20"))
    )


def generate(rules: PinRules, *, taken: Callable[[str], bool], length: int | None = None) -> Secret:
    """A random PIN that keeps the rules, is not weak and whose canonical form is not `taken`.

    Of the first allowed length while one is left there, then of the next; of `length` alone when it is given
    and the rules ask for one length. Raises NoPinLeft. Tries 200,000 combinations of each length at most.
    """
    for digits in _candidates(rules, length):
        if _fit(rules, digits, length) and not taken(canonical(rules, digits)):
            return Secret(digits)
    raise NoPinLeft(_("All PINs that keep this lock's rules are taken. Remove codes it no longer needs."))


def _problems(rules: PinRules, digits: str, length: int | None) -> Iterator[str]:
    if not digits or not set(digits) <= set("0123456789"):
        yield _("A PIN is made of the digits 0 to 9.")
    lengths = _lengths(rules, length)
    if len(digits) not in lengths:
        yield _length_rule(rules, lengths)
    if set(digits) & set(rules.forbidden_digits):
        yield _("This lock takes no %(digits)s in a PIN.") % {"digits": _either(sorted(rules.forbidden_digits))}
    if digits.startswith(rules.forbidden_starts):
        yield _("On this lock a PIN cannot start with %(starts)s.") % {"starts": _either(rules.forbidden_starts)}
    if len(set(digits)) < rules.least_different:
        yield _("This lock wants at least %(count)d different digits.") % {"count": rules.least_different}
    if rules.no_runs_of_three and _has_run_of_three(digits):
        yield _("This lock takes no three digits in a row, like 123 or 321.")


def _lengths(rules: PinRules, length: int | None) -> tuple[int, ...]:
    return (length,) if rules.one_length and length is not None else rules.lengths


def _length_rule(rules: PinRules, lengths: tuple[int, ...]) -> str:
    if len(lengths) == 1 and rules.one_length:
        return _("All codes on this lock have %(count)d digits.") % {"count": lengths[0]}
    low, high = min(lengths), max(lengths)
    if len(lengths) > 2 and high - low + 1 == len(lengths):
        return _("On this lock a PIN has %(low)d to %(high)d digits.") % {"low": low, "high": high}
    counts = _either([str(count) for count in sorted(lengths)])
    return _("On this lock a PIN has %(counts)s digits.") % {"counts": counts}


def _either(words: tuple[str, ...] | list[str]) -> str:
    *most, last = words
    return _("%(most)s or %(last)s") % {"most": ", ".join(most), "last": last} if most else last


def _steps(digits: str) -> list[int]:
    return [(int(b) - int(a)) % 10 for a, b in pairwise(digits)]


def _has_even_steps(digits: str) -> bool:
    """Four digits the same short distance apart somewhere: 1234, 7890, 9876, 2468, 7777."""
    steps = _steps(digits)
    return any(len(set(steps[i : i + 3])) == 1 and steps[i] in SHORT_STEPS for i in range(len(steps) - 2))


def _has_run_of_three(digits: str) -> bool:
    ups = [int(b) - int(a) for a, b in pairwise(digits)]
    return any(first == second and abs(first) == 1 for first, second in pairwise(ups))


def _fit(rules: PinRules, digits: str, length: int | None) -> bool:
    return not weak(digits) and not weak(pressed(rules, digits)) and problem(rules, digits, length=length) is None


def _candidates(rules: PinRules, length: int | None) -> Iterator[str]:
    alphabet = "".join(sorted(set("0123456789") - set(rules.forbidden_digits)))
    for count in _lengths(rules, length):
        yield from _of_length(alphabet, count)


def _of_length(alphabet: str, count: int) -> Iterator[str]:
    """Random digits: some tries, then each combination once if they are few, else many tries."""
    if not alphabet:
        return
    few = len(alphabet) ** count <= SCANNED
    for _try in range(200 if few else TRIES):
        yield "".join(secrets.choice(alphabet) for _digit in range(count))
    if few:
        combinations = list(product(alphabet, repeat=count))
        secrets.SystemRandom().shuffle(combinations)
        yield from ("".join(digits) for digits in combinations)
