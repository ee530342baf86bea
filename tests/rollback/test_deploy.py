"""A host's turn in a staged promotion: the candidate made active, recorded, and never beside an unfinished rollback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.channel import rollbacks_in_effect
from pytest_weekops.core.week.rollback import RuntimeProfile
from pytest_weekops.rollback import forward
from pytest_weekops.rollback.switch import Rollout
from pytest_weekops.week.ledger import open_ledger
from tests.support.rollbacks import NEW, OLD, Checks, Crash, active, crash_after, deploy_by_hand, profile


def test_a_deployment_is_recorded_and_is_no_rollback(tmp_path: Path) -> None:
    """Done twice it changes nothing; what was there by hand is kept; the rollback after it leads back, verified."""
    deploy_by_hand(tmp_path, "WEEKOPS_PLATFORM=rusticl\n")
    assert Rollout(tmp_path).deploy(NEW, reason="run-1") == "clover is active now, instead of rusticl."
    assert active(tmp_path) == NEW.text
    assert Rollout(tmp_path).deploy(NEW, reason="run-1") == "clover is active already. Nothing was changed."
    (entry,) = open_ledger(tmp_path).entries()
    assert (entry.kind, entry.body["reason"], entry.body["to"]["platform"]) == ("deployed", "run-1", "clover")
    assert (tmp_path / "runtime" / entry.body["from"]["file"]).read_text("utf-8") == "WEEKOPS_PLATFORM=rusticl\n"
    assert rollbacks_in_effect(open_ledger(tmp_path).entries()) == ()
    assert Rollout(tmp_path).apply(OLD, Checks()).verified
    assert active(tmp_path) == OLD.text
    Rollout(tmp_path).deploy(NEW, reason="run-2")
    again = Rollout(tmp_path).apply(OLD, Checks())
    assert (again.verified, again.switched, active(tmp_path)) == (True, True, OLD.text)


@pytest.mark.parametrize("step", ["write", "begin", "switch"])
def test_a_deployment_that_broke_off_leaves_one_profile_whole(tmp_path: Path, step: str) -> None:
    """And is finished by another, or taken back by the rollback."""
    Rollout(tmp_path).apply(OLD, Checks())
    with pytest.raises(Crash):
        Rollout(tmp_path, after_step=crash_after(step)).deploy(NEW, reason="r")
    assert active(tmp_path) == (NEW.text if step == "switch" else OLD.text)
    Rollout(tmp_path).deploy(NEW, reason="r")
    assert active(tmp_path) == NEW.text
    assert Rollout(tmp_path).apply(OLD, Checks()).verified


@pytest.mark.parametrize("step", ["begin", "switch", "record"])
def test_nothing_is_deployed_beside_a_rollback_without_an_end(tmp_path: Path, step: str) -> None:
    """Its own turn comes first."""
    with pytest.raises(Crash):
        Rollout(tmp_path, after_step=crash_after(step)).apply(OLD, Checks())
    before = active(tmp_path)
    with pytest.raises(InputError, match=r"was begun in .* and not brought to an end"):
        Rollout(tmp_path).deploy(NEW, reason="r")
    assert active(tmp_path) == before


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """``asked(**profiles)``: the program's exit status where platforms resolve to these, or break with this error."""

    def run(**profiles: RuntimeProfile | Exception) -> int:
        def resolve(_report_dir: Path, *, platform: str, **_how: Any) -> SimpleNamespace:
            found = profiles[platform]
            if isinstance(found, Exception):
                raise found
            return SimpleNamespace(profile=found)

        monkeypatch.setattr(forward, "resolve_target", resolve)
        words = ["--candidate=new", "--baseline=old", "--policy=p", f"--report-dir={tmp_path}", "--reason=r"]
        return forward.main(words)

    return run


def test_the_program_says_which_driver_is_active(
    asked: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 the candidate, 1 the one before, 2 where that is not known; what could not be rolled back is not switched."""
    one, other = (profile({"A": "1"}, platform=name) for name in ("new", "old"))
    for profiles, words in (
        ({"new": InputError("no such profile"), "old": OLD}, "no such profile"),
        ({"new": NEW, "old": InputError("no baseline")}, "no baseline"),
        ({"new": one, "old": other}, "the same driver here"),
    ):
        assert asked(**profiles) == forward.NOT_ACTIVE
        assert words in capsys.readouterr().out
        assert active(tmp_path) == ""
    assert asked(new=NEW, old=OLD) == forward.ACTIVE
    assert active(tmp_path) == NEW.text
    broken = Rollout.deploy

    def breaks(self: Rollout, target: RuntimeProfile, *, reason: str) -> str:
        broken(self, target, reason=reason)
        raise OSError("the disk")

    monkeypatch.setattr(Rollout, "deploy", breaks)
    assert asked(new=profile({"B": "1"}, platform="new"), old=OLD) == forward.NOT_KNOWN
    (tmp_path / "runtime" / "active.env").unlink()
    (tmp_path / "runtime" / "active.env").mkdir()
    assert asked(new=NEW, old=OLD) == forward.NOT_KNOWN
