"""The baseline that a campaign's own rules compare with: usable, promoted, of another measurement, not stale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed
from pytest_weekops.core.recorded import own_rules
from pytest_weekops.core.recorded.campaign import P95, THROUGHPUT, RecordedCampaign, Run, group
from pytest_weekops.core.recorded.strict import Terms, mean_of

CHECK = "baseline_usable"


def baseline_usable(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """The baseline has a usable row for every cell, promotes by the same own rules, and is an older measurement."""
    baseline = campaign.baseline
    before = group(campaign.baseline_runs)
    usable = {key for key, runs in before.items() if mean_of(runs, THROUGHPUT) > 0 and mean_of(runs, P95) > 0}
    if baseline is None or not usable:
        return no_data(CHECK, "no_rows", "there is no baseline with usable rows. Give one with --baseline.")
    lacking = tuple(key for key in group(r for r in campaign.runs if r.on == "clover") if key not in usable)
    if lacking:
        return no_data(CHECK, "missing_rows", f"the baseline has no usable row for {listed(lacking)}", rows=lacking)
    if _is_the_same(campaign, baseline):
        message = "the baseline is this campaign's own measurement, which is as fast as itself. Give an earlier one."
        return failed(CHECK, "same_runs", message)
    here, there = (_cards(one.ok_runs) for one in (campaign, baseline))
    if here != there:
        message = (
            f"the baseline was measured on {listed(there)}, the campaign on {listed(here)}. Give one of this device."
        )
        return failed(CHECK, "other_device", message, rows=there)
    if bad := _failed_checks(terms, baseline):
        message = f"the baseline is not promoted by its own rules: {listed(bad)}. Limits come from promoted runs only."
        return failed(CHECK, "not_promoted", message, rows=bad)
    return _age(terms, campaign, baseline)


def _is_the_same(campaign: RecordedCampaign, baseline: RecordedCampaign) -> bool:
    """Whether every run on Clover stands in the baseline too, to the last bit."""
    before = {(run.key, run.number_of(THROUGHPUT), run.number_of(P95)) for run in campaign.baseline_runs}
    mine = [run for run in campaign.ok_runs if run.on == "clover"]
    same = sum((run.key, run.number_of(THROUGHPUT), run.number_of(P95)) in before for run in mine)
    return baseline is campaign or (bool(mine) and same == len(mine))


def _cards(runs: Sequence[Run]) -> tuple[str, ...]:
    """The devices on Clover by name."""
    return tuple(sorted({run.card for run in runs if run.on == "clover"}))


def _failed_checks(terms: Terms, baseline: RecordedCampaign) -> tuple[str, ...]:
    judge = own_rules.judge_stress_split if baseline.is_split else own_rules.judge_canary
    findings = judge(terms.policy.campaign, baseline).findings
    return tuple(finding.check for finding in findings if finding.status is not CheckStatus.PASS)


def _age(terms: Terms, campaign: RecordedCampaign, baseline: RecordedCampaign) -> Finding:
    taken, now = _taken_at(baseline), _taken_at(campaign)
    most = terms.policy.floors.max_baseline_age_days
    if taken is None or now is None:
        which = "baseline" if taken is None else "campaign"
        message = f"the {which} does not say when it was measured (metadata.timestamp_utc), so its age is not known"
        return no_data(CHECK, "no_time", message, required=most)
    days = (now - taken).total_seconds() / 86400
    if days < 0:
        message = f"the baseline was measured {-days:.1f} days after the campaign. Give an earlier one."
        return failed(CHECK, "later", message, observed=days, required=most)
    if days > most:
        message = f"the baseline is {days:.0f} days old, at most {most:g} are allowed"
        return failed(CHECK, "too_old", message, observed=days, required=most)
    return passed(CHECK, "the baseline has a usable row for every cell", observed=days, required=most)


def _taken_at(campaign: RecordedCampaign) -> datetime | None:
    text = campaign.metadata.get("timestamp_utc")
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
