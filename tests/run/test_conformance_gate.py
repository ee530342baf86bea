"""A whole split over results that were kept: the same driver twice, then a candidate that got worse in one test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.evidence.conformance.store import all_kept, keep
from tests.support.gates import POLICY, SMALL, GateResult
from tests.support.stand_in_piglit import stand_in

pytestmark = pytest.mark.long
POCL = "Portable Computing Language"
WIDE = "split: {min_ratio: 0.02, max_latency_ratio: 90}\n"
ASKED = (
    "--baseline-platform",
    "old=pocl-embedded",
    "--candidate-platform",
    "pocl-system",
    "--min-rusticl-ratio",
    "0.02",
)


def test_a_split_takes_in_what_was_kept_of_its_drivers(
    gate: Callable[..., GateResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kept by the command for two real drivers, found by their files, judged; and judged anew, with the same verdict."""
    stand_in(tmp_path / "bin", {"api@a": ["pass"], "api@b": ["fail"]}, platform=POCL)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    reports = tmp_path / "reports"
    drivers = ["old=pocl-embedded", "pocl-system"]
    assert main(["conformance", "piglit", "--report-dir", str(reports), "--platforms", *drivers]) == 0
    assert "1 fail, 1 pass" in capsys.readouterr().out
    store = reports / "conformance"
    mine = next(one for one in all_kept(store, "piglit") if one.identity.profile == "pocl-system")
    worse = tuple(one.model_copy(update={"status": "crash"}) if one.test == "api@a" else one for one in mine.tests)
    (tmp_path / "wide.yaml").write_text(POLICY + WIDE, encoding="utf-8")
    words = (*ASKED, *SMALL, "--policy", "wide.yaml", "--evidence", "piglit")

    good = gate(*words, suite="split")
    found = good.finding("conformance_evidence")
    assert found["status"] == "pass", found["message"]
    assert "1 failed before as well" in found["message"]
    assert not [name for name in good.decision["failed_checks"] if name.startswith("conformance")]
    assert "## What others have tested" in (good.run_dirs[0] / "summary.md").read_text(encoding="utf-8")
    assert main(["judge", str(good.run_dirs[0])]) == good.status

    shutil.rmtree(good.run_dirs[0])
    keep(store, mine.model_copy(update={"tests": worse, "created_at": "2999-01-01T00:00:00+00:00"}))
    (tmp_path / "reports" / "ledger.sqlite").unlink()
    bad = gate(*words, suite="split")
    assert bad.finding("conformance_evidence")["reason_code"] == "unusable"
    assert bad.status not in (0, 5)
