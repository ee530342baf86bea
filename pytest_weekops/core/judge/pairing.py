"""Baseline and candidate of a split, pair by pair: the same kernel, size, seed and snapshot on both sides."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.confidence import doubt
from pytest_weekops.core.judge.metrics import CaseMetrics, all_launches, least_pairs
from pytest_weekops.core.measurement.calm import pair_logs
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.stats import percentile95
from pytest_weekops.core.policy.policy import Policy


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

    @property
    def logs(self) -> list[float]:
        """ln(ratio) of each snapshot, in order."""
        snapshots = sorted({before.snapshot for before, _after in self.pairs})
        each = [[pair for pair in self.pairs if pair[0].snapshot == snapshot] for snapshot in snapshots]
        return [math.log(_ratio(pairs)) for pairs in each]

    def doubt(self, least: float, confidence: float) -> str:
        """Why a ratio that holds on the mean is not believed, or nothing: the rule of runs without looks."""
        return doubt((math.exp(log) >= least for log in self.logs), confidence)

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
    """Every kernel and size that is not left out: first over all seeds, then, with more than one seed, for each."""
    plan = campaign.plan
    base, candidate = str(plan.baseline_platform), str(plan.candidate_platform)
    found = []
    unheld = {*campaign.not_applicable, *campaign.untimed}
    for kernel in (name for name in plan.kernels if unheld.isdisjoint([(base, name), (candidate, name)])):
        for size in plan.sizes:
            if (base, kernel, size) in campaign.excused:
                continue
            before = {(m.snapshot, m.seed): m for m in campaign.good.get((base, kernel, size), ())}
            after = {(m.snapshot, m.seed): m for m in campaign.good.get((candidate, kernel, size), ())}
            both = [key for key in sorted(set(before) & set(after)) if _is_pair(before[key], after[key], plan)]
            seeds = (None, *plan.seeds) if per_seed and len(plan.seeds) > 1 else (None,)
            for seed in seeds:
                mine = tuple((before[key], after[key]) for key in both if seed is None or key[1] == seed)
                wanted = plan.snapshots * (len(plan.seeds) if seed is None else 1)
                wanted -= _lost(campaign, kernel, size, seed)
                found.append(Pairing(kernel, size, seed, mine, wanted))
    return found


def least_ratio(policy: Policy, campaign: Campaign) -> float:
    """The ratio the candidate owes: what the run was asked for, else the policy's."""
    asked = campaign.plan.min_rusticl_ratio
    return policy.split.min_ratio if asked is None else asked


def _lost(campaign: Campaign, kernel: str, size: int, seed: int | None) -> int:
    """Pairs of a run with looks that stayed void: other snapshots stand in for them."""
    if not campaign.plan.looks:
        return 0
    void = {
        (case.snapshot, case.seed)
        for case in campaign.lost_to_the_host
        if (case.kernel, case.size) == (kernel, size) and case.snapshot <= campaign.plan.snapshots
    }
    return sum(seed is None or each[1] == seed for each in void)
