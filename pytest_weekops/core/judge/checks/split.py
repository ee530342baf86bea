"""Checks of a live split: the candidate against the baseline, pair by pair, by the same host clock."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.checks.slo import baseline_side_slo
from pytest_weekops.core.judge.confidence import doubt
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.metrics import CaseMetrics, all_launches, least_pairs
from pytest_weekops.core.judge.outcome import failed, inconclusive, listed, no_data, passed
from pytest_weekops.core.measurement.calm import pair_logs
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.stats import percentile95
from pytest_weekops.core.policy.policy import Policy

clover_policy_rows = baseline_side_slo


@dataclass(frozen=True)
class Pairing:
    """One kernel and size, over all seeds (``seed`` None) or for one: pairs of the same snapshot and seed."""

    kernel: str
    size: int
    seed: int | None
    pairs: tuple[tuple[CaseMetrics, CaseMetrics], ...]
    wanted: int

    @property
    def name(self) -> str:
        """The pairing for people."""
        return f"{self.kernel}:{self.size}" + ("" if self.seed is None else f" seed {self.seed}")

    @property
    def is_whole(self) -> bool:
        """Whether every planned pair is there."""
        return bool(self.pairs) and len(self.pairs) == self.wanted

    @property
    def ratio(self) -> float:
        """Candidate throughput / baseline throughput: geometric mean over pairs of their median times."""
        return _ratio(self.pairs)

    def doubt(self, least: float, confidence: float) -> str:
        """Why a ratio that holds on the mean is not believed, or nothing."""
        snapshots = sorted({before.snapshot for before, _after in self.pairs})
        each = [_ratio([pair for pair in self.pairs if pair[0].snapshot == snapshot]) for snapshot in snapshots]
        return doubt((ratio >= least for ratio in each), confidence)

    @property
    def latency_ratio(self) -> float:
        """Candidate p95 / baseline p95 over all launches of the pairs."""
        before, after = (all_launches([pair[side] for pair in self.pairs]) for side in (0, 1))
        return percentile95(after) / percentile95(before) if before and after else math.nan

    @property
    def launches(self) -> int:
        """Launches of the side that has fewer."""
        return min((len(all_launches([pair[side] for pair in self.pairs])) for side in (0, 1)), default=0)


def _log_ratio(before: CaseMetrics, after: CaseMetrics) -> float:
    """Candidate over baseline throughput of one pair: the median over its turns, where it took turns."""
    if before.turns_ms:
        return statistics.median(pair_logs(before.turns_ms, after.turns_ms))
    return math.log(before.median_ms / after.median_ms)


def _is_pair(before: CaseMetrics, after: CaseMetrics, plan: CampaignPlan) -> bool:
    """Whether two measurements can be compared; a plan in turns needs enough of them, in one order for both sides."""
    if not plan.in_turns:
        return True
    same = bool(before.turn_order) and before.turn_order == after.turn_order
    return same and len(pair_logs(before.turns_ms, after.turns_ms)) >= least_pairs(plan)


def _ratio(pairs: Sequence[tuple[CaseMetrics, CaseMetrics]]) -> float:
    logs = [_log_ratio(before, after) for before, after in pairs]
    return math.exp(math.fsum(logs) / len(logs)) if logs else math.nan


def pairings(campaign: Campaign, *, per_seed: bool = True) -> list[Pairing]:
    """Every kernel and size of the plan: first over all seeds, then, with more than one seed, for each."""
    plan = campaign.plan
    base, candidate = str(plan.baseline_platform), str(plan.candidate_platform)
    found = []
    for kernel in plan.kernels:
        for size in plan.sizes:
            before = {(m.snapshot, m.seed): m for m in campaign.good.get((base, kernel, size), ())}
            after = {(m.snapshot, m.seed): m for m in campaign.good.get((candidate, kernel, size), ())}
            both = [key for key in sorted(set(before) & set(after)) if _is_pair(before[key], after[key], plan)]
            seeds = (None, *plan.seeds) if per_seed and len(plan.seeds) > 1 else (None,)
            for seed in seeds:
                mine = tuple((before[key], after[key]) for key in both if seed is None or key[1] == seed)
                wanted = plan.snapshots * (len(plan.seeds) if seed is None else 1)
                found.append(Pairing(kernel, size, seed, mine, wanted))
    return found


def least_ratio(policy: Policy, campaign: Campaign) -> float:
    """The ratio the candidate owes: what the run was asked for, else the policy's."""
    asked = campaign.plan.min_rusticl_ratio
    return policy.split.min_ratio if asked is None else asked


def platform_split_present(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """Baseline and candidate are two platforms, and both have ok runs."""
    check, plan = "platform_split_present", campaign.plan
    wanted = (plan.baseline_platform, plan.candidate_platform)
    if None in wanted or wanted[0] == wanted[1] or set(wanted) != set(plan.platforms):
        return failed(
            check, "no_split", f"the plan does not name a baseline and a candidate: {wanted}", required="two platforms"
        )
    seen = {cell[0] for cell, rows in campaign.good.items() if rows}
    missing = tuple(str(platform) for platform in wanted if platform not in seen)
    if missing:
        return failed(check, "platform_missing", f"no ok run on {', '.join(missing)}", rows=missing)
    return passed(check, f"{wanted[0]} and {wanted[1]} both answered")


def rusticl_ratio_vs_clover(policy: Policy, campaign: Campaign) -> Finding:
    """Candidate throughput is at least the ratio of the baseline's, over all seeds and for each.

    On the mean and in enough of the snapshots.
    """
    check, least = "rusticl_ratio_vs_clover", least_ratio(policy, campaign)
    found = pairings(campaign)
    bad = tuple(f"{p.name}: {p.ratio:.3f}" for p in found if p.pairs and not p.ratio >= least)
    missing = tuple(f"{p.name}: {len(p.pairs)} of {p.wanted} pairs" for p in found if not p.is_whole)
    ratios = [p.ratio for p in found if p.pairs]
    facts = {"observed": min(ratios) if ratios else None, "required": least}
    if bad:
        return failed(check, "ratio", f"below {least:g}: {listed(bad)}", rows=bad, **facts)
    if missing or not found:
        return no_data(check, "missing_pairs", f"not compared: {listed(missing)}", rows=missing, **facts)
    doubts = [(p.name, p.doubt(least, policy.evidence.min_confidence)) for p in found]
    unsure = tuple(f"{name}: {least:g} {why}" for name, why in doubts if why)
    if unsure:
        return inconclusive(check, "confidence", listed(unsure), rows=unsure, **facts)
    return passed(check, f"lowest ratio {min(ratios):.3f}, host clock on both sides", **facts)


def rusticl_latency_ratio(policy: Policy, campaign: Campaign) -> Finding:
    """Candidate p95 is at most the latency ratio of the baseline's."""
    check, most = "rusticl_latency_ratio", policy.split.max_latency_ratio
    found = pairings(campaign, per_seed=False)
    bad = tuple(f"{p.name}: {p.latency_ratio:.3f}" for p in found if p.pairs and not p.latency_ratio <= most)
    least = policy.evidence.min_p95_launches
    short = tuple(f"{p.name}: {p.launches} launches" for p in found if p.launches < least)
    ratios = [p.latency_ratio for p in found if p.pairs]
    facts = {"observed": max(ratios) if ratios else None, "required": most}
    if bad:
        return failed(check, "ratio", f"p95 ratio above {most:g}: {listed(bad)}", rows=bad, **facts)
    if short or not found:
        return no_data(check, "too_few_launches", f"p95 needs {least} launches: {listed(short)}", rows=short, **facts)
    return passed(check, f"highest p95 ratio {max(ratios):.3f}", **facts)


def required_sizes_present_on_split(policy: Policy, campaign: Campaign) -> Finding:
    """Every required size ran with every kernel on both platforms."""
    check, plan = "required_sizes_present_on_split", campaign.plan
    sizes = plan.required_sizes or policy.split.required_sizes or plan.sizes
    missing = tuple(
        f"{platform} {kernel}:{size}"
        for size in sizes
        for kernel in plan.kernels
        for platform in plan.platforms
        if not campaign.good.get((platform, kernel, size))
    )
    if missing or not sizes:
        return failed(check, "missing", f"absent: {listed(missing)}", rows=missing, observed=len(missing), required=0)
    return passed(check, f"sizes {', '.join(map(str, sizes))} ran on both platforms", observed=0, required=0)
