"""Several programs run as one: real processes that are started, killed, restarted and counted afterwards."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

# A family: the program starts a grandchild; both write down their ids. The grandchild ignores SIGTERM.
FAMILY = """
import os, signal, subprocess, sys, time
grandchild = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
started = subprocess.Popen([sys.executable, "-S", "-c", grandchild])
with open(sys.argv[1], "a") as notes:
    print(os.getpid(), started.pid, file=notes)
time.sleep(300)
"""
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(sys.argv[1], "a") as notes:
    print(os.getpid(), file=notes)
time.sleep(300)
"""
# The parent under test: runs what its arguments say, prints what it is told, ends with 0 or 1.
PARENT = """
import sys
from pathlib import Path
from portal.process import Program, Supervisor, end_with_launcher

end_with_launcher("uv")
notes, source, *flags = sys.argv[1:]
hangs = (lambda age: age < 0.3) if "hangs" in flags else None
program = Program("family", [sys.executable, "-S", "-c", source, notes], well=hangs, once="once" in flags)
Supervisor.CHECK_EVERY = 0.5
tell = lambda text: print(text, flush=True)
with Supervisor([program], logs=Path(notes).parent, tell=tell, pause=0.05) as it:
    print("started", it.guard._process.pid, flush=True)
    sys.exit(0 if it.watch() else 1)
"""


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(what: Callable[[], object], within: float = 5) -> bool:
    deadline = time.monotonic() + within
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Run:
    """A parent with one program, and the notes its family takes."""

    def __init__(self, folder: Path, source: str, *flags: str, launcher: tuple[str, ...] = ()) -> None:
        self.notes = folder / "notes"
        self.notes.touch()
        self.process = subprocess.Popen(
            [*launcher, sys.executable, "-c", PARENT, str(self.notes), source, *flags],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.guard = int(self.process.stdout.readline().split()[1])

    def families(self) -> list[list[int]]:
        return [[int(pid) for pid in line.split()] for line in self.notes.read_text().splitlines()]

    def started(self, times: int = 1) -> list[list[int]]:
        """The ids of each family, once so many have been started."""
        assert eventually(lambda: len(self.families()) >= times, 15)
        return self.families()

    def everybody(self) -> list[int]:
        return [self.guard, *(pid for family in self.families() for pid in family)]

    def said(self) -> str:
        return self.process.communicate(timeout=30)[0]

    def end(self) -> None:
        for pid in [self.process.pid, *self.everybody()]:
            with suppress(ProcessLookupError):  # it ends while we look
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)
        self.process.communicate(timeout=30)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(source: str, *flags: str, launcher: tuple[str, ...] = ()) -> Run:
        runs.append(Run(tmp_path, source, *flags, launcher=launcher))
        return runs[-1]

    yield start
    for each in runs:
        each.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_ends_everybody_within_five_seconds(run: Callable[..., Run], number: signal.Signals) -> None:
    it = run(FAMILY)
    it.started()
    it.process.send_signal(number)
    assert it.process.wait(5) == 0
    assert not [pid for pid in it.everybody() if alive(pid)]


def test_a_program_that_will_not_stop_is_killed_in_time(run: Callable[..., Run]) -> None:
    it = run(STUBBORN)
    it.started()
    it.process.terminate()
    assert it.process.wait(5) == 0
    assert not [pid for pid in it.everybody() if alive(pid)]


def test_kill_9_of_the_parent_leaves_nobody_behind(run: Callable[..., Run]) -> None:
    it = run(FAMILY)
    it.started()
    it.process.kill()
    assert eventually(lambda: not [pid for pid in it.everybody() if alive(pid)])


def test_kill_9_of_the_guard_and_then_the_parent_leaves_nobody_behind(run: Callable[..., Run]) -> None:
    it = run(FAMILY)
    it.started()
    os.kill(it.guard, signal.SIGKILL)
    time.sleep(0.6)  # the parent looks five times a second
    it.process.kill()
    assert eventually(lambda: not [pid for pid in it.everybody() if alive(pid)])


def test_kill_9_of_the_launcher_leaves_nobody_behind(run: Callable[..., Run], tmp_path: Path) -> None:
    launcher = tmp_path / "uv"
    launcher.symlink_to(sys.executable)
    it = run(FAMILY, launcher=(str(launcher), "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"))
    it.started()
    it.process.kill()
    assert eventually(lambda: not [pid for pid in it.everybody() if alive(pid)])


def test_a_program_that_dies_is_started_again_without_its_orphans(run: Callable[..., Run]) -> None:
    it = run(FAMILY)
    [[child, grandchild]] = it.started()
    os.kill(child, signal.SIGKILL)
    _, [second, _] = it.started(2)
    assert alive(second)
    assert eventually(lambda: not alive(grandchild))
    it.process.terminate()
    assert "family ended by itself (signal SIGKILL); starting it again; its log is " in it.said()


def test_a_program_that_keeps_dying_is_given_up_by_name(run: Callable[..., Run]) -> None:
    it = run("import sys; open(sys.argv[1], 'a').write('0\\n'); sys.exit('no database')")
    assert it.process.wait(15) == 1
    assert "family ended by itself (exit status 1) 6 times in 60 s; giving up." in it.said()
    assert len(it.notes.read_text().splitlines()) == 6
    assert "no database" in (it.notes.parent / "family.log").read_text()


def test_a_program_that_hangs_is_started_again(run: Callable[..., Run]) -> None:
    it = run(FAMILY, "hangs")
    [first, *_] = it.started(2)
    assert eventually(lambda: not [pid for pid in first if alive(pid)])
    it.process.terminate()
    assert "family shows no sign of life." in it.said()


def test_a_program_may_be_done(run: Callable[..., Run]) -> None:
    it = run("import os, sys; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')", "once")
    it.started()
    time.sleep(0.6)  # three looks
    assert len(it.families()) == 1
    it.process.terminate()
    assert it.process.wait(5) == 0
    assert it.said() == ""


def apart(work: str) -> "subprocess.CompletedProcess[str]":
    """What a process prints that has this done apart: how much it kept of what the work remembered, and the answer."""
    source = f"""
from portal.process import apart
kept = []
def work():
    kept.append(1)
    {work}
answer = apart(work)
print(len(kept), answer)
"""
    return subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, timeout=20)


def test_work_done_apart_gives_its_answer_and_leaves_nothing_behind() -> None:
    assert apart("return 'ready, Zoë'").stdout == "0 ready, Zoë\n"
    long = apart("return 'x' * 200_000")
    assert len(long.stdout) == 200_003


def test_work_done_apart_that_breaks_says_where_and_is_no_answer() -> None:
    broken = apart("raise ValueError('the seed is wrong')")
    assert broken.returncode == 1 and "the seed is wrong" in broken.stderr and "RuntimeError" in broken.stderr


def test_work_done_apart_that_is_killed_is_no_answer() -> None:
    killed = apart("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert killed.returncode == 1 and "signal SIGKILL" in killed.stderr


def test_work_done_apart_ends_with_who_asked_for_it() -> None:
    source = """
import os, time
from portal.process import apart
def work():
    print(os.getpid(), flush=True)
    time.sleep(300)
    return ""
apart(work)
"""
    asker = subprocess.Popen([sys.executable, "-c", source], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert asker.stdout is not None
    worker = int(asker.stdout.readline())
    asker.kill()
    asker.wait(5)
    assert eventually(lambda: not alive(worker))
    asker.stdout.close()
