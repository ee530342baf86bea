"""A switch or a rollback on a host: begun once, given up where it never came, and ended with its worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.fleet import host, host_errand
from pytest_weekops.fleet.messages import AskPiece, End, Errand, MessageRefused, Piece, decode, encode
from pytest_weekops.fleet.program import program_sha256

TASK = "an-errand-of-tests"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this errand has its directory."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return host.place_of(TASK)


def errand(**changes: object) -> Errand:
    """A switch in a directory that cannot be made, so that nothing is changed by it."""
    facts = {"task": TASK, "program": program_sha256(), "do": "switch", "report_dir": "/proc/nowhere", "timeout_s": 60}
    names = {"candidate": "pocl", "baseline": "clover", "policy": "inherits: portable.yaml\n", "reason": "run-1"}
    return Errand.model_validate({**facts, **names, **changes})


def told(ask: Callable[[str], str] = host.piece) -> Piece:
    """What is told of it."""
    return decode(Piece, ask(encode(AskPiece(task=TASK))))


def test_an_errand_is_begun_once(place: Path) -> None:
    """In a process of its own, whose end is read from its directory by whoever asks."""
    assert host_errand.begin(encode(errand(program="0" * 64))) == "{}"
    ends = time.monotonic() + 60
    while told().state == "running" and time.monotonic() < ends:
        time.sleep(0.05)
    assert (told().state, "has another program" in told().said) == ("refused", True)
    again = decode(End, host_errand.begin(encode(errand())))
    assert (again.state, again.said) == ("refused", "this errand was begun here before")
    assert told(host_errand.bury).state == "refused"
    host.forget(encode(AskPiece(task=TASK)))
    assert not place.exists()


def test_an_errand_that_never_came_is_given_up() -> None:
    """Whatever is still on its way finds that it was."""
    assert told(host_errand.bury).said == host.BURIED
    assert decode(End, host_errand.begin(encode(errand()))).state == "refused"
    assert told(host_errand.bury).said == host.BURIED


@pytest.mark.parametrize(
    ("program", "timeout_s", "state", "status"),
    [
        ("print('done')", 60, "ended", 0),
        ("print('not done'); raise SystemExit(1)", 60, "ended", 1),
        ("import os; os.kill(os.getpid(), 9)", 60, "ended", -9),
        ("import time; print('begun', flush=True); time.sleep(60)", 0.5, "late", None),
    ],
)
def test_an_errand_comes_to_its_end(
    place: Path, monkeypatch: pytest.MonkeyPatch, program: str, timeout_s: float, state: str, status: int | None
) -> None:
    """With the status and the last words of what it ran, within its time."""
    monkeypatch.setattr(host_errand, "argv", lambda _errand, _place: [sys.executable, "-c", program])
    place.mkdir(parents=True)
    (place / host_errand.ERRAND_NAME).write_text(encode(errand(timeout_s=timeout_s)), "utf-8")
    host_errand.run(place)
    assert (told().state, told().status) == (state, status)
    assert (place / "policy.yaml").read_text("utf-8") == "inherits: portable.yaml\n"


def test_an_errand_ends_with_its_worker(place: Path, tmp_path: Path) -> None:
    """Whatever ended that: nobody switches a host of which nobody knows."""
    script = "import sys, time; from pytest_weekops.fleet import host_errand as h; h.begin(sys.argv[1]); time.sleep(60)"
    worker = subprocess.Popen([sys.executable, "-c", script, encode(errand())], env={**os.environ})
    ends = time.monotonic() + 60
    while not (place / host.HELD_NAME).exists() and time.monotonic() < ends:
        time.sleep(0.01)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    while told().state == "running" and time.monotonic() < ends:
        time.sleep(0.05)
    assert told().state in ("gone", "ended")  # it may have been through already
    assert tmp_path.exists()


def test_commands_are_words(place: Path) -> None:
    """A rollback is the command that people use; no word of either is made of another."""
    back = host_errand.argv(errand(do="roll_back", baseline="pocl@/opt/a b.icd"), place)
    assert back[1:5] == ["-m", "pytest_weekops.cli", "rollback", "--apply"]
    assert back[5:7] == ["--platform", "pocl@/opt/a b.icd"]
    forth = host_errand.argv(errand(), place)
    assert forth[1:3] == ["-m", "pytest_weekops.rollback.forward"]
    assert "--report-dir=/proc/nowhere" in forth
    for changes in (
        {"report_dir": "here"},
        {"candidate": "--apply"},
        {"baseline": "-x"},
        {"reason": "a b"},
        {"do": "x"},
    ):
        with pytest.raises(MessageRefused):
            decode(Errand, encode(errand().model_copy(update=changes)))


def test_another_users_directory_is_not_used(place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nor one that cannot be made."""
    place.parent.mkdir(parents=True)
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    monkeypatch.setattr(host, "place_of", lambda task: place.parent / task)
    assert "belongs to another user" in decode(End, host_errand.begin(encode(errand()))).said
    monkeypatch.setattr(os, "getuid", lambda: uid)
    (tmp_path / "file").touch()
    monkeypatch.setattr(host, "place_of", lambda task: tmp_path / "file" / "below" / task)
    assert "cannot be made" in decode(End, host_errand.begin(encode(errand()))).said
