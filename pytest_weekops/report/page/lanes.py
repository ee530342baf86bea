"""The two controlled lanes as the page shows them: what the guard cost and catches, what online selection tried."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pytest_weekops.core.binomial import clopper_pearson
from pytest_weekops.core.guard.injection import Injection, InjectionRecord
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.measurement.lane_records import SelectorEvidence, Trial
from pytest_weekops.core.measurement.modes import T3_KERNEL, T5_KERNEL
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.report.lanes import lane_lines
from pytest_weekops.report.page.shown import Bit, Guarded, Overhead, Recall, Selected, Tried


def _cells(campaign: Campaign, *, selected: bool) -> Iterator[tuple[str, tuple[str, ...], list[Measurement]]]:
    """Name, words and measurements of each cell that online selection ran in, or of each that was guarded."""
    for (kernel, platform, size), words in lane_lines(campaign.records).items():
        if (kernel == T3_KERNEL) is selected:
            cell = platform, kernel, size
            cases = ((m, (m.case.platform, m.case.kernel, m.case.size)) for m in campaign.measurements if not m.void)
            yield f"{platform} {kernel}:{size}", words, [m for m, case in cases if case == cell]


def show_guarded(policy: Policy, campaign: Campaign) -> tuple[Guarded, ...]:
    """What the guards did, cell by cell: T5's, and those of workloads, whose cost nothing bounds."""
    return tuple(
        Guarded(name, words, tuple(_overheads(mine)), _limit(policy, mine))
        for name, words, mine in _cells(campaign, selected=False)
    )


def _overheads(mine: Sequence[Measurement]) -> Iterator[Overhead]:
    for m in mine:
        if (found := m.guard) is not None:
            ends = found.overhead_low_percent, found.overhead_high_percent
            yield Overhead(m.case.snapshot, m.case.seed, found.overhead_percent, *ends)


def _limit(policy: Policy, mine: Sequence[Measurement]) -> float | None:
    rails, case = policy.guardrails, mine[0].case
    is_bounded = case.kernel == T5_KERNEL and case.size >= rails.t5_overhead_from_size
    return rails.max_t5_overhead_percent if is_bounded else None


def show_recalls(injections: Sequence[InjectionRecord]) -> tuple[Recall, ...]:
    """Each fault campaign that the run took along."""
    return tuple(
        Recall(
            f"{each.platform}, {each.result.variant} at n = {each.result.size}",
            each.made_at,
            tuple(_bits(each.result)),
            tuple(_words(each.result)),
        )
        for each in injections
    )


def _bits(found: Injection) -> Iterator[Bit]:
    for each in found.bits:
        low, high = clopper_pearson(each.caught, each.tried)
        yield Bit(each.bit, each.tried, each.caught, each.caught / each.tried if each.tried else math.nan, low, high)


def _words(found: Injection) -> Iterator[str]:
    for recall in (found.critical, found.uniform, *found.faults):
        if recall.tried:
            low, high = clopper_pearson(recall.caught, recall.tried)
            share = f"{100 * recall.caught / recall.tried:.2f} % [{100 * low:.2f}, {100 * high:.2f}]"
            yield f"{recall.name}: {recall.caught} of {recall.tried} caught, {share}"
    yield f"{found.false_alarms} false alarms in {found.clean_launches} launches without a fault"
    if found.self_test:
        yield f"the self-test failed: {found.self_test}"


def show_selected(campaign: Campaign) -> tuple[Selected, ...]:
    """What online selection did, cell by cell."""
    found = []
    for name, words, mine in _cells(campaign, selected=True):
        selectors = [m.selector for m in mine if m.selector is not None]
        if selectors:
            found.append(Selected(name, "; ".join(words), selectors[-1].reason, tuple(_tried(selectors, mine))))
    return tuple(found)


def _tried(selectors: Sequence[SelectorEvidence], mine: Sequence[Measurement]) -> Iterator[Tried]:
    """Every arm that was tried at the size of this cell, in the order in which it came first."""
    arms: dict[str, list[Trial]] = {}
    for selector in selectors:
        for trial in selector.trials:
            if trial.size == mine[0].case.size:
                arms.setdefault(trial.arm, []).append(trial)
    chosen = {selector.chosen for selector in selectors}
    for arm in (*arms, *(each for each in dict.fromkeys(_crashed(selectors)) if each not in arms)):
        trials = arms.get(arm, [])
        good = [trial.ms for trial in trials if not trial.problem]
        problems = dict.fromkeys(trial.problem for trial in trials if trial.problem)
        words = "; ".join([*problems, *(["took the worker down"] if arm in _crashed(selectors) else [])])
        yield Tried(arm, len(trials), min(good, default=None), words, arm in chosen)


def _crashed(selectors: Sequence[SelectorEvidence]) -> tuple[str, ...]:
    return tuple(arm for selector in selectors for arm in selector.crashed)
