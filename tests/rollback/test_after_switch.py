"""What goes wrong after the switch: what is active is said, nothing is believed, and nobody's profile is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.channel import ChannelState, channel_of
from pytest_weekops.rollback.outcome import Outcome
from pytest_weekops.rollback.switch import Rollout
from pytest_weekops.week.ledger import open_ledger
from tests.support.rollbacks import NEW, OLD, Checks, active, deploy_by_hand


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
    assert active(deployed) == NEW.text
    channel = channel_of(open_ledger(deployed).entries())
    assert channel.state is ChannelState.ROLLED_BACK
    assert "verification FAILED" in channel.why[0]
    checks = Checks()
    assert Rollout(deployed).apply(NEW, checks).verified
    assert checks.seen == ["clover", "clover"]


def test_what_is_active_is_said_before_it_is_verified(deployed: Path) -> None:
    """Whoever interrupts a long gate has read what consumers run on by then."""
    said: list[str] = []

    class Interrupted(Checks):
        def gate(self, active: Path) -> Outcome:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Rollout(deployed, say=said.append).apply(NEW, Interrupted())
    assert said == ["clover is active now; verifying it."]
    assert "not verified yet" in channel_of(open_ledger(deployed).entries()).why[0]


@pytest.mark.parametrize(
    ("text", "now"),
    [
        (OLD.text, "rusticl"),
        ("A=$(ls)\n", "something unreadable"),
        ("A=b\n", "a profile of no name"),
        (None, "nothing"),
    ],
)
def test_a_profile_changed_while_it_was_verified_is_not_verified(deployed: Path, text: str | None, now: str) -> None:
    """Something else that deploys at the same time is noticed, and what is active is what it left."""

    class Meddling(Checks):
        def measure(self, active: Path) -> Outcome:
            active.unlink()
            if text is not None:
                active.write_text(text, encoding="utf-8")
            return Outcome()

    applied = Rollout(deployed).apply(NEW, Meddling())
    assert not applied.verified
    assert f"NOT VERIFIED: {now} is active NOW" in applied.lines[0]
    assert any("something else changed it" in line for line in applied.lines)
    assert "verification FAILED" in channel_of(open_ledger(deployed).entries()).why[0]


def test_a_profile_deployed_by_hand_is_never_verified_already(deployed: Path) -> None:
    """The rollback before led to another profile: its verification proves nothing about this one."""
    Rollout(deployed).apply(NEW, Checks())
    deploy_by_hand(deployed, OLD.text)
    checks = Checks()
    assert Rollout(deployed).apply(OLD, checks).verified
    assert checks.seen == ["rusticl", "rusticl"]


@pytest.mark.parametrize("linked", [True, False])
def test_a_baseline_deployed_by_hand_is_verified_and_undone(tmp_path: Path, *, linked: bool) -> None:
    """Whether a plain file or a link to somewhere else: undo finds what was there."""
    deploy_by_hand(tmp_path, NEW.text)
    if linked:
        link = tmp_path / "runtime" / "active.env"
        link.symlink_to(link.rename(tmp_path / "elsewhere.env"))
    checks = Checks()
    assert Rollout(tmp_path).apply(NEW, checks).verified
    assert checks.seen == ["clover", "clover"]
    assert "active now: clover" in Rollout(tmp_path).undo()
    assert active(tmp_path) == NEW.text


def test_undo_keeps_what_was_deployed_by_hand_since(deployed: Path) -> None:
    """The mended profile that somebody put there must not vanish, and the answer names where it is."""
    Rollout(deployed).apply(NEW, Checks())
    deploy_by_hand(deployed, "WEEKOPS_PLATFORM=mended\n")
    answer = Rollout(deployed).undo()
    assert active(deployed) == OLD.text
    (kept,) = (deployed / "runtime" / "profiles").glob("kept-*.env")
    assert kept.read_text(encoding="utf-8") == "WEEKOPS_PLATFORM=mended\n"
    assert kept.name in answer


@pytest.mark.parametrize("before", ["a profile", "nothing"])
def test_undo_does_not_touch_what_it_cannot_read(tmp_path: Path, before: str) -> None:
    """A directory or an odd file in the place of the link: refused with a sentence."""
    if before == "a profile":
        Rollout(tmp_path).apply(OLD, Checks())
    Rollout(tmp_path).apply(NEW, Checks())
    deploy_by_hand(tmp_path, "A=$(ls)\n")
    with pytest.raises(InputError, match="nothing was switched"):
        Rollout(tmp_path).undo()
    assert active(tmp_path) == "A=$(ls)\n"


@pytest.mark.parametrize("error", [ValueError("odd"), KeyError("x"), RecursionError("deep"), RuntimeError("loop")])
def test_nothing_that_breaks_after_the_switch_is_raised(deployed: Path, error: Exception) -> None:
    """Whatever it is, it is told as a problem, and the verification is recorded as failed."""

    class Broken(Checks):
        def gate(self, active: Path) -> Outcome:
            raise error

    applied = Rollout(deployed).apply(NEW, Broken())
    assert not applied.verified
    assert any(str(error) in problem for problem in applied.problems)
    assert open_ledger(deployed).entries()[-1].body["stage"] == "unverified"


def test_whoever_stopped_listening_does_not_stop_the_verification(deployed: Path) -> None:
    """Standard error may be closed or full when the switch is made."""

    def deaf(_line: str) -> None:
        raise OSError(28, "No space left on device")

    assert Rollout(deployed, say=deaf).apply(NEW, Checks()).verified


@pytest.mark.parametrize("deployed_there", [False, True])
def test_the_runtime_directory_may_be_a_link(tmp_path: Path, deployed_there: bool) -> None:
    """Where consumers look is theirs to choose: everything works through the link, and undo restores it."""
    reports, outside = tmp_path / "reports", tmp_path / "etc"
    reports.mkdir()
    (reports / "runtime").symlink_to(outside)
    if deployed_there:
        Rollout(reports).apply(OLD, Checks())
    proof = outside / "proof.json"

    class WithProof(Checks):
        def gate(self, active: Path) -> Outcome:
            proof.write_text("{}", encoding="utf-8")
            return Outcome(evidence=(proof,))

    assert Rollout(reports).rehearse(NEW, lambda _copy: Checks()).verified
    assert Rollout(reports).apply(NEW, WithProof()).verified
    assert (outside / "active.env").read_text(encoding="utf-8") == NEW.text
    body = open_ledger(reports).entries()[-1].body
    (file,) = body["outcomes"]["gate"]["evidence"]
    assert (body["stage"], file["path"]) == ("verified", str(proof))
    assert not list(outside.glob("profiles/kept-*"))
    Rollout(reports).undo()
    assert active(reports) == (OLD.text if deployed_there else "")
