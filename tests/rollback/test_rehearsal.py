"""Rehearsals on a copy, and what a shell makes of the profile that is active."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.week.channel import channel_of, last_rehearsal
from pytest_weekops.core.week.rollback import STEPS
from pytest_weekops.rollback.switch import Rollout
from pytest_weekops.week.ledger import open_ledger
from tests.support.rollbacks import NEW, OLD, Checks, Crash, active, crash_after, deploy_by_hand, profile


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


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_while_rehearsing_touches_nothing(deployed: Path, step: str) -> None:
    """The active profile, the channel and the lock are as before; the next rehearsal goes through."""
    link = deployed / "runtime" / "active.env"
    before = link.readlink(), channel_of(open_ledger(deployed).entries())
    with pytest.raises(Crash):
        Rollout(deployed, after_step=crash_after(step)).rehearse(NEW, lambda _copy: Checks())
    assert (link.readlink(), channel_of(open_ledger(deployed).entries())) == before
    assert active(deployed) == OLD.text
    assert last_rehearsal(open_ledger(deployed).entries()) is None
    assert Rollout(deployed).rehearse(NEW, lambda _copy: Checks()).verified


def test_a_rehearsal_leaves_a_profile_made_by_hand_where_it_is(tmp_path: Path) -> None:
    """Not even kept under another name: nothing was switched."""
    deploy_by_hand(tmp_path, OLD.text)
    assert Rollout(tmp_path).rehearse(NEW, lambda _copy: Checks()).verified
    assert not (tmp_path / "runtime" / "active.env").is_symlink()
    assert not (tmp_path / "runtime" / "profiles").exists()


def test_a_rehearsal_measures_against_a_copy_of_the_pinned_baselines(deployed: Path) -> None:
    """Where they cannot be copied there is no rehearsal, in a sentence."""
    (deployed / "baselines").mkdir()
    (deployed / "baselines" / "pin.json").write_text("{}", encoding="utf-8")
    copied: list[bool] = []

    def verifier(copy: Path) -> Checks:
        copied.append((copy / "baselines" / "pin.json").is_file())
        return Checks()

    assert Rollout(deployed).rehearse(NEW, verifier).verified
    assert copied == [True]
    (deployed / "baselines" / "gone.json").symlink_to("nowhere")
    with pytest.raises(WeekopsError, match="active profile is untouched"):
        Rollout(deployed).rehearse(NEW, verifier)
    assert active(deployed) == OLD.text


STRANGE = '\'a\' "b" $(touch pwned) `touch pwned` ${IFS} \\ \\\\" ; touch pwned & #'


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_that_loads_the_active_profile_runs_nothing(tmp_path: Path, shell: str) -> None:
    """`. active.env` as the documentation says, in the real file that apply wrote: the value, and no command."""
    strange = profile({"STRANGE": STRANGE}, platform="x$(touch pwned)`touch pwned`")
    assert Rollout(tmp_path).apply(strange, Checks()).verified
    script = 'set -a; . runtime/active.env; set +a; exec "$0" -c "import os; print(os.environ[\'STRANGE\'])"'
    loaded = subprocess.run(
        [shell, "-euc", script, sys.executable], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert loaded.stdout == STRANGE + "\n"
    assert loaded.stderr == ""
    assert not list(tmp_path.rglob("pwned"))
