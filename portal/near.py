"""Names that are nearly what was typed, for errors that help."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST = 5


def near(words: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that look or begin like `words`, the nearest first, five at most."""
    by_fold = {name.casefold(): name for name in names}
    typed = words.casefold().strip()
    holding = [fold for fold in by_fold if typed and typed in fold]
    alike = get_close_matches(typed, by_fold, n=MOST, cutoff=0.5)
    return [by_fold[fold] for fold in dict.fromkeys([*alike, *holding])][:MOST]
