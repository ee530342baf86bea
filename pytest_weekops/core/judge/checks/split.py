"""Checks of a live split: the candidate against the baseline, pair by pair, by the same host clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_weekops.core.judge.asking.asked import changes, details, told
from pytest_weekops.core.judge.asking.run import answers, of_kind
from pytest_weekops.core.judge.campaign import Campaign, CellKey
from pytest_weekops.core.judge.checks.slo import baseline_side_slo
from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.judge.outcome import failed, inconclusive, listed, no_data, passed
from pytest_weekops.core.judge.pairing import least_ratio, pairings
from pytest_weekops.core.policy.policy import Policy

clover_policy_rows = baseline_side_slo


def platform_split_present(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """Baseline and candidate are two platforms, and both have ok runs.

    One of which a run that broke off measured nothing has no data.
    """
    check, plan = "platform_split_present", campaign.plan
    wanted = (plan.baseline_platform, plan.candidate_platform)
    if None in wanted or wanted[0] == wanted[1] or set(wanted) != set(plan.platforms):
        return failed(
            check, "no_split", f"the plan does not name a baseline and a candidate: {wanted}", required="two platforms"
        )
    seen = {cell[0] for cell, rows in campaign.good.items() if rows}
    missing = tuple(str(platform) for platform in wanted if platform not in seen)
    answered = {cell[0] for cell in _void_cells(campaign)}
    if missing and answered.issuperset(missing):
        return inconclusive(check, "void", f"every run on {', '.join(missing)} is void", rows=missing)
    if missing and _not_reached(campaign, [cell for cell in campaign.planned_cells if cell[0] in missing]):
        return no_data(
            check, "not_reached", f"the run broke off before any counted on {', '.join(missing)}", rows=missing
        )
    if missing:
        return failed(check, "platform_missing", f"no ok run on {', '.join(missing)}", rows=missing)
    return passed(check, f"{wanted[0]} and {wanted[1]} both answered")


def rusticl_ratio_vs_clover(policy: Policy, campaign: Campaign) -> Finding:
    """Candidate throughput is at least the ratio of the baseline's, over all seeds and for each.

    On the mean and in enough of the snapshots.
    """
    check, least = "rusticl_ratio_vs_clover", least_ratio(policy, campaign)
    found = pairings(campaign)
    asked = of_kind(answers(policy, campaign), "ratio")
    if campaign.plan.looks:
        bad = told(asked, CheckStatus.FAIL)
    else:
        bad = tuple(f"{p.name}: {p.ratio:.3f}" for p in found if p.pairs and not p.ratio >= least)
    missing = tuple(f"{p.name}: {len(p.pairs)} of {p.wanted} pairs" for p in found if not p.is_whole)
    ratios = [p.ratio for p in found if p.pairs]
    facts: dict[str, Any] = {"observed": min(ratios) if ratios else None, "required": least}
    if asked:
        facts["details"] = details(asked)
    if bad:
        return failed(check, "ratio", f"below {least:g}: {listed(bad)}", rows=bad, **facts)
    if missing or not found:
        return no_data(check, "missing_pairs", f"not compared: {listed(missing)}", rows=missing, **facts)
    if campaign.plan.looks:
        unsure = told(asked, CheckStatus.INCONCLUSIVE)
    else:
        doubts = [(p.name, p.doubt(least, policy.evidence.min_confidence)) for p in found]
        unsure = tuple(f"{name}: {least:g} {why}" for name, why in doubts if why)
    if unsure:
        return inconclusive(check, "confidence", listed(unsure), rows=unsure, **facts)
    words = f"lowest ratio {min(ratios):.3f}, host clock on both sides"
    if changed := changes(asked):
        words += f"; {listed(changed)}"
    return passed(check, words, **facts)


def rusticl_latency_ratio(policy: Policy, campaign: Campaign) -> Finding:
    """Candidate p95 is at most the latency ratio of the baseline's."""
    check, most = "rusticl_latency_ratio", policy.split.max_latency_ratio
    found = pairings(campaign, per_seed=False)
    asked = of_kind(answers(policy, campaign), "latency")
    if campaign.plan.looks:
        bad = told(asked, CheckStatus.FAIL)
    else:
        bad = tuple(f"{p.name}: {p.latency_ratio:.3f}" for p in found if p.pairs and not p.latency_ratio <= most)
    least = policy.evidence.min_p95_launches
    short = tuple(f"{p.name}: {p.launches} launches" for p in found if p.launches < least)
    ratios = [p.latency_ratio for p in found if p.pairs]
    facts = {"observed": max(ratios) if ratios else None, "required": most}
    if bad:
        return failed(check, "ratio", f"p95 ratio above {most:g}: {listed(bad)}", rows=bad, **facts)
    if short or not found:
        return no_data(check, "too_few_launches", f"p95 needs {least} launches: {listed(short)}", rows=short, **facts)
    if unsure := told(asked, CheckStatus.INCONCLUSIVE):
        return inconclusive(check, "open", listed(unsure), rows=unsure, **facts)
    return passed(check, f"highest p95 ratio {max(ratios):.3f}", **facts)


def required_sizes_present_on_split(policy: Policy, campaign: Campaign) -> Finding:
    """Every required size ran with every kernel on both platforms.

    One that ran, and of which the host left no measurement that counts, is open, and one that a run which broke off
    never came to has no data: that is nothing that a driver did.
    Where some sizes were picked out as required, a known fault in one of them is no excuse.
    """
    check, plan = "required_sizes_present_on_split", campaign.plan
    sizes = plan.required_sizes or policy.split.required_sizes or plan.sizes
    excused = campaign.excused if set(sizes) == set(plan.sizes) else frozenset()
    unheld = {*campaign.not_applicable, *campaign.untimed}
    missing = [
        (str(platform), kernel, size)
        for size in sizes
        for kernel in plan.kernels
        for platform in plan.platforms
        if (platform, kernel) not in unheld
        if not campaign.good.get((platform, kernel, size)) and (platform, kernel, size) not in excused
    ]
    rows = tuple(f"{platform} {kernel}:{size}" for platform, kernel, size in missing)
    facts: dict[str, Any] = {"rows": rows, "observed": len(rows), "required": 0}
    if missing and _void_cells(campaign).issuperset(missing):
        return inconclusive(check, "void", f"every measurement is void: {listed(rows)}", **facts)
    if missing and _not_reached(campaign, missing):
        return no_data(check, "not_reached", f"the run broke off before any counted: {listed(rows)}", **facts)
    if missing or not sizes:
        return failed(check, "missing", f"absent: {listed(rows)}", **facts)
    but = ", but for known faults" if excused else ""
    return passed(check, f"sizes {', '.join(map(str, sizes))} ran on both platforms{but}", **facts)


def _not_reached(campaign: Campaign, cells: Sequence[CellKey]) -> bool:
    """Whether a run that broke off has no measurement of these cells that counts, good or bad: no driver did that."""
    tried = {(case.platform, case.kernel, case.size) for case in campaign.by_case}
    return campaign.broke_off and tried.isdisjoint(cells)


def _void_cells(campaign: Campaign) -> set[CellKey]:
    """Cells of which the host took every planned case: each was measured, and void each time."""
    found: dict[CellKey, list[bool]] = {}
    for case in campaign.planned:
        cell = (case.platform, case.kernel, case.size)
        found.setdefault(cell, []).append(case in campaign.lost_to_the_host)
    return {cell for cell, lost in found.items() if all(lost)}
