"""Finding words in names as people type them: no matter the case, and without the accents."""

import unicodedata

PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})


def fold(text: str) -> str:
    """`Chloé Sørensen` as `chloe sorensen`."""
    if text.isascii():
        return text.casefold()
    apart = unicodedata.normalize("NFKD", text.casefold().translate(PLAIN))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def found(words: list[str], *texts: str) -> bool:
    """Whether every word, folded before, is in one of the texts."""
    folded = " ".join(fold(text) for text in texts)
    return all(word in folded for word in words)
