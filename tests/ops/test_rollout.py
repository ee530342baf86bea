"""Switching the runtime profile: whole at every step, harmless twice, undone exactly, and loud where it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pytest_weekops.core.channel import ChannelState, channel_of, last_rehearsal
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.policy import RollbackStep
from pytest_weekops.core.rollback import STEPS, RuntimeProfile, parse_environment
from pytest_weekops.ledger import open_ledger
from pytest_weekops.rollout import Rollout
from pytest_weekops.verification import Outcome
from tests.ops.test_rollback_profile import profile

OLD = profile({"RUSTICL_ENABLE": "llvmpipe"}, platform="rusticl")
NEW = profile({"LP_CL": "1"}, platform="clover")


@dataclass
class Checks:
    """A verification whose outcome the test sets; it notes which profile was active when it was asked."""

    problems: tuple[str, ...] = ()
    seen: list[str] = field(default_factory=list)
    gate_argv: tuple[str, ...] = ("the", "gate")

    def gate(self, active: Path) -> Outcome:
        """The gate's outcome."""
        self.seen.append(parse_environment(active.read_text(encoding="utf-8"))["WEEKOPS_PLATFORM"])
        return Outcome(self.problems)

    def measure(self, active: Path) -> Outcome:
        """The measurement's outcome."""
        return self.gate(active)


class Crash(BaseException):
    """The process ends here: nothing catches it."""


def crash_after(step: str) -> Callable[[str], None]:
    """End the process after a step."""

    def after(done: str) -> None:
        if done == step:
            raise Crash(step)

    return after


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    """A report directory in which rusticl's profile is active."""
    Rollout(tmp_path).apply(OLD, Checks())
    return tmp_path


def active(report_dir: Path) -> str:
    """The bytes consumers read."""
    path = report_dir / "runtime" / "active.env"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def leftovers(report_dir: Path) -> list[str]:
    """Files in the runtime directory that are no profile, lock or record."""
    names = [p.name for p in (report_dir / "runtime").rglob("*") if p.is_file()]
    return [name for name in names if not name.endswith(".env") and name != ".lock"]


def test_apply_switches_verifies_and_records(deployed: Path) -> None:
    """The checks see the new profile; the channel is rolled back and knows how long it took."""
    checks = Checks()
    applied = Rollout(deployed).apply(NEW, checks)
    assert applied.verified
    assert checks.seen == ["clover", "clover"]
    assert active(deployed) == NEW.text
    assert "after the trigger" in applied.lines[0]
    channel = channel_of(open_ledger(deployed).entries())
    assert channel.state is ChannelState.ROLLED_BACK
    assert channel.rollback is not None
    assert channel.rollback.seconds == applied.seconds
    assert leftovers(deployed) == []


def test_apply_twice_is_harmless(deployed: Path) -> None:
    """The second says so, switches nothing, and undo still leads to the profile before the first."""
    Rollout(deployed).apply(NEW, Checks())
    records = len(open_ledger(deployed).entries())
    checks = Checks()
    again = Rollout(deployed).apply(NEW, checks)
    assert again.verified
    assert not again.switched
    assert checks.seen == []
    assert len(open_ledger(deployed).entries()) == records
    Rollout(deployed).undo()
    assert active(deployed) == OLD.text


def test_a_plan_changes_nothing(deployed: Path) -> None:
    """Planning reads."""
    before = sorted((p, p.stat().st_mtime_ns) for p in deployed.rglob("*"))
    plan = Rollout(deployed).plan(NEW, Checks())
    assert plan.to_platform == "clover"
    assert sorted((p, p.stat().st_mtime_ns) for p in deployed.rglob("*")) == before


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("start", ["deployed", "nothing", "by hand"])
def test_a_crash_after_any_step_leaves_one_profile_whole(tmp_path: Path, step: str, start: str) -> None:
    """Old or new, never between; the channel does not promote; applying again finishes, and undo restores."""
    before = ""
    if start == "deployed":
        Rollout(tmp_path).apply(OLD, Checks())
        before = OLD.text
    if start == "by hand":
        before = "# ours\nWEEKOPS_PLATFORM=rusticl\n"
        (tmp_path / "runtime").mkdir()
        (tmp_path / "runtime" / "active.env").write_text(before, encoding="utf-8")
    with pytest.raises(Crash):
        Rollout(tmp_path, after_step=crash_after(step)).apply(NEW, Checks())
    switched = STEPS.index(step) >= STEPS.index("switch")
    assert active(tmp_path) == (NEW.text if switched else before)
    if STEPS.index(step) >= STEPS.index("begin"):
        assert channel_of(open_ledger(tmp_path).entries()).state is ChannelState.ROLLED_BACK
    checks = Checks()
    assert Rollout(tmp_path).apply(NEW, checks).verified
    assert active(tmp_path) == NEW.text
    assert (checks.seen == []) == (step == "finish")
    Rollout(tmp_path).undo()
    assert active(tmp_path) == before
    assert open_ledger(tmp_path).problems() == []


@pytest.mark.parametrize("step", ["switch", "record"])
def test_a_crash_while_undoing_is_finished_by_undoing_again(tmp_path: Path, step: str) -> None:
    """Either profile is whole; an undo too many says that there is nothing left to undo."""
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "active.env").write_text(OLD.text, encoding="utf-8")
    Rollout(tmp_path).apply(NEW, Checks())
    with pytest.raises(Crash):
        Rollout(tmp_path, after_step=crash_after(step)).undo()
    assert active(tmp_path) == OLD.text
    Rollout(tmp_path).undo()
    assert active(tmp_path) == OLD.text
    assert "undone already" in Rollout(tmp_path).undo()
    assert active(tmp_path) == OLD.text


def test_rollbacks_are_undone_one_by_one(deployed: Path) -> None:
    """Each undo leads to the profile before that rollback, and the channel is held until the last is undone."""
    Rollout(deployed).apply(NEW, Checks())
    Rollout(deployed).undo()
    assert active(deployed) == OLD.text
    assert channel_of(open_ledger(deployed).entries()).state is ChannelState.ROLLED_BACK
    Rollout(deployed).undo()
    assert active(deployed) == ""
    assert channel_of(open_ledger(deployed).entries()).state is ChannelState.ITERATE


def test_undo_without_a_rollback_is_refused(tmp_path: Path) -> None:
    """Nothing to undo is a sentence."""
    with pytest.raises(InputError, match="none to undo"):
        Rollout(tmp_path).undo()


def test_undo_refuses_a_profile_that_was_changed_since(deployed: Path) -> None:
    """Putting it back would activate something unknown."""
    Rollout(deployed).apply(NEW, Checks())
    (deployed / "runtime" / "profiles" / OLD.file_name).write_text("A=b\n", encoding="utf-8")
    with pytest.raises(InputError, match="was changed since"):
        Rollout(deployed).undo()
    assert active(deployed) == NEW.text


@pytest.mark.parametrize("problem", ["the gate failed", ""])
def test_a_failure_after_the_switch_is_said_with_what_is_active(deployed: Path, problem: str) -> None:
    """Loudly; the channel stays rolled back, and applying again verifies again instead of believing."""

    class Broken(Checks):
        def measure(self, active: Path) -> Outcome:
            raise OSError("the disk is gone")

    applied = Rollout(deployed).apply(NEW, Checks((problem,)) if problem else Broken())
    assert not applied.verified
    assert "NOT VERIFIED: clover is active NOW" in applied.lines[0]
    assert any((problem or "the disk is gone") in line for line in applied.lines)
    channel = channel_of(open_ledger(deployed).entries())
    assert channel.state is ChannelState.ROLLED_BACK
    assert "verification FAILED" in channel.why[0]
    checks = Checks()
    assert Rollout(deployed).apply(NEW, checks).verified
    assert checks.seen == ["clover", "clover"]


def test_a_profile_changed_while_it_was_verified_is_not_verified(deployed: Path) -> None:
    """Something else that deploys at the same time is noticed."""

    class Meddling(Checks):
        def measure(self, active: Path) -> Outcome:
            active.unlink()
            active.write_text(OLD.text, encoding="utf-8")
            return Outcome()

    applied = Rollout(deployed).apply(NEW, Meddling())
    assert not applied.verified
    assert any("something else changed it" in line for line in applied.lines)


def test_two_rollbacks_at_once_are_refused(deployed: Path) -> None:
    """The second changes nothing."""

    class Second(Checks):
        def gate(self, active: Path) -> Outcome:
            with pytest.raises(InputError, match="Another rollback is at work"):
                Rollout(deployed).apply(OLD, Checks())
            return Outcome()

    assert Rollout(deployed).apply(NEW, Second()).verified
    assert active(deployed) == NEW.text


def test_a_rehearsal_leaves_the_active_profile_and_is_recorded(deployed: Path) -> None:
    """All of it on a copy: switch, checks, undo; when and how long is kept."""
    checks = Checks()
    rehearsed = Rollout(deployed).rehearse(NEW, lambda _copy: checks)
    assert rehearsed.verified
    assert checks.seen == ["clover", "clover"]
    assert active(deployed) == OLD.text
    assert "untouched (rusticl)" in rehearsed.lines[0]
    last = last_rehearsal(open_ledger(deployed).entries())
    assert last is not None
    assert last.body["verified"] is True
    assert last.body["seconds"] == rehearsed.seconds


def test_a_failed_rehearsal_does_not_claim_that_anything_was_switched(deployed: Path) -> None:
    """It says what would fail, and that nothing was touched."""
    rehearsed = Rollout(deployed).rehearse(NEW, lambda _copy: Checks(("the gate failed",)))
    assert not rehearsed.verified
    text = "\n".join(rehearsed.lines)
    assert "REHEARSAL FAILED" in text
    assert "the gate failed" in text
    assert "active NOW" not in text
    last = last_rehearsal(open_ledger(deployed).entries())
    assert last is not None
    assert last.body["verified"] is False


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


def test_an_active_profile_that_cannot_be_read_stops_everything(tmp_path: Path) -> None:
    """What consumers run on is not known, so nothing is switched."""
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "active.env").write_text("A=$(ls)\n", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        Rollout(tmp_path).apply(NEW, Checks())
    assert active(tmp_path) == "A=$(ls)\n"


READ = """
import sys, time
from pathlib import Path
path, end, seen = Path(sys.argv[1]), time.monotonic() + 1.5, set()
while time.monotonic() < end:
    seen.add(path.read_text())
print(len(seen), all(text.startswith("# Runtime profile") and text.endswith(chr(10)) for text in seen))
"""


def test_a_reader_never_sees_anything_between(deployed: Path) -> None:
    """A consumer that reads all the time sees two whole files and no gap."""
    command = [sys.executable, "-c", READ, os.fspath(deployed / "runtime" / "active.env")]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    targets: list[RuntimeProfile] = [NEW, OLD] * 10
    for target in targets:
        Rollout(deployed).apply(target, Checks())
    assert reader.communicate(timeout=30)[0] == "2 True\n"
