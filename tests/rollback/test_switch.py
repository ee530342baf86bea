"""Switching the runtime profile: whole at every step, harmless twice, and undone exactly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.channel import ChannelState, channel_of
from pytest_weekops.core.week.rollback import STEPS, RuntimeProfile
from pytest_weekops.rollback.outcome import Outcome
from pytest_weekops.rollback.switch import Rollout
from pytest_weekops.week.ledger import open_ledger
from tests.support.rollbacks import NEW, OLD, Checks, Crash, active, crash_after, deploy_by_hand


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
        deploy_by_hand(tmp_path, before)
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


@pytest.mark.parametrize("step", ["preserve", "switch", "record"])
def test_a_crash_while_undoing_is_finished_by_undoing_again(tmp_path: Path, step: str) -> None:
    """Either profile is whole; an undo too many says that there is nothing left to undo."""
    deploy_by_hand(tmp_path, OLD.text)
    Rollout(tmp_path).apply(NEW, Checks())
    with pytest.raises(Crash):
        Rollout(tmp_path, after_step=crash_after(step)).undo()
    assert active(tmp_path) == (NEW.text if step == "preserve" else OLD.text)
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
    """Nothing to undo is a sentence, and not even a lock is written."""
    with pytest.raises(InputError, match="none to undo"):
        Rollout(tmp_path).undo()
    assert list(tmp_path.iterdir()) == []


def test_undo_refuses_a_profile_that_was_changed_since(deployed: Path) -> None:
    """Putting it back would activate something unknown."""
    Rollout(deployed).apply(NEW, Checks())
    (deployed / "runtime" / "profiles" / OLD.file_name).write_text("A=b\n", encoding="utf-8")
    with pytest.raises(InputError, match="was changed since"):
        Rollout(deployed).undo()
    assert active(deployed) == NEW.text


def test_two_rollbacks_at_once_are_refused(deployed: Path) -> None:
    """The second changes nothing."""

    class Second(Checks):
        def gate(self, active: Path) -> Outcome:
            with pytest.raises(InputError, match="Another rollback is at work"):
                Rollout(deployed).apply(OLD, Checks())
            return Outcome()

    assert Rollout(deployed).apply(NEW, Second()).verified
    assert active(deployed) == NEW.text


READ = """
import sys
from pathlib import Path
path, end = Path(sys.argv[1]), Path(sys.argv[2])
seen = {path.read_text()}
print("reading", flush=True)
while not end.exists():
    seen.add(path.read_text())
print(len(seen), all(text.startswith("# Runtime profile") and text.endswith(chr(10)) for text in seen))
"""


def test_a_reader_never_sees_anything_between(deployed: Path) -> None:
    """A consumer that reads all the time sees two whole files and no gap."""
    command = [sys.executable, "-c", READ, os.fspath(deployed / "runtime" / "active.env"), os.fspath(deployed / "end")]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    assert reader.stdout.readline() == "reading\n"
    targets: list[RuntimeProfile] = [NEW, OLD] * 10
    for target in targets:
        Rollout(deployed).apply(target, Checks())
    (deployed / "end").touch()
    assert reader.communicate(timeout=30)[0] == "2 True\n"
