"""Running several programs as one: they start together, come back when one dies, and end with their parent.

Each child leads a process group of its own, so that what it starts itself ends with it. A guard, a tiny
process that holds the other end of a pipe, kills the groups when the parent is gone without a word (`kill -9`).
Beside it, what keeps such processes small: `apart` and `loaded`.
"""

import ctypes
import gc
import os
import signal
import subprocess
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import FrameType
from typing import NoReturn, Self

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GUARD = Path(__file__).with_name("guard.py")


@dataclass(frozen=True)
class Program:
    """What is to run. `well`, asked every second with its age in seconds: False, it hangs, is started anew."""

    name: str
    argv: Sequence[str]
    well: Callable[[float], bool] | None = None
    once: bool = False  # ends by itself, and is then not started again
    descriptors: Sequence[int] = ()  # open files of the parent that it gets under the same numbers


class Guard:
    """The process that outlives its parent by a moment, to kill the groups it was told of."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own file
            [sys.executable, "-I", "-S", str(GUARD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101  it was asked for
        self.pipe = self._process.stdin.fileno()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def watch(self, group: int) -> None:
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        self._tell(f"-{group}\n")

    def dismiss(self) -> None:
        """End it; whatever it still watches, it kills."""
        assert self._process.stdin is not None  # noqa: S101  it was asked for
        self._process.stdin.close()
        self._process.wait(5)

    def _tell(self, line: str) -> None:
        with suppress(BrokenPipeError):
            os.write(self.pipe, line.encode())


class Child:
    """A program that runs, in its own process group."""

    def __init__(self, program: Program, guard: Guard, log: Path | None) -> None:
        self.program = program
        self.restarts: deque[float] = deque()
        self.ended = False
        self._log = log
        self.start(guard)

    def start(self, guard: Guard) -> None:
        parent, pipe = os.getpid(), guard.pipe
        self.began = time.monotonic()

        def before_exec() -> None:  # in the child: known to the guard before it can start anything
            os.write(pipe, f"+{os.getpid()}\n".encode())
            end_with_parent(parent)

        with self._log.open("ab") if self._log else nullcontext() as log:
            # The parent has one thread, so code between fork and exec is safe.
            self.process = subprocess.Popen(  # noqa: S603  the programs are the caller's own
                self.program.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=before_exec,
                pass_fds=tuple(self.program.descriptors),
            )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def ask_to_stop(self) -> None:
        """Tell the leader alone: a queue's workers end through it."""
        if self.alive:
            self.process.terminate()

    def kill(self) -> None:
        """End what is left of the group, at once."""
        kill_group(self.process.pid)
        self.process.wait()


class Supervisor:
    """Keeps programs running until it is told to stop.

    `with Supervisor(programs, logs=...) as running: running.watch()`, in the main thread of a process that has
    no other. `tell` gets a sentence when a program dies and when it is given up. Without `logs` the programs write
    where their parent does. `grace`: seconds to end by themselves. `patient`: nobody is ever given up.
    """

    RESTARTS = 5  # of one program within
    PERIOD = 60.0  # seconds, before it is given up, or waited for longer
    LONGEST_PAUSE = 5.0
    CHECK_EVERY = 1.0

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        logs: Path | None,
        tell: Callable[[str], None],
        pause: float = 1.0,
        grace: float = 3.5,
        patient: bool = False,
    ) -> None:
        self.programs, self.logs, self.tell, self.pause = programs, logs, tell, pause
        self.grace, self.patient = grace, patient
        self.children: list[Child] = []
        self._stop = Event()

    def __enter__(self) -> Self:
        if self.logs:
            self.logs.mkdir(parents=True, exist_ok=True)
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_signal)
        self.guard = Guard()
        try:
            for program in self.programs:
                self.add(program)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def log_of(self, program: Program) -> Path | None:
        return self.logs / f"{program.name}.log" if self.logs else None

    def add(self, program: Program) -> None:
        """Start one more."""
        self.children.append(Child(program, self.guard, self.log_of(program)))

    def watch(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Block until a signal comes or `until` is met (True), or a program that keeps dying is given up (False)."""
        checked = time.monotonic()
        while not until() and not self._stop.wait(0.2):
            self._renew_guard()
            if time.monotonic() - checked > self.CHECK_EVERY:
                self._end_those_that_hang()
                checked = time.monotonic()
            if not all(self._keep_running(child) for child in self.children):
                return False
        return True

    def stop(self) -> None:
        """End all children: asked first, killed when the grace is over."""
        self._stop.set()
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + self.grace
        while time.monotonic() < deadline and any(child.alive for child in self.children):
            time.sleep(0.05)
        for child in self.children:
            child.kill()
            self.guard.forget(child.process.pid)
        self.children = []
        self.guard.dismiss()

    def _keep_running(self, child: Child) -> bool:
        """Start the child anew if it has died. False: it dies too often."""
        if child.ended or child.alive:
            return True
        name, code = child.program.name, child.process.returncode
        child.kill()
        self.guard.forget(child.process.pid)
        if child.program.once:
            child.ended = True
            if code:
                self.tell(f"{name} ended early ({_reason(code)}){self._where(child)}.")
            return True
        return self._restart(child, f"{name} ended by itself ({_reason(code)})")

    def _restart(self, child: Child, what: str) -> bool:
        now = time.monotonic()
        while child.restarts and now - child.restarts[0] > self.PERIOD:
            child.restarts.popleft()
        where, often = self._where(child), len(child.restarts)
        if often >= self.RESTARTS and not self.patient:
            self.tell(f"{what} {self.RESTARTS + 1} times in {self.PERIOD:.0f} s; giving up.{where.replace(';', '')}")
            return False
        self.tell(f"{what}; starting it again{where}.")
        child.restarts.append(now)
        pause = min(self.pause * 2 ** (often // 2), self.LONGEST_PAUSE) if self.patient else self.pause
        if not self._stop.wait(pause):
            child.start(self.guard)
        return True

    def _where(self, child: Child) -> str:
        log = self.log_of(child.program)
        return f"; its log is {log}" if log else ""

    def _end_those_that_hang(self) -> None:
        for child in self.children:
            well = child.program.well
            if well and child.alive and not well(time.monotonic() - child.began):
                self.tell(f"{child.program.name} shows no sign of life.")
                child.kill()

    def _renew_guard(self) -> None:
        if not self.guard.alive:
            self.guard = Guard()
            for child in self.children:
                self.guard.watch(child.process.pid)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()


def loaded() -> None:
    """Say that this process has loaded its code: it stays, so the garbage collector need not look through it again.

    What is forked from here goes on sharing those pages, for they are not written to.
    """
    gc.collect()
    gc.freeze()


def apart(work: Callable[[], str]) -> str:
    """Do this in a process of its own, so that the memory it takes goes with it; what it returns. Raises RuntimeError.

    For a process of one thread.
    """
    answer, told = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        end_with_parent(parent)
        _answer(work, told)
    os.close(told)
    with os.fdopen(answer) as said:
        result = said.read()
    if code := os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        raise RuntimeError(f"It broke ({_reason(code)}).")
    return result


def _answer(work: Callable[[], str], told: int) -> NoReturn:
    try:
        os.write(told, work().encode())
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)


def end_with_parent(parent: int) -> None:
    """Get SIGTERM when this process' parent ends. For a child that knows its parent's id, just started."""
    if hasattr(LIBC, "prctl"):  # Linux; elsewhere the guard alone sees to it
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we asked
        os.kill(os.getpid(), signal.SIGTERM)


def end_with_launcher(*names: str) -> None:
    """End when the parent ends, if that is a launcher of one of these names (`uv run` stays our parent)."""
    parent = os.getppid()
    with suppress(OSError):
        if Path(f"/proc/{parent}/comm").read_text().strip() in names:
            end_with_parent(parent)


def kill_group(group: int) -> None:
    """SIGKILL to every process of the group; none left is fine."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
