"""Whether the keys open what is stored, found out without showing any of it."""

from collections.abc import Iterator

from codes.doctor.finding import Finding, note, ok, wrong
from devices import pins
from devices.models import Pin
from devices.stores import stores_of_secrets
from portal.rotation import Count, sample
from portal.secret import key_of

AREA = "keys"
LOOKED_AT = 25  # of the oldest and of the newest rows of each kind
DIGESTS = 5


def look() -> Iterator[Finding]:
    counts = [sample(store, LOOKED_AT) for store in stores_of_secrets()]
    yield from (_lost(one) for one in counts if one.lost)
    if older := sum(one.older for one in counts):
        says = f"{older} of those looked at need a key that is not the first of PIN_KEYS"
        yield note(AREA, says, "Run manage.py rotate_pin_keys before an old key goes.")
    total = sum(one.total for one in counts)
    if not any(one.lost for one in counts):
        yield ok(AREA, f"PIN_KEYS opens all {total} secrets looked at" if total else "no secret is stored yet")
    yield from _digests()


def _lost(one: Count) -> Finding:
    says = f"no key in PIN_KEYS opens {one.lost} of {one.total} in {one.store.name}"
    return wrong(AREA, says, "Put the key that they were written with back into PIN_KEYS, at the end.")


def _digests() -> Iterator[Finding]:
    """Digits are told apart by their digest: with another PIN_DIGEST_KEY, two guests could get the same."""
    newest = [pin for pin in Pin.objects.select_related("device").order_by("-pk")[:LOOKED_AT] if _opens(pin)][:DIGESTS]
    if not newest:
        return
    if any(pins.digest_of(pin.device, pin.secret) == pin.digest for pin in newest):
        yield ok(AREA, "PIN_DIGEST_KEY is the one the PINs were stored with")
    else:
        says = "PIN_DIGEST_KEY is not the one the newest PINs were stored with"
        yield wrong(AREA, says, "Set it back: with another, equal PINs are not told apart.")


def _opens(pin: Pin) -> bool:
    return key_of(pin.secret) is not None
