"""A finished run in the ledger: once, under a plain name, with the hash of the decision on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.week.ledger import DuplicateEntry, open_ledger
from pytest_weekops.week.run_record import record_run
from tests.support.history import promoted


def test_two_runs_with_one_id(tmp_path: Path) -> None:
    """The ledger holds a run once, whatever the second one says."""
    record_run(tmp_path / "ledger.sqlite", promoted("run-1"))
    with pytest.raises(DuplicateEntry):
        record_run(tmp_path / "ledger.sqlite", promoted("run-1", created_at="2026-11-25T12:00:00+00:00"))


@pytest.mark.parametrize("name", ["../../outside", "a/b", "", ".hidden", "-rf", "x\n", "a\\b"])
def test_a_run_whose_name_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    """Run ids name directories."""
    with pytest.raises(InputError):
        record_run(tmp_path / "ledger.sqlite", promoted(name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"{}\n", None])
def test_the_decision_on_disk_is_kept_by_its_hash(tmp_path: Path, content: bytes | None) -> None:
    """What is recorded can be held against the file later; without a file there is nothing to hold."""
    if content is not None:
        (tmp_path / "run-1").mkdir()
        (tmp_path / "run-1" / "decision.json").write_bytes(content)
    recorded = record_run(tmp_path / "ledger.sqlite", {**promoted("run-1"), "run_dir": "run-1"})
    assert recorded.decision_sha256 == (hashlib.sha256(content).hexdigest() if content is not None else "")
    assert open_ledger(tmp_path).entries()[0].body["decision_sha256"] == recorded.decision_sha256
    assert recorded.seq == 1
