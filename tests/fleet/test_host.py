"""What runs on a host: a gate begun once, read from byte to byte, ended in time, and never left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.fleet import host
from pytest_weekops.fleet.leash import environment, leashed
from pytest_weekops.fleet.messages import AskPiece, AskWho, End, GateTask, Piece, Who, decode, encode
from pytest_weekops.fleet.program import program_sha256

TASK = "a-task-of-tests"
SLEEPS = "import time; print('begun', flush=True); time.sleep(60)"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this task has its directory."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return host.place_of(TASK)


def task(**changes: object) -> GateTask:
    """A weekly gate with the shipped policy."""
    facts = {"task": TASK, "program": program_sha256(), "suite": "weekly", "platforms": ["pocl"], "deadline_s": 60}
    return GateTask.model_validate({**facts, "policy": "inherits: portable.yaml\n", **changes})


def told(offset: int = 0) -> Piece:
    """What is told of it."""
    return decode(Piece, host.piece(encode(AskPiece(task=TASK, offset=offset))))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """``gate(program)``: that Python program instead of pytest."""

    def put(program: str) -> None:
        monkeypatch.setattr(host, "gate_argv", lambda _task, _place: [sys.executable, "-c", program])

    return put


def test_a_gate_is_run_once(gate: Callable[[str], None], place: Path) -> None:
    """To its end, with its status and last words; its journal is read in pieces, its directory removed when asked.

    What tasks left a month ago goes, too.
    """
    assert told().state == "unknown"
    old = place.parent / "a-task-of-old"
    old.mkdir(parents=True)
    (old / host.HELD_NAME).touch()
    os.utime(old, (0, 0))
    gate("import pathlib as p; d = p.Path('reports/x'); d.mkdir(parents=True); (d/'journal.jsonl').write_text('abc'); "
         "print('the end'); raise SystemExit(11)")  # fmt: skip
    assert decode(End, host.run_gate(encode(task()))) == End(state="ended", status=11, said="the end")
    assert not old.exists()
    assert (told(1).text, told(1).state, told(1).status) == ("bc", "ended", 11)
    again = decode(End, host.run_gate(encode(task())))
    assert (again.state, again.said) == ("refused", "this task was begun here before, and is not run twice")
    assert told().state == "ended"
    host.forget(encode(AskPiece(task=TASK)))
    assert not place.exists()
    assert told().state == "unknown"


def test_a_task_that_begins_is_not_taken_for_one_that_is_gone(place: Path, gate: Callable[[str], None]) -> None:
    """Between its directory and its lock it is asked: it runs. Its lock is there before the lock's name is."""
    place.mkdir(parents=True)
    assert told().state == "running"
    place.rmdir()
    seen: list[str] = []
    rename = Path.rename

    def asked_before(path: Path, target: Path) -> Path:
        seen.append(told().state)
        renamed = rename(path, target)
        seen.append(told().state)
        return renamed

    gate("raise SystemExit(0)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "rename", asked_before)
        host.run_gate(encode(task()))
    assert seen == ["running", "running"]


def test_another_program_is_refused(gate: Callable[[str], None]) -> None:
    """By its hash: nothing is run."""
    gate("raise SystemExit(0)")
    end = decode(End, host.run_gate(encode(task(program="0" * 64))))
    assert end.state == "refused"
    assert "this host has another program" in end.said
    assert (told().state, told().said) == ("refused", end.said)


def test_a_full_disk_is_not_the_drivers_fault(gate: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """No gate is begun where there is no room: a driver that cannot write would crash."""
    monkeypatch.setattr(host, "LEAST_ROOM_BYTES", 2**62)
    gate("raise SystemExit(0)")
    end = decode(End, host.run_gate(encode(task())))
    assert (end.state, end.status) == ("ended", 4)
    assert "MiB are free in" in end.said
    assert (told().text, told().status) == ("", 4)


def test_a_disk_that_filled_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that could not write down its own end: the words before it had room, and do not say why."""
    place.mkdir(parents=True)
    (place / host.HELD_NAME).touch()
    (place / host.LOG_NAME).write_text("half a sen", "utf-8")
    assert (told().state, told().said) == ("gone", "half a sen")
    usage = shutil.disk_usage(place)
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: usage._replace(free=4096))
    assert (told().state, told().said) == ("gone", f"the disk of {place.parent} is full; half a sen")


def test_a_gate_is_ended_at_its_deadline(gate: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked first, then made to: one that does not listen is killed."""
    monkeypatch.setattr(host, "_WINDING_UP_S", 0.1)
    gate(f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}")
    end = decode(End, host.run_gate(encode(task(deadline_s=1.0))))
    assert end.state == "late"
    assert "it had not ended after 1 s" in end.said
    assert told().state == "late"


def test_a_gate_ends_with_its_worker(place: Path) -> None:
    """SIGKILL to the worker takes its gate along, and the task is known to be gone."""
    program = (
        "import sys, tempfile\nfrom pytest_weekops.fleet import host\n"
        f"tempfile.tempdir = {str(place.parents[1])!r}\n"
        f"host.gate_argv = lambda *_: [sys.executable, '-c', {SLEEPS!r}]\n"
        f"host.run_gate({encode(task())!r})\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", program])
    try:
        log = place / host.LOG_NAME
        _until(lambda: log.exists() and b"begun" in log.read_bytes())
        children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text("ascii").split()
        assert told().state == "running"
        worker.kill()
        worker.wait()
        _until(lambda: not any(_lives(int(child)) for child in children))
        assert (told().state, told().said) == ("gone", "begun")
    finally:
        worker.kill()
        worker.wait()


def test_a_leash_needs_its_holder() -> None:
    """A command whose parent is another process than the one that asked is not begun."""
    command = leashed([sys.executable, "-c", "print('begun')"], signal.SIGTERM)
    command[command.index(str(os.getpid()))] = "1"
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")


def test_no_host_is_told_of_a_teams_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address is a secret, and a gate in a directory that has not joined it would be refused."""
    for name in ("WEEKOPS_LEDGER", "PYTEST_ADDOPTS", "WEEKOPS_LOCK_WAIT"):
        monkeypatch.setenv(name, "7")
    assert {"WEEKOPS_LEDGER", "PYTEST_ADDOPTS"}.isdisjoint(environment("PYTEST_"))
    assert environment()["WEEKOPS_LOCK_WAIT"] == "7"


def test_the_fleets_own_words_come_last(place: Path) -> None:
    """A fleet's options cannot take back what it needs, and none is a word of a shell."""
    argv = host.gate_argv(
        task(platforms=["pocl", "clover"], words=["--snapshots", "3", "--weekops-mode", "local"]), place
    )
    assert argv.index("local") < argv.index("ci")
    assert argv[argv.index("--weekops-platforms") :][:3] == ["--weekops-platforms", "pocl", "clover"]
    assert argv[argv.index("--weekops-report-prefix") + 1] == f"gate-{TASK}"


def test_who_says_what_is_there() -> None:
    """Version, hashes and what is wrong with a profile, also where the question cannot be answered."""
    who = decode(Who, host.who(encode(AskWho(platforms=("no-such-profile",)))))
    assert (who.program, who.drivers) == (program_sha256(), ())
    assert "no-such-profile" in who.said


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)
