"""Strict rules for the two platforms of a recorded split, held against each other cell by cell and seed by seed."""

from __future__ import annotations

import math

from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed
from pytest_weekops.core.measurement.modes import CONTROLLED_KERNELS
from pytest_weekops.core.recorded.campaign import P95, THROUGHPUT, RecordedCampaign, Run
from pytest_weekops.core.recorded.strict import Terms, mean_of


def _pairs(terms: Terms, campaign: RecordedCampaign) -> dict[tuple[str, str | None], tuple[list[Run], list[Run]]]:
    """Baseline and candidate runs per cell over all seeds (seed None) and per seed."""
    split = terms.policy.split
    found: dict[tuple[str, str | None], tuple[list[Run], list[Run]]] = {}
    for run in campaign.ok_runs:
        for seed in (None, run.seed_key):
            pair = found.setdefault((run.key, seed), ([], []))
            if run.on == split.baseline.lower():
                pair[0].append(run)
            elif run.on == split.candidate.lower():
                pair[1].append(run)
    return dict(sorted(found.items(), key=lambda item: (item[0][0], item[0][1] or "")))


def _compare(check: str, terms: Terms, campaign: RecordedCampaign, metric: str, limit: float) -> Finding:
    bad, missing, details = [], [], []
    for (key, seed), (before, after) in _pairs(terms, campaign).items():
        name = key if seed is None else f"{key} seed {seed[:20]}"
        if not before or not after:
            missing.append(name)
            continue
        below, above = mean_of(before, metric), mean_of(after, metric)
        ratio = above / below if below > 0 else math.nan
        good = ratio >= limit if metric == THROUGHPUT else 0 < ratio <= limit
        details.append({"key": key, "seed": seed, "ratio": ratio, "pass": good})
        if not good:
            bad.append(f"{name}: {ratio:.4f}")
    ratios = [float(str(d["ratio"])) for d in details]
    finite = [ratio for ratio in ratios if math.isfinite(ratio)]
    extreme = (min(finite) if metric == THROUGHPUT else max(finite)) if finite else None
    facts = {"observed": extreme, "required": limit, "details": tuple(details)}
    if bad or missing:
        words = [*bad, *(f"{name}: absent on one platform" for name in missing)]
        return failed(check, "ratio", listed(words), rows=tuple(words), **facts)
    if not details:
        return no_data(check, "no_pairs", "no cell ran on both platforms", **facts)
    return passed(check, "every cell holds on the mean and for each seed, on recorded means", **facts)


def rusticl_ratio_vs_clover(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Candidate throughput is at least the ratio of the baseline's, on the mean and per seed."""
    return _compare("rusticl_ratio_vs_clover", terms, campaign, THROUGHPUT, terms.min_ratio)


def rusticl_latency_ratio(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Candidate p95 is at most the latency ratio of the baseline's, on the mean and per seed."""
    return _compare("rusticl_latency_ratio", terms, campaign, P95, terms.policy.split.max_latency_ratio)


def required_sizes_present_on_split(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Every required size ran with both controlled kernels on both platforms."""
    check = "required_sizes_present_on_split"
    split = terms.policy.split
    sizes = terms.required_sizes or tuple(sorted({run.size for run in campaign.runs}))
    seen = {(run.on, run.kernel, run.size) for run in campaign.ok_runs}
    kernels = (
        CONTROLLED_KERNELS
        if {r.kernel for r in campaign.runs} & set(CONTROLLED_KERNELS)
        else tuple({r.kernel for r in campaign.runs})
    )
    missing = tuple(
        f"{platform} {kernel}:{size}"
        for size in sizes
        for kernel in kernels
        for platform in (split.baseline, split.candidate)
        if (platform.lower(), kernel, size) not in seen
    )
    if missing or not sizes:
        words = listed(missing) if missing else "no size ran"
        return failed(check, "missing", f"absent: {words}", rows=missing, observed=len(missing), required=0)
    return passed(check, f"sizes {', '.join(map(str, sizes))} ran on both platforms", observed=0, required=0)
