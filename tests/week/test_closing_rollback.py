"""What a closed week says of rollbacks: those that SEV1 demanded, those done by hand, and the last rehearsal."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.core.week.entry import ROLLBACK
from pytest_weekops.week.closing import close_week
from pytest_weekops.week.ledger import Ledger
from tests.support.weeks import W48, add_run, healthy_week, iterates, roll_back


def rerun(reports: Path, name: str = "rerun") -> None:
    """A rerun on Sunday that promotes."""
    add_run(reports, name, created_at="2026-11-29T22:00:00+00:00")


def week_with_sev1(reports: Path, *stages: str, evidence: bool = True) -> Ledger:
    """A week with a SEV1, the rollback's stages, and a rerun that promotes."""
    ledger = healthy_week(reports)
    add_run(reports, "bad", crash=True, created_at="2026-11-24T13:00:00+00:00")
    roll_back(ledger, *stages, evidence=evidence)
    rerun(reports)
    return ledger


def test_a_verified_rollback_and_a_rerun(tmp_path: Path) -> None:
    """What the runbook asks for at SEV1; the acta tells how long it took, and its files are evidence."""
    week_with_sev1(tmp_path, "begun", "switched", "verified")
    closed = close_week(tmp_path, W48)
    track = closed.document["tracks"]["rollback"]
    assert (closed.exit_status, track["decision"]) == (0, "promote")
    assert [(file["path"], file["intact"]) for file in track["evidence"]] == [("runtime/checks/decision.json", True)]
    acta = (closed.directory / "acta.md").read_text(encoding="utf-8")
    assert "Verified 4.5 s after the trigger (ledger record 7)" in acta


UNPROVED: dict[tuple[str, ...], str] = {
    (): "bad at SEV1 requires a verified rollback, and none is recorded",
    ("begun",): "none is recorded",
    ("begun", "switched"): "none is recorded",
    ("begun", "switched", "unverified"): "its verification failed",
    ("rehearsed",): "none is recorded",
}


@pytest.mark.parametrize("stages", UNPROVED)
def test_a_rollback_that_was_demanded_and_not_verified(tmp_path: Path, stages: tuple[str, ...]) -> None:
    """A rehearsal, a switch or a failed verification is no rollback, whatever the rerun says."""
    week_with_sev1(tmp_path, *stages)
    document = iterates(close_week(tmp_path, W48), UNPROVED[stages])
    assert document["required_gates"]["rollback"] == "iterate"
    assert any(action["text"].startswith("rollback: ") for action in document["new_actions"])


def test_the_second_sev1_of_a_week(tmp_path: Path) -> None:
    """A rollback that was undone answers nothing that failed after it."""
    ledger = week_with_sev1(tmp_path, "begun", "switched", "verified", "undone")
    add_run(tmp_path, "worse", crash=True, created_at="2026-11-29T22:30:00+00:00")
    add_run(tmp_path, "again", created_at="2026-11-29T23:00:00+00:00")
    assert ledger.problems() == []
    iterates(close_week(tmp_path, W48), "worse at SEV1 requires a verified rollback, and none is recorded")


def test_a_sev1_while_the_rollback_is_in_effect(tmp_path: Path) -> None:
    """The consumers are on the baseline already: applying it twice changes and records nothing."""
    week_with_sev1(tmp_path, "begun", "switched", "verified")
    add_run(tmp_path, "worse", crash=True, created_at="2026-11-29T22:30:00+00:00")
    add_run(tmp_path, "again", created_at="2026-11-29T23:00:00+00:00")
    closed = close_week(tmp_path, W48)
    assert closed.document["required_gates"]["rollback"] == "promote"
    assert len(closed.document["tracks"]["rollback"]["evidence"]) == 1
    assert closed.exit_status == 0


@pytest.mark.parametrize("content", ["changed", None])
def test_the_rollbacks_evidence_is_hashed_anew(tmp_path: Path, content: str | None) -> None:
    """In whatever week the rollback was: Sunday's SEV1 is answered on Monday."""
    week_with_sev1(tmp_path, "begun", "switched", "verified")
    proof = tmp_path / "runtime" / "checks" / "decision.json"
    proof.unlink()
    if content:
        proof.write_text(content, encoding="utf-8")
    document = iterates(close_week(tmp_path, W48), "Evidence runtime/checks/decision.json")
    assert document["required_gates"]["rollback"] == "iterate"
    assert document["tracks"]["rollback"]["evidence"][0]["intact"] is False


def test_a_verification_without_evidence(tmp_path: Path) -> None:
    """The word alone proves nothing."""
    week_with_sev1(tmp_path, "begun", "switched", "verified", evidence=False)
    iterates(close_week(tmp_path, W48), "missing or does not match")


@pytest.mark.parametrize("stages", [("begun",), ("begun", "switched", "verified")])
def test_a_rollback_by_hand_holds_the_week(tmp_path: Path, stages: tuple[str, ...]) -> None:
    """Every run promoted, and somebody rolled back since: nothing is promoted before a rerun of what failed them."""
    roll_back(healthy_week(tmp_path), *stages)
    document = iterates(close_week(tmp_path, W48), "rolled_back")
    assert document["channel"]["state"] == "rolled_back"
    assert document["required_gates"]["severity"] == "iterate"


def test_the_acta_shows_the_last_rehearsal(tmp_path: Path) -> None:
    """When it was, how long it took, how it ended, and the record that says so; or that there was none."""
    ledger = healthy_week(tmp_path / "with")
    for seconds, verified in ((9.25, True), (3.125, False)):
        body = {"stage": "rehearsed", "seconds": seconds, "verified": verified}
        entry = ledger.append(ROLLBACK, f"r{seconds}", body)
    closed = close_week(tmp_path / "with", W48)
    acta = (closed.directory / "acta.md").read_text(encoding="utf-8")
    words = f"{entry.recorded_at}, 3.125 s, NOT verified (ledger record {entry.seq})"
    assert f"- last rehearsal of the rollback: {words}" in acta
    assert closed.document["last_rehearsal"]["seconds"] == 3.125
    healthy_week(tmp_path / "without")
    acta = (close_week(tmp_path / "without", W48).directory / "acta.md").read_text(encoding="utf-8")
    assert "- last rehearsal of the rollback: never" in acta
