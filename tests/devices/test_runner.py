"""The runner makes the calls on threads and keeps all database work on the task's own."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import pytest
from django.db import IntegrityError

from devices import runner
from devices.lease import CALL_SLACK, SEVERAL, LeaseLost
from devices.programming import Call, ProviderFailed, Steps
from devices.providers.base import NoAnswer, Unreachable
from devices.runner import AT_ONCE, perform, run, run_many
from tests import factories


class FakeProvider:
    """Answers each call with what a test put there, on whatever thread it is asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[], object]] = {}
        self.threads: set[int] = set()
        self.began: list[str] = []

    def read(self, lock_ref: str, *arguments: object, deadline: float) -> object:
        self.threads.add(threading.get_ident())
        self.began.append(lock_ref)
        return self.answers[lock_ref]()


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    fake = FakeProvider()
    monkeypatch.setattr(runner, "provider_for", lambda hub: fake)
    return fake


def call(name: str, deadline: float = 1) -> Call:
    return Call(factories.HubFactory.build(), "read", name, (), deadline)


def more(*turns: Steps[None]) -> Callable[[int], list[Steps[None]]]:
    waiting: Iterator[Steps[None]] = iter(turns)
    return lambda room: list(islice(waiting, 1))


def raises(error: BaseException) -> Callable[[], object]:
    def answer() -> object:
        raise error

    return answer


def test_answers_are_sent_and_errors_thrown_into_the_turn(provider: FakeProvider) -> None:
    provider.answers = {"a": lambda: 1, "b": raises(NoAnswer("lost"))}
    got: list[object] = []

    def turn() -> Steps[None]:
        got.append((yield call("a")))
        try:
            yield call("b")
        except NoAnswer:
            got.append("no answer")

    run(turn())
    run_many(more(turn()))
    assert got == [1, "no answer", 1, "no answer"]


def test_calls_run_side_by_side_and_turns_on_one_thread(provider: FakeProvider) -> None:
    together = threading.Barrier(4, timeout=30)
    provider.answers = {"a": together.wait}
    mine: set[int] = set()

    def turn() -> Steps[None]:
        for _ in range(2):
            mine.add(threading.get_ident())
            yield call("a", 5)
            mine.add(threading.get_ident())

    run_many(more(*(turn() for _ in range(4))))
    assert mine == {threading.get_ident()}
    assert threading.get_ident() not in provider.threads
    assert len(provider.threads) >= 4


def test_no_more_than_sixteen_turns_at_once(provider: FakeProvider) -> None:
    running, most = 0, 0
    guard, full = threading.Lock(), threading.Event()

    def answer() -> None:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
            if running == 16:
                full.set()
        full.wait(5)
        time.sleep(0.02)  # for one too many to come, if one would
        with guard:
            running -= 1

    provider.answers = {"a": answer}

    def turn() -> Steps[None]:
        yield call("a")

    run_many(more(*(turn() for _ in range(40))))
    assert most == 16
    assert len(provider.began) == 40


def test_work_that_comes_up_meanwhile_is_taken_on(provider: FakeProvider) -> None:
    release = threading.Event()
    provider.answers = {"slow": lambda: release.wait(5), "new": release.set}
    asked = 0

    def slow() -> Steps[None]:
        yield call("slow", 5)

    def new() -> Steps[None]:
        yield call("new", 5)

    def next_one(room: int) -> list[Steps[None]]:
        nonlocal asked
        asked += 1
        return {1: [slow()], 3: [new()]}.get(asked, [])

    run_many(next_one)
    assert provider.began == ["slow", "new"]


def test_a_pressing_answer_is_taken_before_others_that_waited_longer(provider: FakeProvider) -> None:
    here = threading.Barrier(4, timeout=30)
    provider.answers = {"a": here.wait}
    taken: list[str] = []

    def turn(name: str, *, pressing: bool = False) -> Steps[None]:
        yield replace(call("a", 5), pressing=pressing)
        taken.append(name)

    def next_one(room: int) -> list[Steps[None]]:
        match next(asked):
            case 3:
                here.wait()  # all are answered before the first is taken
                time.sleep(0.2)
        return list(islice(turns, 1))

    turns = iter([turn("first"), turn("second"), turn("a guest's", pressing=True)])
    asked = iter(range(99))
    run_many(next_one)
    assert taken == ["a guest's", "first", "second"]


def test_all_that_is_answered_goes_on_before_another_turn_starts(provider: FakeProvider) -> None:
    here = threading.Barrier(3, timeout=30)
    provider.answers = {"a": here.wait}
    happened: list[str] = []

    def turn(name: str) -> Steps[None]:
        happened.append(f"{name} starts")
        yield call("a" if name in ("first", "second") else "b", 5)
        happened.append(f"{name} is covered")

    def next_one(room: int) -> list[Steps[None]]:
        if len(happened) == 2:
            here.wait()
            time.sleep(0.2)  # both are answered while a third is made ready
        return list(islice(turns, 1))

    turns = iter([turn("first"), turn("second"), turn("third"), turn("fourth")])
    provider.answers["b"] = lambda: None
    run_many(next_one)
    assert happened.index("second is covered") < happened.index("fourth starts")


def test_a_few_that_end_make_room_for_others_before_the_rest_that_is_answered_goes_on(provider: FakeProvider) -> None:
    many = SEVERAL + 4
    here = threading.Barrier(many + 1, timeout=30)
    provider.answers = {"a": here.wait, "b": lambda: None}
    happened: list[str] = []

    def turn(name: str, lock_ref: str) -> Steps[None]:
        yield call(lock_ref, 5)
        happened.append(f"{name} ends")

    def others() -> Steps[None]:
        happened.append("another begins")
        yield call("b", 5)

    def next_ones(room: int) -> list[Steps[None]]:
        match next(asked):
            case 0:
                return [turn(str(number), "a") for number in range(many)]
            case 1:
                here.wait()  # all are answered before the first is taken
                time.sleep(0.2)
                return []
        return [others()] if "another begins" not in happened else []

    asked = iter(range(99))
    run_many(next_ones)
    assert happened.index("another begins") == SEVERAL


def test_it_is_told_for_how_many_there_is_room(provider: FakeProvider) -> None:
    may_end = threading.Event()
    provider.answers = {"a": may_end.wait}
    rooms: list[int] = []

    def turn() -> Steps[None]:
        yield call("a", 5)

    def next_ones(room: int) -> list[Steps[None]]:
        rooms.append(room)
        if len(rooms) > 2:
            may_end.set()
        return [turn(), turn(), turn()] if len(rooms) <= 2 else []

    run_many(next_ones)
    assert rooms[:3] == [AT_ONCE, AT_ONCE - 3, AT_ONCE - 6]


def guests_turn(happened: list[str]) -> Steps[None]:
    """A lock refused a guest, and is asked once more."""
    yield replace(call("refused", 5), pressing=True)
    happened.append("covered")


def begins(happened: list[str]) -> Steps[None]:
    happened.append("another begins")
    yield call("b", 5)


def test_while_a_lock_that_refused_a_guest_may_answer_at_once_nothing_else_is_begun(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "SOON", 5)
    provider.answers = {"refused": lambda: time.sleep(0.2), "b": lambda: None}
    happened: list[str] = []
    run_many(more(guests_turn(happened), begins(happened)))
    assert happened == ["covered", "another begins"]


def test_while_it_may_answer_at_once_no_other_answer_is_taken(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "SOON", 5)
    asked, refused, answered = threading.Event(), threading.Event(), threading.Event()
    happened: list[str] = []

    def answer_other() -> None:
        asked.set()
        refused.wait(5)
        answered.set()

    def guests() -> Steps[None]:
        yield call("put", 5)
        refused.set()
        assert answered.wait(5)
        yield from guests_turn(happened)

    def other() -> Steps[None]:
        yield call("other", 5)
        happened.append("other")

    put = {"put": lambda: asked.wait(5)}  # the other's lock is asked before the guest's has answered
    provider.answers = {**put, "other": answer_other, "refused": lambda: time.sleep(0.2)}
    turns = [other(), guests()]
    run_many(lambda room: [turns.pop()] if turns else [])
    assert happened == ["covered", "other"]


def test_a_lock_that_refused_a_guest_and_is_slow_keeps_nobody_waiting(provider: FakeProvider) -> None:
    asked = threading.Event()
    provider.answers = {"refused": lambda: asked.wait(5), "b": asked.set}
    happened: list[str] = []
    run_many(more(guests_turn(happened), begins(happened)))
    assert happened == ["another begins", "covered"] and asked.is_set()


def test_a_turn_that_lost_its_lease_ends_without_a_word(provider: FakeProvider, caplog) -> None:
    provider.answers = {"a": lambda: 1}

    def turn() -> Steps[None]:
        yield call("a")
        raise LeaseLost

    run_many(more(turn()))
    assert caplog.text == ""


def test_a_turn_that_breaks_leaves_the_others_alone(provider: FakeProvider, caplog) -> None:
    provider.answers = {"a": lambda: 1}
    ended: list[str] = []

    def broken() -> Steps[None]:
        yield call("a")
        raise RuntimeError("bug")

    def well() -> Steps[None]:
        yield call("a")
        yield call("a")
        ended.append("well")

    run_many(more(broken(), well()))
    assert ended == ["well"]
    assert "a turn broke" in caplog.text


def test_a_database_errors_message_which_prints_the_row_is_not_logged(provider: FakeProvider, caplog) -> None:
    def turn() -> Steps[None]:
        raise IntegrityError("DETAIL: Failing row contains (Ben Okafor, 4711)")
        yield

    run_many(more(turn()))
    assert "IntegrityError" in caplog.text
    assert "4711" not in caplog.text and "Okafor" not in caplog.text


def test_a_providers_error_says_its_class_alone(provider: FakeProvider) -> None:
    provider.answers = {"a": raises(ValueError("pin 4711 is odd"))}
    with pytest.raises(ProviderFailed, match=r"^ValueError$") as failed:
        perform(call("a"))
    assert failed.value.__cause__ is None


@pytest.mark.parametrize("error", [Unreachable("x"), NoAnswer("x"), TimeoutError()])
def test_what_the_protocol_knows_goes_through(provider: FakeProvider, error: Exception) -> None:
    provider.answers = {"a": raises(error)}
    with pytest.raises(type(error)):
        perform(call("a"))


def test_a_call_is_not_made_by_a_process_that_slept_past_its_time(provider: FakeProvider) -> None:
    """Stopped and woken again: by now the lock's lease may be another worker's."""
    provider.answers = {"a": lambda: 1}
    with pytest.raises(Unreachable):
        perform(replace(call("a"), asked_at=time.monotonic() - CALL_SLACK - 1))
    assert provider.began == []
    assert perform(replace(call("a"), asked_at=time.monotonic() - CALL_SLACK + 3)) == 1


def test_a_cancelled_driver_call_is_no_reason_to_stop(provider: FakeProvider) -> None:
    import asyncio

    provider.answers = {"a": raises(asyncio.CancelledError())}
    with pytest.raises(ProviderFailed):
        perform(call("a"))


def test_a_call_far_past_its_deadline_counts_as_unanswered(provider: FakeProvider, monkeypatch) -> None:
    monkeypatch.setattr(runner, "GRACE", 0.1)
    release = threading.Event()
    provider.answers = {"a": lambda: release.wait(10)}
    ended: list[str] = []

    def turn() -> Steps[None]:
        try:
            yield call("a", 0.1)
        except TimeoutError:
            ended.append("timed out")

    run_many(more(turn()))
    release.set()
    assert ended == ["timed out"]


def test_a_call_given_up_before_it_began_never_begins(provider: FakeProvider, monkeypatch) -> None:
    """By then the lock may be somebody else's."""
    from concurrent.futures import ThreadPoolExecutor

    one = ThreadPoolExecutor(1)
    monkeypatch.setattr(runner, "_pool", lambda pid: one)
    monkeypatch.setattr(runner, "GRACE", 0.1)
    release = threading.Event()
    provider.answers = {"hangs": lambda: release.wait(10), "waits": lambda: 1}

    def turn(name: str) -> Steps[None]:
        try:
            yield call(name, 0.1)
        except TimeoutError:
            return

    run_many(more(turn("hangs"), turn("waits")))
    release.set()
    one.shutdown(wait=True)
    assert provider.began == ["hangs"]
