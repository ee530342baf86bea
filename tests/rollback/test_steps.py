"""The users' own steps: without a shell, on the new profile, within their time, and ended with all they started."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from pytest_weekops.core.policy.policy import RollbackStep
from pytest_weekops.rollback.steps import run_step
from pytest_weekops.rollback.switch import Rollout
from tests.support.processes import is_running
from tests.support.rollbacks import NEW, Checks, active


def steps(*commands: str, timeout_s: float = 20.0) -> list[RollbackStep]:
    """Own steps that run Python."""
    return [RollbackStep(argv=(sys.executable, "-c", command), timeout_s=timeout_s) for command in commands]


def test_own_steps_run_without_a_shell_on_the_new_profile(deployed: Path) -> None:
    """Their words are arguments, and they see the new profile's variables."""
    write = "import os, sys; open('step.txt', 'w').write(os.environ['WEEKOPS_PLATFORM'] + ' ' + ' '.join(sys.argv[1:]))"
    own = [RollbackStep(argv=(sys.executable, "-c", write, "$(touch pwned)", ";", "ls"))]
    assert Rollout(deployed, cwd=deployed).apply(NEW, Checks(), steps=own).verified
    assert (deployed / "step.txt").read_text(encoding="utf-8") == "clover $(touch pwned) ; ls"
    assert not (deployed / "pwned").exists()


@pytest.mark.parametrize(
    ("command", "expected"),
    [("raise SystemExit('no such unit')", "no such unit"), ("import time; time.sleep(60)", "0.3 s")],
)
def test_an_own_step_that_fails_or_hangs_is_reported(deployed: Path, command: str, expected: str) -> None:
    """The switch stays, and is not verified."""
    applied = Rollout(deployed, cwd=deployed).apply(NEW, Checks(), steps=steps(command, timeout_s=0.3))
    assert not applied.verified
    assert any(expected in line for line in applied.lines), applied.lines
    assert active(deployed) == NEW.text


def test_the_first_own_step_that_fails_ends_them_and_a_missing_program_is_one(deployed: Path) -> None:
    """What would come after it is not run; the gate still is, since the profile is active."""
    missing = RollbackStep(argv=("no-such-program-anywhere", "x"))
    checks = Checks()
    own = [missing, *steps("open('second', 'w').close()")]
    applied = Rollout(deployed, cwd=deployed).apply(NEW, checks, steps=own)
    assert not applied.verified
    assert any("no-such-program-anywhere x ended with exit status 127" in line for line in applied.lines)
    assert not (deployed / "second").exists()
    assert checks.seen == ["clover", "clover"]


def test_what_a_hanging_step_started_is_ended_with_it(deployed: Path) -> None:
    """Its whole session is killed: nothing goes on changing the host after it was reported."""
    child = "import time; time.sleep(300)"
    command = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
    own = steps(command + "open('child', 'w').write(str(child.pid)); sys.stdin.read(); child.wait()", timeout_s=3)
    assert not Rollout(deployed, cwd=deployed).apply(NEW, Checks(), steps=own).verified
    child_pid = int((deployed / "child").read_text(encoding="utf-8"))
    until = time.monotonic() + 30
    while is_running(child_pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(child_pid)


def test_what_a_step_wrote_is_kept_to_its_end(tmp_path: Path) -> None:
    """A long log's last lines tell why; both streams are read, and nobody answers on standard input."""
    command = "import sys; print('x' * 9999); print('why', file=sys.stderr); sys.exit(3 if sys.stdin.read() else 5)"
    argv = (sys.executable, "-uc", command)
    status, tail = run_step(argv, environment=os.environ, timeout_s=60.0, cwd=tmp_path)
    assert status == 5
    assert tail.endswith("why")
    assert len(tail) <= 4000


def test_a_step_is_an_argument_list_or_nothing(tmp_path: Path) -> None:
    """A NUL byte in a word is a sentence with the status of a program that is not there."""
    status, why = run_step(("echo", "a\0b"), environment={}, timeout_s=5.0, cwd=tmp_path)
    assert status == 127
    assert why
