"""Floors and ratios in enough of the snapshots: the sign test, and what cannot be carried by a few fast snapshots."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.judge.campaign import Baseline
from pytest_weekops.core.judge.confidence import doubt
from pytest_weekops.core.judge.finding import CheckStatus, Severity, Verdict
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.records import Case
from pytest_weekops.core.measurement.stats import least_successes, trials_to_decide
from pytest_weekops.core.policy.policy import Evidence, Policy, Row
from pytest_weekops.policies.files import load_policy
from tests.core.judge.test_properties import QUICK
from tests.core.judge.test_verdict import pinned
from tests.support.synthetic import make_campaign, make_plan, make_records
from tests.support.verdicts import finding_of

PORTABLE = load_policy("portable")
WEEKLY, SPLIT = make_plan("weekly"), make_plan("split")
FLOOR = 2.0 * 128**3 / 128e3  # GFLOPS of the synthetic device at 128


def at(confidence: float, **facts: object) -> Policy:
    """The portable policy with this confidence."""
    return PORTABLE.model_copy(update={"evidence": Evidence(min_confidence=confidence), **facts})


def at_least(trials: int, successes: int) -> float:
    """Probability of so many heads or more of a fair coin, from the definition."""
    return math.fsum(math.comb(trials, k) * 0.5**trials for k in range(successes, trials + 1))


@given(st.integers(0, 60), st.sampled_from((0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.999)))
def test_the_count_is_the_binomial_tail(trials: int, confidence: float) -> None:
    """Chance gives the least count, or more, in at most the error allowed, and one fewer in more than that."""
    least = least_successes(trials, confidence)
    if least is None:
        assert at_least(trials, trials) > 1 - confidence
        return
    assert at_least(trials, least) <= 1 - confidence + 1e-12
    assert at_least(trials, least - 1) > 1 - confidence - 1e-12


@pytest.mark.parametrize(("failures", "trials"), [(0, 6), (1, 9), (2, 12)])
def test_how_many_snapshots_would_do(failures: int, trials: int) -> None:
    """0.98 takes 6 of 6, 8 of 9, 10 of 12, and no fewer."""
    assert trials_to_decide(failures, 0.98) == trials
    assert doubt([True] * (trials - failures) + [False] * failures, 0.98) == ""
    assert doubt([True] * (trials - failures - 1) + [False] * failures, 0.98)


def test_no_snapshot_is_no_evidence() -> None:
    """Where nothing was counted nothing is believed."""
    assert doubt([], 0.5)


@pytest.mark.parametrize(
    ("held", "count", "confidence", "wanted"),
    [
        (0, 30, 0.98, "22 of 30 or 50 of 80 needed"),
        (0, 31, 0.98, "22 of 31 needed"),
        (0, 31, 1 - 1e-12, "more needed"),
    ],
)
def test_after_thirty_failures_more_snapshots_are_no_advice(
    held: int, count: int, confidence: float, wanted: str
) -> None:
    """Nobody measures a hundred to save a driver that failed in thirty; how many of these would do is still said."""
    assert f"{wanted} for" in doubt([True] * held + [False] * (count - held), confidence)


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.data(), st.floats(0.5, 0.999))
def test_a_worse_snapshot_takes_no_doubt_away(holds: list[bool], data: st.DataObject, confidence: float) -> None:
    """What is doubted stays doubted where one snapshot more does not hold."""
    place = data.draw(st.integers(0, len(holds) - 1))
    worse = [*holds[:place], False, *holds[place + 1 :]]
    assert not doubt(holds, confidence) or doubt(worse, confidence)


def split_verdict(ratio: Callable[[int], float], policy: Policy = PORTABLE) -> Verdict:
    """A split in which the candidate is this many times as fast in each snapshot."""

    def speed(case: Case) -> float:
        return ratio(case.snapshot) if case.platform == "rusticl" else 1.0

    return judge(policy, make_campaign(SPLIT, make_records(SPLIT, speed=speed)))


def test_a_ratio_carried_by_few_snapshots_is_not_believed() -> None:
    """Two of six pairs were measured while the baseline's side was slow: the mean holds, the driver does not."""
    verdict = split_verdict(lambda snapshot: 1.65 if snapshot > 4 else 0.8)
    assert verdict.failed_checks == ("rusticl_ratio_vs_clover",)
    assert verdict.inconclusive_checks == verdict.failed_checks
    assert (int(verdict.exit_status), verdict.severity) == (11, Severity.SEV3)
    finding = finding_of(verdict, "rusticl_ratio_vs_clover")
    assert float(finding.observed or 0) >= 0.85
    assert "auto:128: 0.85 holds in 2 of 6 snapshots, 4 of 6 or 5 of 9 needed for 50 % confidence" in finding.message
    ratios = [row for row in verdict.rows if "ratio" in row]
    assert {row["status"] for row in ratios} == {"inconclusive"}
    assert all("holds in 2 of 6" in row["reason"] for row in ratios)


def test_a_few_slow_snapshots_of_the_candidate_are_no_doubt_in_a_majority() -> None:
    """One of six below the ratio is the host's noise at 0.5, and not at 0.98."""
    assert "rusticl_ratio_vs_clover" not in split_verdict(lambda s: 0.8 if s == 3 else 1.0).failed_checks
    assert "rusticl_ratio_vs_clover" in split_verdict(lambda s: 0.8 if s == 3 else 1.0, at(0.98)).inconclusive_checks
    assert "rusticl_ratio_vs_clover" not in split_verdict(lambda _s: 1.0, at(0.98)).failed_checks


def test_a_ratio_that_fails_on_the_mean_stays_a_failure() -> None:
    """However many snapshots hold, and whatever their spread: it is never milder than before."""
    verdict = split_verdict(lambda snapshot: 0.3 if snapshot > 4 else 0.9)
    finding = finding_of(verdict, "rusticl_ratio_vs_clover")
    assert (finding.status, finding.reason_code) == (CheckStatus.FAIL, "ratio")


def floors(speed: Callable[[int], float], policy: Policy, *baseline: Baseline) -> Verdict:
    """A week with this many times the usual speed in each snapshot."""
    records = make_records(WEEKLY, speed=lambda case: speed(case.snapshot))
    return judge(policy, make_campaign(WEEKLY, records, baseline=baseline))


@pytest.mark.parametrize("baseline", [False, True], ids=["row", "pinned baseline"])
def test_a_floor_carried_by_few_snapshots_is_not_believed(baseline: bool) -> None:
    """Four of six below, two far above: the mean holds, and the cell is inconclusive."""
    loose = PORTABLE.guardrails.model_copy(
        update={"max_abs_throughput_drift_percent": 99.0, "max_throughput_deviation_percent": 99.0}
    )
    rows = {} if baseline else {"auto:128": Row(min_avg_gflops=0.95 * FLOOR)}
    facts = (pinned(),) if baseline else ()
    share = PORTABLE.floors.model_copy(update={"max_share_of_baseline_p95": 9.0})
    policy = at(0.5, guardrails=loose, rows=rows, floors=share)
    verdict = floors(lambda s: 1.4 if s > 4 else 0.8, policy, *facts)
    assert verdict.failed_checks == verdict.inconclusive_checks == ("per_kernel_size_slo",)
    assert "holds in 2 of 6 snapshots" in finding_of(verdict, "per_kernel_size_slo").message
    assert "inconclusive" in {row["status"] for row in verdict.rows}
    assert floors(lambda s: 0.93 if s > 4 else 1.05, policy, *facts).failed_checks == ()
    strict = policy.model_copy(update={"evidence": Evidence(min_confidence=0.98)})
    assert floors(lambda s: 0.93 if s > 4 else 1.05, strict, *facts).failed_checks == ("per_kernel_size_slo",)
    assert floors(lambda _s: 1.0, strict, *facts).failed_checks == ()


def test_too_few_snapshots_cannot_reach_the_confidence() -> None:
    """Five that hold are no evidence at 0.98, and the finding says how many would be."""
    plan = make_plan("split", snapshots=5)
    verdict = judge(at(0.98), make_campaign(plan, make_records(plan)))
    finding = finding_of(verdict, "rusticl_ratio_vs_clover")
    assert finding.status is CheckStatus.INCONCLUSIVE
    assert "holds in 5 of 5 snapshots, 6 of 6 needed for 98 % confidence" in finding.message


RANK = {CheckStatus.PASS: 0, CheckStatus.INCONCLUSIVE: 1, CheckStatus.FAIL: 2}
SPEEDS = st.lists(st.floats(0.5, 2.0), min_size=6, max_size=6)


@QUICK
@given(SPEEDS, st.integers(0, 5), st.floats(0.2, 1.0), st.sampled_from((0.5, 0.9, 0.98)))
def test_a_slower_candidate_never_helps_the_ratio(
    speeds: list[float], place: int, factor: float, confidence: float
) -> None:
    """Whatever the other snapshots are: a slower one moves it from pass to inconclusive to fail, never back."""
    slower = [*speeds[:place], speeds[place] * factor, *speeds[place + 1 :]]
    policy = at(confidence)
    before, after = (ratio_status(each, policy) for each in (speeds, slower))
    assert RANK[after] >= RANK[before]


def ratio_status(speeds: list[float], policy: Policy) -> CheckStatus:
    """Status of the ratio where the candidate is this many times as fast, snapshot by snapshot."""
    verdict = split_verdict(lambda snapshot: speeds[snapshot - 1], policy)
    return finding_of(verdict, "rusticl_ratio_vs_clover").status
