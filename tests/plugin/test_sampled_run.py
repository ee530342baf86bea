"""A weekly run under an older T5 policy: the guard samples as that says, and nowhere passes for full coverage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.guard.abft import draw_lines
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.evidence.stored_run import read_run
from tests.support.command import weekops
from tests.support.gates import SMALL, GateResult

pytestmark = pytest.mark.device

Gate = Callable[..., GateResult]
Need = Callable[[str], str]
OPTIONS = (*SMALL, "--kernels", "auto_t5_guarded", "--rollback", "never", "--t5-policy", "older.json")


def older(directory: Path, **rails: float) -> None:
    """An older policy: three rows and columns of one launch in four."""
    mode = {"sampling_period": 4, "row_samples": 3, "col_samples": 3, "projection_count": 2}
    residual = {"residual_scale": 5.0, "residual_margin": 0.01, "residual_floor": 0.05}
    document = {"policy_id": "t5-old", "abft_mode": {**mode, **residual}, "runtime_guardrails": rails}
    (directory / "older.json").write_text(json.dumps(document), encoding="utf-8")


def test_a_sampled_run_says_so_in_journal_terminal_and_summary(gate: Gate, need_platform: Need, tmp_path: Path) -> None:
    """Mode, lines, period and the chance of seeing a fault; other lines in each snapshot, all to be drawn again."""
    older(tmp_path)
    result = gate("--platforms", need_platform("pocl"), *OPTIONS)
    assert result.status in (0, 11), result.output  # 11: the host was not steady, which is not what this is about
    run = read_run(result.run_dirs[0])
    found = [(r.case, r.guard) for r in run.records if isinstance(r, Measurement) and r.guard is not None]
    assert {case.snapshot for case, _guard in found} == {1, 2}
    for case, guard in found:
        assert (guard.mode, guard.row_samples, guard.col_samples, guard.period) == ("sampled", 3, 3, 4)
        assert guard.coverage_percent == pytest.approx(100 * (1 - (93 / 96) ** 2) / 4)
        assert guard.checked_launches[:3] == (1, 5, 9)
        for launch, rows in zip(guard.checked_launches, guard.drawn_rows, strict=True):
            assert rows == draw_lines(96, 3, seed=case.seed, draw=case.snapshot, launch=launch)
    assert found[0][1].drawn_rows[0] != found[-1][1].drawn_rows[0]
    summary = (result.run_dirs[0] / "summary.md").read_text(encoding="utf-8")
    for text in (result.output, summary):
        assert "SAMPLED 3+3 lines, 1 launch in 4: sees 1.5 % of faults" in text
    assert "amortised: sampled: 3 rows and 3 columns" in result.finding("t5_overhead_bound")["message"]


@pytest.mark.long
def test_a_campaign_of_full_coverage_is_no_evidence_in_such_a_run(
    gate: Gate, need_platform: Need, tmp_path: Path
) -> None:
    """It lies in the same report directory, of the same driver and size, and blocks all the same."""
    platform = need_platform("pocl")
    amounts = ("--flips", "20", "--faults", "2", "--clean", "4")
    weekops("inject", "--platforms", platform, "--sizes", "96", *amounts, cwd=tmp_path)
    assert len(list((tmp_path / "reports" / "injections").glob("*.json"))) == 1
    older(tmp_path, disable_if_critical_recall_lt=0.5)
    result = gate("--platforms", platform, *OPTIONS)
    assert result.status not in (0, 4), result.output
    found = result.finding("t5_recall_bound")
    assert found["status"] == "no_data"
    assert "sampled: 3 rows and 3 columns of one launch in 4" in found["message"]
