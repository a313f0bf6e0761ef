"""The Z-Wave provider against the real driver: what it says of a lock is held against what is truly on it."""

import pytest

from devices.providers.base import (
    ALWAYS,
    Addressing,
    CodeId,
    Handle,
    NoAnswer,
    Observation,
    Outcome,
    ReadBack,
    Reason,
    Result,
    Seen,
    Slot,
    Unreachable,
)
from devices.providers.zwave import ZwaveProvider
from portal.secret import Secret
from tests.zwave.mocknet import HOME, Network

MODERN, LEGACY, TINY, NAMED = 2, 3, 4, 5
ALL = (MODERN, LEGACY, TINY, NAMED)
FAULTS = (
    "unreachable",
    "mute",
    "apply_then_silent",
    "reject_set",
    "reject_duplicate",
    "full",
    "ignore_set",
    "mask_codes",
    "wiped",
)
LABEL = "Guest 00AF"


def ref(node: int) -> str:
    return f"{HOME}-{node}"


def put(provider: ZwaveProvider, node: int, slot: int, pin: str) -> Outcome:
    return provider.put(ref(node), Slot(slot), Secret(pin), LABEL, ALWAYS, deadline=10)


def read(provider: ZwaveProvider, node: int, slot: int) -> Observation:
    return provider.read(ref(node), Slot(slot), deadline=10)


def remove(provider: ZwaveProvider, node: int, slot: int) -> Outcome:
    return provider.remove(ref(node), Slot(slot), deadline=10)


def shows(seen: Observation, pin: str) -> bool:
    return seen.seen == Seen.CODE and seen.pin == Secret(pin)


def test_it_discovers_the_locks(provider: ZwaveProvider) -> None:
    found = {lock.lock_ref: lock for lock in provider.discover(deadline=10)}
    assert set(found) == {ref(node) for node in ALL}
    slots = {node: found[ref(node)].capabilities.slots for node in ALL}  # type: ignore[union-attr]
    assert slots == {MODERN: 30, LEGACY: 30, TINY: 5, NAMED: 10}
    assert {node: found[ref(node)].battery for node in ALL} == {MODERN: 87, LEGACY: 42, TINY: 9, NAMED: 66}
    assert all(lock.name for lock in found.values())


@pytest.mark.parametrize(("node", "label_length"), [(MODERN, 0), (LEGACY, 0), (TINY, 0), (NAMED, 32)])
def test_it_knows_what_a_lock_can_do(provider: ZwaveProvider, node: int, label_length: int) -> None:
    found = provider.capabilities(ref(node), deadline=10)
    assert found.addressing == Addressing.SLOT
    assert found.pins.lengths == (4, 5, 6, 7, 8, 9, 10)
    assert found.label_length == label_length
    assert found.read_back == ReadBack.FULL
    assert found.backup_pool is True
    assert not found.native_schedules
    assert not found.listable
    assert found.max_late > 0


@pytest.mark.parametrize("node", ALL)
def test_a_code_is_set_read_and_removed(provider: ZwaveProvider, network: Network, node: int) -> None:
    assert read(provider, node, 3).seen == Seen.EMPTY
    assert put(provider, node, 3, "4711").result in (Result.CONFIRMED, Result.ACCEPTED)
    assert network.codes(node) == {3: "4711"}
    seen = read(provider, node, 3)
    assert shows(seen, "4711")
    assert seen.handle == Slot(3)
    assert seen.label == (LABEL if node == NAMED else "")
    assert remove(provider, node, 3).result in (Result.CONFIRMED, Result.ACCEPTED)
    assert network.codes(node) == {}
    assert read(provider, node, 3).seen == Seen.EMPTY


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("node", ALL)
def test_what_it_says_of_a_write_is_true(provider: ZwaveProvider, network: Network, node: int, fault: str) -> None:
    network.plant(node, 1, "1111")
    network.fault(node, fault)
    outcome = put(provider, node, 2, "4711")
    seen = read(provider, node, 2)
    truth = network.codes(node).get(2)

    if shows(seen, "4711"):
        assert truth == "4711"
    if seen.seen == Seen.EMPTY:
        assert truth is None
    if outcome.result in (Result.REJECTED, Result.UNREACHABLE):
        assert truth is None
    assert outcome.result in EXPECTED[fault]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("node", ALL)
def test_what_is_unknown_resolves_once_the_fault_heals(
    provider: ZwaveProvider, network: Network, node: int, fault: str
) -> None:
    network.fault(node, fault)
    put(provider, node, 2, "4711")
    network.fault(node, None)
    seen = read(provider, node, 2)
    assert shows(seen, "4711") is (network.codes(node) == {2: "4711"})
    assert (seen.seen == Seen.EMPTY) is (network.codes(node) == {})
    assert put(provider, node, 2, "4711").result in (Result.CONFIRMED, Result.ACCEPTED)
    assert shows(read(provider, node, 2), "4711")
    assert network.codes(node) == {2: "4711"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("node", ALL)
def test_what_it_says_of_a_removal_is_true(provider: ZwaveProvider, network: Network, node: int, fault: str) -> None:
    network.plant(node, 2, "4711")
    network.fault(node, fault)
    outcome = remove(provider, node, 2)
    seen = read(provider, node, 2)

    if seen.seen == Seen.EMPTY:
        assert network.codes(node) == {}
    if outcome.result in (Result.REJECTED, Result.UNREACHABLE):
        assert network.codes(node) == {2: "4711"}
    network.fault(node, None)
    assert remove(provider, node, 2).result in (Result.CONFIRMED, Result.ACCEPTED)
    assert read(provider, node, 2).seen == Seen.EMPTY
    assert network.codes(node) == {}


DONE = {Result.CONFIRMED, Result.ACCEPTED}
EXPECTED = {
    "unreachable": {Result.UNKNOWN, Result.UNREACHABLE},
    "mute": {Result.UNKNOWN, Result.UNREACHABLE, Result.ACCEPTED},  # accepted: a lock that never confirms
    "apply_then_silent": {Result.UNKNOWN, Result.ACCEPTED},
    "reject_set": {Result.REJECTED, Result.ACCEPTED},
    "reject_duplicate": DONE,  # these digits are no duplicate
    "full": {Result.REJECTED, Result.ACCEPTED},
    "ignore_set": DONE,  # a lie that only reading back finds out
    "mask_codes": DONE,
    "wiped": DONE,
}


@pytest.mark.parametrize("node", ALL)
def test_asterisks_prove_presence_and_no_digits(provider: ZwaveProvider, network: Network, node: int) -> None:
    network.plant(node, 2, "4711")
    network.fault(node, "mask_codes")
    seen = read(provider, node, 2)
    assert seen.seen == Seen.MASKED
    assert seen.pin is None
    assert read(provider, node, 3).seen == Seen.EMPTY


@pytest.mark.parametrize("node", ALL)
def test_no_answer_is_never_empty(provider: ZwaveProvider, network: Network, node: int) -> None:
    for fault in ("mute", "unreachable"):
        network.fault(node, fault)
        assert read(provider, node, 2).seen == Seen.NO_ANSWER


@pytest.mark.parametrize("node", [MODERN, TINY])
def test_user_code_locks_refuse_without_a_reason(provider: ZwaveProvider, network: Network, node: int) -> None:
    network.plant(node, 1, "4711")
    for fault in ("reject_duplicate", "reject_set", "full"):
        network.fault(node, fault)
        assert put(provider, node, 2, "4711") == Outcome(Result.REJECTED, Reason.UNSPECIFIED)


def test_a_user_credential_lock_names_a_duplicate_and_keeps_no_nameless_user(
    provider: ZwaveProvider, network: Network
) -> None:
    network.plant(NAMED, 1, "4711", name="Owner")
    assert put(provider, NAMED, 2, "4711") == Outcome(Result.REJECTED, Reason.DUPLICATE)
    assert network.state()[NAMED]["users"] == {"1": "Owner"}


def test_a_user_left_without_a_pin_counts_as_empty_and_is_completed(provider: ZwaveProvider, network: Network) -> None:
    network.plant(NAMED, 2, "", name="Left over")
    assert read(provider, NAMED, 2).seen == Seen.EMPTY
    assert put(provider, NAMED, 2, "4711").result == Result.CONFIRMED
    assert read(provider, NAMED, 2).label == LABEL


@pytest.mark.parametrize("node", ALL)
def test_a_code_that_is_switched_off_is_not_ours(provider: ZwaveProvider, network: Network, node: int) -> None:
    network.plant(node, 2, "4711", enabled=False)
    seen = read(provider, node, 2)
    assert seen.seen == Seen.CODE
    assert not shows(seen, "4711")


@pytest.mark.parametrize("node", ALL)
def test_a_wiped_lock_takes_its_codes_again(provider: ZwaveProvider, network: Network, node: int) -> None:
    put(provider, node, 2, "4711")
    network.fault(node, "wiped")
    assert read(provider, node, 2).seen == Seen.EMPTY
    put(provider, node, 2, "4711")
    assert shows(read(provider, node, 2), "4711")


@pytest.mark.parametrize("node", ALL)
def test_a_full_read_gives_what_is_there(provider: ZwaveProvider, network: Network, node: int) -> None:
    network.plant(node, 1, "1111")
    network.plant(node, 4, "4711")
    found = provider.read_all(ref(node), deadline=20)
    assert [(seen.handle, seen.pin) for seen in found] == [(Slot(1), Secret("1111")), (Slot(4), Secret("4711"))]


@pytest.mark.parametrize("node", ALL)
def test_a_full_read_fails_unless_every_place_answers(provider: ZwaveProvider, network: Network, node: int) -> None:
    network.fault(node, "mute")
    with pytest.raises(NoAnswer):
        provider.read_all(ref(node), deadline=10)
    network.fault(node, "unreachable")
    with pytest.raises(Unreachable):
        provider.read_all(ref(node), deadline=10)


@pytest.mark.parametrize("node", [MODERN, NAMED])
def test_health_asks_the_lock(provider: ZwaveProvider, network: Network, node: int) -> None:
    network.fault(node, None, battery=15)
    assert provider.health(ref(node), deadline=10).battery == 15
    network.fault(node, "unreachable")
    assert not provider.health(ref(node), deadline=10).online
    network.fault(node, "mute")
    with pytest.raises(NoAnswer):
        provider.health(ref(node), deadline=10)
    network.fault(node, None)
    assert provider.health(ref(node), deadline=10).online


def test_another_network_or_an_unknown_lock_is_unreachable(provider: ZwaveProvider, network: Network) -> None:
    for lock_ref in ("00000001-2", f"{HOME}-99", f"{HOME}-1", "2", ""):
        outcome = provider.put(lock_ref, Slot(2), Secret("4711"), LABEL, ALWAYS, deadline=10)
        assert outcome.result == Result.UNREACHABLE
        assert provider.read(lock_ref, Slot(2), deadline=10).seen == Seen.NO_ANSWER
        with pytest.raises(Unreachable):
            provider.read_all(lock_ref, deadline=10)
    assert all(network.codes(node) == {} for node in ALL)


@pytest.mark.parametrize("handle", [Slot(0), Slot(31), CodeId("4711")])
def test_a_place_the_lock_does_not_have_is_refused(provider: ZwaveProvider, network: Network, handle: Handle) -> None:
    refused = provider.put(ref(MODERN), handle, Secret("4711"), LABEL, ALWAYS, deadline=10)
    assert (refused.result, refused.reason) == (Result.REJECTED, Reason.UNSUPPORTED)
    assert provider.remove(ref(MODERN), handle, deadline=10).result == Result.REJECTED
    assert provider.read(ref(MODERN), handle, deadline=10).seen == Seen.NO_ANSWER


@pytest.mark.parametrize("node", ALL)
def test_digits_the_driver_refuses_are_invalid_and_not_repeated_in_its_words(
    provider: ZwaveProvider, network: Network, node: int
) -> None:
    outcome = put(provider, node, 2, "12")
    assert outcome.result != Result.CONFIRMED
    assert "12" not in outcome.detail
    assert network.codes(node) == {}
