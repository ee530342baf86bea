"""What the ledger is told: a refusal before the switch stops it, one after it hides nothing; evidence goes by hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.rollback.outcome import Outcome
from pytest_weekops.rollback.records import evidence_document, nothing_to_undo, record_after
from pytest_weekops.rollback.switch import Rollout
from pytest_weekops.week.ledger import open_ledger
from tests.support.rollbacks import NEW, OLD, Checks, active


def refuse_records(report_dir: Path, step: str) -> Rollout:
    """A rollout whose ledger takes nothing any more once ``step`` is done."""

    def after(done: str) -> None:
        if done == step:
            (report_dir / "ledger.head").write_text('{"count": 99, "hash": "0"}', encoding="utf-8")

    return Rollout(report_dir, after_step=after)


@pytest.mark.parametrize("step", ["switch", "record", "measure"])
def test_a_ledger_that_refuses_after_the_switch_hides_nothing(deployed: Path, step: str) -> None:
    """An error that says "nothing was changed" would be a lie now."""
    checks = Checks()
    applied = refuse_records(deployed, step).apply(NEW, checks)
    assert not applied.verified
    assert "NOT VERIFIED: clover is active NOW" in applied.lines[0]
    assert any("the ledger did not take it" in line for line in applied.lines)
    assert checks.seen == ["clover", "clover"]
    assert active(deployed) == NEW.text


def test_a_ledger_that_refuses_before_the_switch_stops_it(deployed: Path) -> None:
    """What cannot be recorded is not done."""
    with pytest.raises(WeekopsError, match="does not verify"):
        refuse_records(deployed, "write").apply(NEW, Checks())
    assert active(deployed) == OLD.text


def test_an_undo_that_is_not_recorded_says_what_is_active(deployed: Path) -> None:
    """The profile is back, the record is missing: both are said, and it is an error."""
    Rollout(deployed).apply(NEW, Checks())
    with pytest.raises(WeekopsError, match="NOT RECORDED: active NOW is rusticl"):
        refuse_records(deployed, "switch").undo()
    assert active(deployed) == OLD.text


def test_evidence_that_cannot_be_read_verifies_nothing(deployed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was there and cannot be hashed is a problem, not a traceback."""
    proof = deployed / "proof.json"
    proof.write_text("{}", encoding="utf-8")

    class WithProof(Checks):
        def measure(self, active: Path) -> Outcome:
            return Outcome(evidence=(proof,))

    def refuse(_path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("pytest_weekops.rollback.records.hash_file", refuse)
        applied = Rollout(deployed).apply(NEW, WithProof())
    assert not applied.verified
    assert any("proof.json of the measure cannot be read" in problem for problem in applied.problems)
    assert Rollout(deployed).apply(NEW, WithProof()).verified


def test_evidence_is_named_within_the_report_directory_or_by_its_whole_path(tmp_path: Path) -> None:
    """A link that leads out of it must not look like a file inside."""
    reports, outside = tmp_path / "reports", tmp_path / "outside.json"
    reports.mkdir()
    outside.write_text("{}", encoding="utf-8")
    (reports / "inside.json").write_text("{}", encoding="utf-8")
    (reports / "link.json").symlink_to(outside)
    digest = hash_file(outside)
    assert evidence_document(reports / "inside.json", reports) == {"path": "inside.json", "sha256": digest}
    assert evidence_document(reports / "link.json", reports) == {"path": str(outside), "sha256": digest}


def test_what_there_is_to_undo_is_told_from_the_ledger(tmp_path: Path) -> None:
    """A rollback in effect, one that was undone, or none ever: three answers."""
    with pytest.raises(InputError, match="none to undo"):
        nothing_to_undo(open_ledger(tmp_path).entries())
    Rollout(tmp_path).apply(OLD, Checks())
    assert nothing_to_undo(open_ledger(tmp_path).entries()) == ""
    Rollout(tmp_path).undo()
    assert "undone already" in nothing_to_undo(open_ledger(tmp_path).entries())


def test_a_record_of_what_is_done_is_kept_or_told(tmp_path: Path) -> None:
    """Never raised: the profile is switched, whatever the ledger says."""
    assert record_after(tmp_path, "switched", {"seconds": 1.0}) == []
    assert open_ledger(tmp_path).entries()[-1].body == {"stage": "switched", "seconds": 1.0}
    (tmp_path / "ledger.head").write_text('{"count": 99, "hash": "0"}', encoding="utf-8")
    (problem,) = record_after(tmp_path, "verified", {})
    assert "(verified)" in problem
