"""Strict rules for recorded campaigns: every hole of the older evaluators closed by the check that names it."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed
from pytest_weekops.core.numbers import as_finite, as_number, as_whole
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.recorded.campaign import RecordedCampaign, Run, group
from pytest_weekops.core.recorded.grid import contradictions, missing_pulses, missing_runs, unreadable_plan


@dataclass(frozen=True)
class Terms:
    """What a campaign is judged by: the policy, and what the command line said beside it."""

    policy: Policy
    min_ratio: float
    required_sizes: tuple[int, ...]
    rows_apply: bool = True  # a campaign judged by its own rules has no policy rows
    sizes_asked: bool = False  # the required sizes are the command line's, which a campaign's own rules obey too


Check = Callable[[Terms, RecordedCampaign], Finding]


def worst(values: Sequence[float]) -> float:
    """The largest value; NaN where any is NaN, wherever it stands."""
    return math.nan if any(math.isnan(value) for value in values) else max(values, default=math.nan)


def mean_of(runs: Sequence[Run], metric: str) -> float:
    """Mean of a metric; NaN where any run lacks it or holds something else."""
    values = [as_finite(run.number_of(metric)) for run in runs]
    if not values or None in values:
        return math.nan
    # Rounded once, as the older mean was: a sum of rounded shares could end on the other side of a limit.
    return float(statistics.mean(value for value in values if value is not None))


# -- the runs as such --------------------------------------------------------------------------------------------


def minimum_snapshots(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Enough snapshots, counted from runs; metadata that says otherwise is a contradiction."""
    check = "minimum_snapshots"
    wanted = max(2, terms.policy.guardrails.minimum_snapshots)
    rows = group(run for run in campaign.ok_runs if run.snapshot is not None)
    demanded = [key for key in terms.policy.demanded_rows if terms.rows_apply] or list(rows)
    sets = [{run.snapshot for run in rows.get(key, ())} for key in demanded]
    counted = len(set.intersection(*sets)) if sets else 0
    unnumbered = [run.name for run in campaign.runs if run.snapshot is None or run.snapshot < 1]
    distinct = len({run.snapshot for run in campaign.runs if run.snapshot is not None})
    facts: dict[str, Any] = {"observed": counted, "required": wanted}
    if counted < wanted:
        return failed(
            check, "too_few", f"{counted} snapshots have an ok run in every row, {wanted:g} are required", **facts
        )
    if unnumbered:
        return failed(check, "unnumbered", f"no snapshot number: {listed(unnumbered)}", rows=tuple(unnumbered), **facts)
    claims = {word: campaign.metadata.get(f"{word}_snapshots") for word in ("executed", "planned")}
    for word, number in claims.items():
        if number is not None and as_finite(number) != distinct:
            message = f"metadata says {number!r:.20} snapshots were {word}, the runs show {distinct}"
            return failed(check, "metadata_contradicts", message, **facts)
    if unsaid := [word for word, number in claims.items() if number is None]:
        message = f"metadata does not say how many snapshots were {' and '.join(unsaid)}"
        return no_data(check, "metadata_missing", message, **facts)
    return passed(check, f"{counted} snapshots counted from runs", **facts)


def all_runs_success(terms: Terms, campaign: RecordedCampaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """Every run is ok, at least one, none is left out, every entry is a run, and the file agrees with itself."""
    check = "all_runs_success"
    bad = [f"{run.name}: {run.status[:40]}" for run in campaign.runs if not run.is_ok]
    bad += [
        f"{run.name}: ok with return code {run.returncode!r:.20}"
        for run in campaign.ok_runs
        if run.returncode is not None and as_number(run.returncode) != 0
    ]
    if bad:
        return failed(
            check,
            "not_ok",
            f"{len(bad)} runs are not ok: {listed(bad)}",
            observed=len(bad),
            required=0,
            rows=tuple(bad),
        )
    if campaign.defects:
        return failed(check, "unreadable", listed(campaign.defects), observed=len(campaign.defects), required=0)
    if said := contradictions(campaign):
        message = f"the file's own list of snapshots says otherwise: {listed(said)}"
        return failed(check, "contradiction", message, observed=len(said), required=0, rows=said)
    if not campaign.runs:
        return no_data(check, "no_runs", "there are no runs", observed=0, required=1)
    if unclear := unreadable_plan(campaign):
        return no_data(check, "unreadable_plan", listed(unclear), observed=len(unclear), required=0, rows=unclear)
    if missing := missing_runs(campaign):
        message = f"{len(missing)} runs that the campaign's own shape asks for are not there: {listed(missing)}"
        return no_data(check, "missing_runs", message, observed=len(missing), required=0, rows=missing)
    return passed(check, f"all {len(campaign.runs)} runs are ok", observed=0, required=0)


def unique_cases(terms: Terms, campaign: RecordedCampaign) -> Finding:  # noqa: ARG001
    """No (kernel, size, seed, snapshot, platform) stands there twice, and every run has a seed to tell it by."""
    check = "unique_cases"
    seen = Counter(run.case for run in campaign.runs)
    twice = [
        f"{on} {kernel}:{size} seed {seed:.20} snapshot {snap}"
        for (on, kernel, size, seed, snap), n in seen.items()
        if n > 1
    ]
    if twice:
        return failed(
            check,
            "duplicated",
            f"recorded more than once: {listed(twice)}",
            rows=tuple(twice),
            observed=len(twice),
            required=0,
        )
    if bare := tuple(run.name for run in campaign.ok_runs if as_whole(run.seed) is None):
        message = f"no seed that is a whole number, so nothing tells whether it is a case of its own: {listed(bare)}"
        return no_data(check, "no_seed", message, rows=bare, observed=len(bare), required=0)
    return passed(check, "each case stands there once", observed=0, required=0)


def platform_selected(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Every run was answered by the platform and device it selected; in a split both platforms are there."""
    check = "platform_split_present"
    wrong = [word for run in campaign.ok_runs if (word := _mismatch(run))]
    devices: dict[str, set[str]] = {}
    for run in campaign.ok_runs:
        devices.setdefault(run.on, set()).add(str(run.metrics.get("device")))
    wrong += [f"{on} answered with {len(names)} devices" for on, names in devices.items() if len(names) > 1]
    seen = {run.on for run in campaign.ok_runs}
    if campaign.is_split:
        wanted = {terms.policy.split.baseline.lower(), terms.policy.split.candidate.lower()}
        missing, stray = sorted(wanted - seen), sorted(seen - wanted)
    else:
        scope = terms.policy.scope.platform.lower()
        missing, stray = [], sorted(seen - {scope}) if scope else sorted(seen)[1:]
    if missing:
        return failed(check, "platform_missing", f"no ok run on {', '.join(missing)}", rows=tuple(missing))
    if stray:
        return failed(
            check,
            "platform_not_selected",
            f"runs on {', '.join(s[:40] for s in stray)}, which is not selected",
            rows=tuple(stray),
        )
    if wrong:
        return failed(check, "platform_not_selected", f"not what was selected: {listed(wrong)}", rows=tuple(wrong))
    cards = tuple(sorted({run.card for run in campaign.ok_runs}))
    if campaign.is_split and len(cards) > 1:
        message = f"the platforms ran on different devices, which cannot be compared: {listed(cards)}"
        return failed(check, "other_device", message, rows=cards)
    if not seen:
        return no_data(check, "no_runs", "there is no ok run")
    return passed(check, f"answered by {', '.join(sorted(seen))} as selected")


def _mismatch(run: Run) -> str:
    answered = run.metrics.get("platform")
    if not isinstance(answered, str) or answered.lower() != run.on:
        return f"{run.name} was answered by {answered!r:.40}"
    device = run.metrics.get("device")
    if not isinstance(device, str) or not device:
        return f"{run.name} names no device"
    selection = run.metrics.get("platform_selection")
    if isinstance(selection, dict):
        if "selected_device" in selection and selection["selected_device"] != device:
            return f"{run.name} selected {selection['selected_device']!r:.40} and ran on {device[:40]!r}"
        for name in ("selected_platform", "platform_selector"):
            chosen = selection.get(name, answered)
            if not isinstance(chosen, str) or chosen.lower() != run.on:
                return f"{run.name} selected the platform {chosen!r:.40}"
    return ""


def no_rollback_event(terms: Terms, campaign: RecordedCampaign) -> Finding:  # noqa: ARG001
    """The campaign was not rolled back while it ran."""
    check = "no_rollback_event"
    event = campaign.rollback_event
    if event is not None and event is not False:
        return failed(check, "rolled_back", "the campaign rolled back while it ran", observed=1, required=0)
    if not campaign.rollback_recorded and not campaign.is_split:  # no recorded split ever said
        return no_data(check, "missing", "the file does not say whether the campaign was rolled back (rollback_event)")
    return passed(check, "no rollback happened", observed=0, required=0)


def pressure_failures_zero(terms: Terms, campaign: RecordedCampaign) -> Finding:  # noqa: ARG001
    """Every pressure pulse asked for was completed without a failure."""
    check = "pressure_failures_zero"
    bad = []
    planned = max(_planned_pulses(campaign), default=0.0)
    for number, pulse in enumerate(campaign.pressure or (), start=1):
        asked, done, lost = (as_finite(pulse.get(name)) for name in ("requested", "completed", "failures"))
        if (
            asked is None
            or done is None
            or lost is None
            or lost != 0
            or done != asked
            or asked < 0
            or pulse.get("errors")
        ):
            bad.append(f"pulse {number}: {done} of {asked} done, {lost} failed")
        elif asked < planned:
            bad.append(f"pulse {number}: {asked:g} asked for, {planned:g} were planned")
    if bad:
        return failed(check, "failed_pulses", listed(bad), observed=len(bad), required=0, rows=tuple(bad))
    if not campaign.pressure and _pressure_planned(campaign):
        return no_data(check, "missing_pulses", "pressure was planned and none is recorded")
    if missing := missing_pulses(campaign):
        message = f"no pressure is recorded for {listed(missing)}"
        return no_data(check, "missing_pulses", message, rows=missing, observed=len(missing), required=0)
    return passed(check, f"{len(campaign.pressure or ())} pressure records without a failure", observed=0, required=0)


def _planned_pulses(campaign: RecordedCampaign) -> list[float]:
    """Pulses per snapshot or seed as the metadata has them."""
    plan = campaign.metadata.get("pressure")
    names = ("pulses_per_snapshot", "pulses_per_seed")
    found = [as_finite(plan.get(name)) for name in names] if isinstance(plan, dict) else []
    return [count for count in found if count is not None]


def _pressure_planned(campaign: RecordedCampaign) -> bool:
    """Whether pressure was to be made; where the metadata does not say, an empty list says that it was not."""
    if not isinstance(campaign.metadata.get("pressure"), dict):
        return campaign.pressure is None
    counts = _planned_pulses(campaign)
    return not counts or any(count != 0 for count in counts)
