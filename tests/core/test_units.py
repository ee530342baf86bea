"""Units of throughput: a triad cell is judged in GB/s, and a floor or baseline in another unit never passes for one."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_weekops.core.judge.campaign import Baseline, BaselineRow
from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.judge.metrics import CaseMetrics, case_metrics
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.policy.diff import diff_policies
from pytest_weekops.core.policy.policy import Policy, Row
from pytest_weekops.core.policy.recalibration import CellEvidence, Recipe, recalibrate
from pytest_weekops.core.policy.row_units import misstated_rows
from pytest_weekops.core.recorded.judge import judge_recorded
from pytest_weekops.core.units import throughput
from pytest_weekops.evidence.recorded import parse_campaign
from pytest_weekops.report.table import render_table
from tests.support.recorded_data import weekly
from tests.support.synthetic import Records, make_campaign, make_plan, make_records
from tests.support.verdicts import finding_of

POLICY = Policy.model_validate(
    {"policy_id": "test", "floors": {"waiver": "none"}, "guardrails": {"max_p95_drift_percent": None}}
)

PLAN = make_plan(kernels=("triad",))
GBS = 12 * 128.0 / 1000.0  # the synthetic triad at 128: 12 n**2 bytes in 1000 n ns


def triad_records(**facts: Any) -> Records:
    """A healthy run whose measurements are triad's."""

    def changed(record: Any) -> Any:
        if not isinstance(record, Measurement):
            return record
        square = record.case.size**2
        fresh = {"operation": "triad", "unit": "GB/s", "flops": 2.0 * square, "bytes_moved": 12.0 * square}
        return record.model_copy(update={**fresh, **facts})

    return [changed(record) for record in make_records(PLAN)]


def with_row(**limits: float) -> Policy:
    """A policy that bounds triad at 128."""
    return POLICY.model_copy(update={"rows": {"triad:128": Row(**limits)}})


def verdict_on(records: Records, policy: Policy = POLICY, **facts: Any) -> Verdict:
    """The verdict on records of :data:`PLAN`."""
    return judge(policy, make_campaign(PLAN, records, **facts))


def finding(verdict: Verdict, check: str) -> str:
    """What one check said."""
    return finding_of(verdict, check).message


def test_throughput_counts_what_its_unit_names() -> None:
    """One operation or one byte per nanosecond is 1e9 of them per second; the other amount has no say."""
    assert throughput("GFLOPS", 2e9, 5.0, 1e9) == 2.0
    assert throughput("GB/s", 2e9, 5.0, 10.0) == 0.5


@pytest.mark.parametrize(("share", "passes"), [(0.9, True), (1.1, False)])
def test_a_floor_in_gbs_bounds_a_triad_cell(share: float, passes: bool) -> None:
    """A floor above what was reached fails with the numbers in GB/s."""
    verdict = verdict_on(triad_records(), with_row(min_avg_gbs=GBS * share))
    assert verdict.failed_checks == (() if passes else ("per_kernel_size_slo",))
    if not passes:
        assert "GB/s below the floor 1.6896" in finding(verdict, "per_kernel_size_slo")


def test_a_floor_in_the_wrong_unit_fails() -> None:
    """A row in GFLOPS that any triad would meet bounds nothing, and is no pass."""
    verdict = verdict_on(triad_records(), with_row(min_avg_gflops=1e-6))
    assert verdict.failed_checks == ("per_kernel_size_slo",)
    assert "states min_avg_gflops, and this operation is judged in GB/s" in finding(verdict, "per_kernel_size_slo")


def test_a_floor_in_gbs_fails_a_gemm_cell() -> None:
    """The same the other way round: GEMM is judged in GFLOPS."""
    plan = make_plan()
    policy = POLICY.model_copy(update={"rows": {"auto:128": Row(min_avg_gbs=1e-6)}})
    assert judge(policy, make_campaign(plan, make_records(plan))).failed_checks == ("per_kernel_size_slo",)


def test_a_row_in_gbs_must_be_measured() -> None:
    """A row whose only limit is in GB/s is demanded like any other."""
    policy = POLICY.model_copy(update={"rows": {"triad:512": Row(min_avg_gbs=1.0)}})
    assert "all_policy_rows_present" in verdict_on(triad_records(), policy).failed_checks


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_bytes_that_are_none_are_no_throughput(value: float) -> None:
    """Where GB/s are judged, bytes count as flops do elsewhere."""
    assert "finite_metrics" in verdict_on(triad_records(bytes_moved=value)).failed_checks


def test_a_cell_in_two_units_says_nothing() -> None:
    """Measurements of one cell that disagree about their unit fail it."""
    records = triad_records()
    place = next(n for n, record in enumerate(records) if isinstance(record, Measurement))
    record = records[place]
    assert isinstance(record, Measurement)
    records[place] = record.model_copy(update={"unit": "GFLOPS"})
    verdict = verdict_on(records)
    assert verdict.failed_checks == ("work_as_stated", "per_kernel_size_slo")
    assert "judged in GB/s and GFLOPS" in finding(verdict, "per_kernel_size_slo")


def test_the_absolute_bound_is_gemms() -> None:
    """An error that is large in absolute terms and small in triad's own units passes; large in these it fails."""

    def with_errors(absolute: float, scaled: float) -> Records:
        records = triad_records()
        for place, record in enumerate(records):
            if isinstance(record, Measurement):
                session = record.sessions[0].model_copy(update={"max_abs_error": absolute, "k_scaled_error": scaled})
                records[place] = record.model_copy(update={"sessions": (session, *record.sessions[1:])})
        return records

    assert verdict_on(with_errors(0.5, 2.0)).failed_checks == ()
    for absolute, scaled in ((0.5, 12.5), (math.inf, 2.0), (math.nan, 2.0)):
        assert "correctness_error_bound" in verdict_on(with_errors(absolute, scaled)).failed_checks


def pinned(share: float, **facts: Any) -> Baseline:
    """A baseline that was ``share`` times as fast as the synthetic triad."""
    rows = [
        BaselineRow.model_validate(
            {
                "kernel": "triad",
                "size": n,
                "mean_gflops": 2.0 * n / 1000.0 * share,
                "mean_gbs": 12.0 * n / 1000.0 * share,
                "unit": "GB/s",
                "p95_ms": n * 1.018e-3 / share,
                "anchor_ms": 10.05,
                **facts,
            }
        )
        for n in PLAN.sizes
    ]
    names = {"profile": "pocl", "hardware": "a processor x 2", "run_id": "b", "source_sha256": "0"}
    return Baseline.model_validate({**names, "created_at": "2026-11-20T00:00:00+00:00", "rows": rows})


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        (pinned(1.0), ()),
        (pinned(1.2), ("per_kernel_size_slo",)),
        (pinned(1.0, unit="GFLOPS"), ("per_kernel_size_slo",)),
        (pinned(1.0, mean_gbs=None), ("baseline_usable",)),
        (pinned(1.0, mean_gbs=0.0), ("baseline_usable",)),
    ],
    ids=["same", "faster then", "another unit", "no gbs", "zero gbs"],
)
def test_a_pinned_baseline_bounds_a_triad_cell(baseline: Baseline, expected: tuple[str, ...]) -> None:
    """It is compared in GB/s; one that has none is no baseline."""
    assert verdict_on(triad_records(), baseline=baseline).failed_checks == expected


def test_the_table_shows_each_cell_in_its_unit() -> None:
    """GEMM and triad stand in a table each, with the unit in its head."""
    gemm = {"platform": "pocl", "kernel": "auto", "size": 128, "mean_gflops": 33.25, "unit": "GFLOPS", "status": "pass"}
    (triad, _other) = verdict_on(triad_records()).rows
    lines = render_table("weekly", [triad, gemm])
    heads = [line.split() for line in lines if line.startswith("cell")]
    assert [head[1] for head in heads] == ["GFLOPS", "GB/s"]
    (line,) = [line for line in lines if line.startswith("pocl triad 128")]
    assert abs(float(line.split()[3]) - GBS) < 0.02, line


@pytest.mark.parametrize(
    ("row", "unit", "words"),
    [
        (Row(min_avg_gflops=1.0), "GB/s", "Give min_avg_gbs instead."),
        (Row(min_avg_gbs=1.0), "GFLOPS", "Give min_avg_gflops instead."),
        (Row(min_avg_gbs=1.0), "GB/s", ""),
        (Row(max_p95_time_ms=1.0), "GB/s", ""),
    ],
)
def test_a_misstated_row_is_named_before_a_run(row: Row, unit: Any, words: str) -> None:
    """The sentence names the row and the key that is meant; a ceiling in milliseconds has no unit to get wrong."""
    sentence = misstated_rows(POLICY.model_copy(update={"rows": {"k:64": row}}), {"k": unit})
    assert sentence.endswith(words)
    assert ("row k:64" in sentence) is bool(words)


def test_a_lower_floor_in_gbs_is_looser() -> None:
    """`weekops policy diff` knows the direction."""
    (change,) = diff_policies(with_row(min_avg_gbs=2.0), with_row(min_avg_gbs=1.0))
    assert (change.direction, change.key) == ("looser", "rows.triad:128.min_avg_gbs")


def test_recalibration_keeps_the_unit() -> None:
    """A floor is proposed in the unit of the evidence, and none where the row states another."""
    evidence = [CellEvidence("triad:128", run, 10.0, 1.0, "GB/s") for run in "abc"]
    (proposal,) = recalibrate(POLICY, evidence, recipe=Recipe())
    assert proposal.row is not None
    assert (proposal.row.min_avg_gbs, proposal.row.min_avg_gflops) == (9.5, None)
    (held,) = recalibrate(with_row(min_avg_gflops=1.0), evidence, recipe=Recipe())
    assert held.row is None
    assert "min_avg_gflops" in held.held


def test_both_throughputs_of_a_measurement_are_known() -> None:
    """GFLOPS and GB/s come from the same launches; the unit says which one counts."""
    record = next(record for record in triad_records() if isinstance(record, Measurement))
    metrics = case_metrics(record, PLAN)
    assert isinstance(metrics, CaseMetrics)
    assert metrics.mean_gbs == pytest.approx(6 * metrics.mean_gflops)
    assert metrics.throughput == metrics.mean_gbs


@pytest.mark.parametrize("rules", ["strict", "compat"])
def test_a_recorded_campaign_meets_no_floor_in_gbs(rules: Any) -> None:
    """Recorded files hold GFLOPS only: a row in GB/s fails there, by either set of rules."""
    document = weekly()
    floor = {key: Row(min_avg_gflops=1.0) for key in ("auto_t3_controlled:1400", "auto_t5_guarded:1400")}
    for name, rows in (("gflops", floor), ("gbs", {key: Row(min_avg_gbs=1.0) for key in floor})):
        policy = POLICY.model_copy(update={"rows": rows})
        verdict = judge_recorded(policy, parse_campaign(document, "weekly.json"), rules=rules).verdict
        assert ("per_kernel_size_slo" in verdict.failed_checks) is (name == "gbs"), verdict.failed_checks
