"""Checks per cell of a live campaign: rows, coverage, the pinned baseline, p95 evidence and drift."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pytest_weekops.core.judge.asking.asked import details, told
from pytest_weekops.core.judge.asking.drifts import contradictions, witnessed
from pytest_weekops.core.judge.asking.run import answers, of_kind
from pytest_weekops.core.judge.campaign import Baseline, Campaign, cell_name
from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.judge.metrics import CaseMetrics, all_launches, by_snapshot, witnesses_of
from pytest_weekops.core.judge.outcome import failed, inconclusive, listed, no_data, passed, waived
from pytest_weekops.core.judge.pinned import baseline_row
from pytest_weekops.core.measurement.stats import agreed, lowest_deviation, percent, trend
from pytest_weekops.core.policy.policy import Policy


def all_policy_rows_present(policy: Policy, campaign: Campaign) -> Finding:
    """Every row with a limit was measured on every platform, or was expected to fail there."""
    check = "all_policy_rows_present"
    found = [*(cell for cell, rows in campaign.good.items() if rows), *campaign.excused]
    measured = {(platform, f"{kernel}:{size}") for platform, kernel, size in found}
    missing = tuple(
        f"{p} {key}" for p in campaign.plan.platforms for key in policy.demanded_rows if (p, key) not in measured
    )
    if missing:
        return no_data(
            check, "missing", f"no measurement for {listed(missing)}", rows=missing, observed=len(missing), required=0
        )
    return passed(check, "every row with a limit is measured", observed=0, required=0)


def sizes_covered(policy: Policy, campaign: Campaign) -> Finding:
    """Every cell has a row, a waiver in words, or a row of a pinned baseline."""
    check = "sizes_covered"
    bare = tuple(
        cell_name(cell)
        for cell in campaign.cells
        if not policy.covers(f"{cell[1]}:{cell[2]}") and baseline_row(campaign, cell) is None
        if campaign.plan.service is None
    )
    if bare or not campaign.cells:
        return failed(
            check,
            "not_covered",
            f"neither row nor waiver for {listed(bare)}",
            rows=bare,
            observed=len(bare),
            required=0,
        )
    return passed(check, "every cell has a row, a waiver or a baseline", observed=0, required=0)


def baseline_usable(policy: Policy, campaign: Campaign) -> Finding:
    """A pinned baseline speaks of a device measured here, is young enough, and has a usable row for each cell.

    A device that has had one is not judged without it, unless somebody said why.
    """
    check = "baseline_usable"
    gone = [(one.platform, one.words(campaign.identities.get(one.platform))) for one in campaign.missing_baselines]
    if (service := campaign.plan.service) is not None:
        return passed(check, f"speed is held against {service.label}, measured in this run, and not against a baseline")
    if campaign.plan.no_baseline:
        return waived(check, "left_out", f"no baseline is asked for: {campaign.plan.no_baseline}")
    if gone:
        message = (
            f"{listed([words for _platform, words in gone])}. Restore its file, run as it was pinned, or say why there "
            "is none: --no-baseline REASON."
        )
        return no_data(check, "gone", message, rows=tuple(platform for platform, _words in gone), observed=len(gone))
    if not campaign.baselines:
        return passed(check, f"no baseline is pinned: {policy.floors.waiver or 'rows bound the cells'}")
    strangers = [b.run_id for b in campaign.baselines if not any(b.fits(i) for i in campaign.identities.values())]
    if strangers:
        return no_data(
            check, "another_device", f"speaks of no device measured here: {listed(strangers)}", rows=tuple(strangers)
        )
    lacking = tuple(
        cell_name(cell)
        for cell in campaign.cells
        if campaign.baseline_for(cell[0]) and baseline_row(campaign, cell) is None
    )
    if lacking:
        message = f"the pinned baseline has no usable row for {listed(lacking)}. Pin a promoted run that measured it."
        return no_data(check, "missing_rows", message, rows=lacking)
    limit = policy.floors.max_baseline_age_days
    for baseline in campaign.baselines:
        age = _age_days(baseline, campaign)
        if age is None:
            return no_data(check, "no_age", f"the age of baseline {baseline.run_id} cannot be told", required=limit)
        if not -1 <= age <= limit:
            message = (
                f"baseline {baseline.run_id} is {age:.0f} days old, at most {limit:g} count. Pin a newer promoted run."
            )
            return failed(check, "stale", message, observed=round(age, 3), required=limit)
    return passed(check, f"{len(campaign.baselines)} pinned baseline with a usable row for every cell")


def _age_days(baseline: Baseline, campaign: Campaign) -> float | None:
    """Days from the pinned run to this campaign's first measurement; the campaign carries its own clock."""
    stamps = [m.started_at for m in campaign.measurements if m.started_at]
    now = campaign.created_at or min(stamps, default="")
    try:
        return (datetime.fromisoformat(now) - datetime.fromisoformat(baseline.created_at)).total_seconds() / 86400.0
    except (ValueError, TypeError):
        return None


def p95_evidence(policy: Policy, campaign: Campaign) -> Finding:
    """Every cell has enough verified launches for a p95; few launches are flagged."""
    check = "p95_evidence"
    least, flag = policy.evidence.min_p95_launches, policy.evidence.flag_p95_launches
    counts = {cell: len(all_launches(rows)) for cell, rows in campaign.good.items()}
    short = tuple(f"{cell_name(cell)}: {count}" for cell, count in counts.items() if count < least)
    facts = {"observed": min(counts.values(), default=0), "required": least}
    if short or not counts:
        more = f"{listed(short)}. Add --snapshots, --sessions or --iterations."
        why = more if any(counts.values()) else _nothing(campaign)
        return no_data(check, "too_few_launches", f"p95 needs {least} verified launches: {why}", rows=short, **facts)
    few = min(counts.values()) < flag
    words = f"at least {min(counts.values())} verified launches per cell" + (
        f", fewer than {flag}: p95 is coarse" if few else ""
    )
    return passed(check, words, **facts)


def _nothing(campaign: Campaign) -> str:
    """Why no cell has a measurement that counts, as far as it can be told."""
    all_void = campaign.voids and not campaign.by_case
    return "no measurement counts: each is void, by what the host did" if all_void else "no measurement counts"


def _no_drift(short: Sequence[str], campaign: Campaign) -> str:
    if not any(campaign.good.values()):
        return f"no drift can be seen: {_nothing(campaign)}"
    return f"one snapshot shows no drift: {listed(short)}"


def drift_percent(rows: tuple[CaseMetrics, ...]) -> tuple[float, float]:
    """Trend over the window and lowest single deviation, in percent of throughput; negative is worse.

    Each is that of the ratio to a partner, or what times as measured and times over the host's clock (its pace, or the
    anchor) agree on: where they contradict each other, neither is the driver's.
    """
    found = [by_snapshot(rows, name) for name in witnesses_of(rows)]
    first, last = found[0], found[-1]
    slope = agreed(trend(first), trend(last))
    return percent(slope), percent(agreed(lowest_deviation(first), lowest_deviation(last)))


def broken_drift(policy: Policy, slope: float, dip: float) -> str:
    """Which limit a cell's trend and lowest deviation break, in words, or nothing. Written so that NaN breaks one."""
    rails = policy.guardrails
    if not -slope <= rails.max_abs_throughput_drift_percent:
        return f"trend {slope:+.1f} % over the window, limit {rails.max_abs_throughput_drift_percent:g}"
    if not -dip <= rails.max_throughput_deviation_percent:
        return f"one snapshot {dip:+.1f} % off the median, limit {rails.max_throughput_deviation_percent:g}"
    return ""


def throughput_drift_abs_bound(policy: Policy, campaign: Campaign) -> Finding:
    """Throughput falls neither along the window nor in any one snapshot beyond its limits, host and anchor apart."""
    if campaign.plan.looks:
        return _drift_answered(policy, campaign)
    check, limit = "throughput_drift_abs_bound", policy.guardrails.max_abs_throughput_drift_percent
    bad, short, found = [], [], [0.0]
    for cell, rows in campaign.good.items():
        if len({row.snapshot for row in rows}) < 2:
            short.append(cell_name(cell))
            continue
        slope, dip = drift_percent(rows)
        found.append(max(-slope, 0.0))
        if problem := broken_drift(policy, slope, dip):
            bad.append(f"{cell_name(cell)}: {problem}")
    facts = {"observed": round(max(found), 6), "required": limit}
    if bad:
        return failed(check, "drift", listed(bad), rows=tuple(bad), **facts)
    if short or not campaign.good:
        return no_data(check, "one_snapshot", _no_drift(short, campaign), rows=tuple(short), **facts)
    return passed(check, f"worst trend {-max(found):+.1f} % over the window", **facts)


def _drift_answered(policy: Policy, campaign: Campaign) -> Finding:
    """The same in a run with looks: certainly beyond a limit fails, beyond it by the estimate alone is open."""
    check, limit = "throughput_drift_abs_bound", policy.guardrails.max_abs_throughput_drift_percent
    found = of_kind(answers(policy, campaign), "trend", "fall")
    short = [cell_name(cell) for cell, rows in campaign.good.items() if len({row.snapshot for row in rows}) < 2]
    worst = min((percent(each.answer.interval.estimate) for each in of_kind(found, "trend")), default=0.0)
    facts: dict[str, Any] = {"observed": round(max(-worst, 0.0), 6), "required": limit, "details": details(found)}
    if bad := told(found, CheckStatus.FAIL):
        return failed(check, "drift", listed(bad), rows=bad, **facts)
    if short or not campaign.good:
        return no_data(check, "one_snapshot", _no_drift(short, campaign), rows=tuple(short), **facts)
    if unsure := told(found, CheckStatus.INCONCLUSIVE):
        return inconclusive(check, "open", listed(unsure), rows=unsure, **facts)
    things = witnessed(policy, campaign)
    noise = [said for thing in things if (said := contradictions(thing, limit))]
    return passed(check, "; ".join([f"worst trend {min(worst, 0.0):+.1f} % over the window", *noise]), **facts)


def p95_drift_bound(policy: Policy, campaign: Campaign) -> Finding:
    """p95 of each snapshot rises along the window at most by its limit, where the policy states one."""
    check, limit = "p95_drift_bound", policy.guardrails.max_p95_drift_percent
    if limit is None:
        return passed(check, "waived: " + (policy.guardrails.drift_reason or "the policy states no limit"))
    bad, short = [], []
    for cell, rows in campaign.good.items():
        launches = [
            sum(len(r.launches_ms) for r in rows if r.snapshot == s) for s in sorted({r.snapshot for r in rows})
        ]
        if len(launches) < 2 or min(launches) < policy.evidence.min_p95_launches:
            short.append(f"{cell_name(cell)}: {min(launches, default=0)}")
            continue
        rise = percent(agreed(*(trend(by_snapshot(rows, name)) for name in ("slowness95", "bare_slowness95"))))
        if not rise <= limit:
            bad.append(f"{cell_name(cell)}: p95 {rise:+.1f} % over the window, limit {limit:g}")
    if bad:
        return failed(check, "drift", listed(bad), rows=tuple(bad), required=limit)
    if short or not campaign.good:
        message = (
            f"p95 drift needs {policy.evidence.min_p95_launches} launches in each of two snapshots: {listed(short)}"
        )
        return no_data(check, "too_few_launches", message, rows=tuple(short), required=limit)
    return passed(check, "no p95 rose beyond its limit", required=limit)
