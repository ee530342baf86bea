"""The recorded RX 590 weeks as series of snapshots, asked as a live run is: what is named certain, and that none fails.

The card's paired noise is 0.15 to 0.6 % a snapshot; 0.6 % is what a calibration of it would say at worst, and 5 % what
is assumed without one.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest

from pytest_weekops.core.judge.certainty.answers import Answer, Errors, Requirement, answer
from pytest_weekops.core.judge.certainty.falls import answer_fall
from pytest_weekops.core.judge.certainty.intervals import Interval
from pytest_weekops.core.judge.certainty.multiplicity import step_down
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.certainty.trends import Series, answer_trend
from pytest_weekops.core.judge.finding import CheckStatus
from pytest_weekops.core.measurement.stats import percent
from pytest_weekops.core.recorded.campaign import THROUGHPUT, RecordedCampaign, Run
from pytest_weekops.evidence.recorded import read_campaign
from pytest_weekops.policies.files import load_policy
from tests.support.recorded_data import RECORDED, index, needs_recorded

LOOKS = (3, 5, 8, 12)
NOISE, ASSUMED = Spread(0.006, degrees=19), Spread(0.05)
Ask = Callable[[Errors], Answer]


def campaigns(kind: str, decision: str | None = None) -> dict[str, tuple[RecordedCampaign, dict[str, Any]]]:
    """Every recorded campaign of a kind, once per policy that judged it."""
    return {
        f"{entry['input']} {entry['policy']}": (read_campaign(RECORDED / entry["input"]), entry)
        for entry in index()
        if entry["kind"] == kind and "policy" in entry and decision in (None, entry["decision"])
    }


def speeds(runs: Iterable[Run]) -> dict[str, tuple[float, ...]]:
    """Log throughput of each cell, snapshot by snapshot: the mean over seeds."""
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        found[run.key][run.snapshot or 0].append(math.log(run.number_of(THROUGHPUT) or math.nan))
    return {
        key: tuple(math.fsum(logs) / len(logs) for _snapshot, logs in sorted(snapshots.items()))
        for key, snapshots in found.items()
    }


def ratios(campaign: RecordedCampaign) -> dict[str, tuple[float, ...]]:
    """ln(rusticl / Clover) of each cell, snapshot by snapshot."""
    by = {on: speeds(run for run in campaign.ok_runs if run.on == on) for on in ("clover", "rusticl")}
    return {
        key: tuple(after - before for before, after in zip(by["clover"][key], logs, strict=True))
        for key, logs in by["rusticl"].items()
    }


def interval(name: str, logs: tuple[float, ...], spread: Spread) -> Interval:
    """What is known of a ratio after so many snapshots, where six cells share the errors."""
    found = answer(Requirement(name, logs, math.log(0.85), spread), LookPlan(LOOKS), Errors(0.01 / 6, 0.025))
    return found.interval


@needs_recorded
def test_a_certain_change_inside_the_limits_is_known_after_three_snapshots() -> None:
    """Rusticl at 2048 is 7 to 9 % slower in each recorded week; with a calibration that is certain."""
    estimates = []
    for name, (campaign, _entry) in campaigns("split").items():
        for key, logs in ratios(campaign).items():
            if key.endswith(":2048") and "rx590_dry_run" not in name and len(logs) >= 3:
                found = interval(key, logs[:3], NOISE)
                assert found.upper < 0.0, (name, key, logs)
                assert -9.0 < percent(found.estimate) < -7.0, (name, key)
                estimates.append(percent(found.estimate))
    assert len(estimates) >= 20
    assert statistics.median(estimates) == pytest.approx(-7.8, abs=0.3)


def asked(entry: Mapping[str, Any], campaign: RecordedCampaign, spread: Spread) -> Iterator[tuple[str, Ask]]:
    """What a live run would ask of these series: trends and falls of a week, ratios of a split."""
    policy = load_policy(str(RECORDED / entry["policy"]))
    rails = policy.guardrails
    series = speeds(campaign.ok_runs) if entry["kind"] == "weekly" else ratios(campaign)
    ratio = entry["options"]["min_rusticl_ratio"] or policy.split.min_ratio
    for name, logs in series.items():
        if len(logs) < LOOKS[0]:
            continue
        plan = LookPlan(LOOKS)
        if entry["kind"] == "split":
            wanted = Requirement(name, logs, math.log(ratio), spread)
            yield f"{name} ratio", lambda own, wanted=wanted, plan=plan: answer(wanted, plan, own)  # type: ignore[misc]
            continue
        one = Series(name, (logs,), spread)
        drift, fall = (
            -math.log1p(-limit / 100.0)
            for limit in (rails.max_abs_throughput_drift_percent, rails.max_throughput_deviation_percent)
        )
        yield f"{name} trend", lambda own, one=one, by=drift, plan=plan: answer_trend(one, by, plan, own)  # type: ignore[misc]
        yield f"{name} fall", lambda own, one=one, by=fall, plan=plan: answer_fall(one, by, plan, own)  # type: ignore[misc]


@needs_recorded
@pytest.mark.parametrize("spread", [NOISE, ASSUMED], ids=["calibrated", "assumed"])
@pytest.mark.parametrize("kind", ["weekly", "split"])
def test_no_recorded_promote_fails(kind: str, spread: Spread) -> None:
    """Whatever is asked of a healthy week, with all of its questions together."""
    judged = 0
    for name, (campaign, entry) in campaigns(kind, "promote").items():
        questions = list(asked(entry, campaign, spread))
        found = step_down([ask for _name, ask in questions], Errors()).answers
        failed = [of for (of, _ask), each in zip(questions, found, strict=True) if each.status is CheckStatus.FAIL]
        assert not failed, (name, failed)
        judged += len(questions)
    assert judged > 50


@needs_recorded
def test_a_collapse_of_two_snapshots_is_certain() -> None:
    """Fifteen percent in mid-window of a recorded week, which is beyond what one may fall: these questions can fail."""
    name, (campaign, _entry) = next(iter(campaigns("weekly", "promote").items()))
    logs = list(next(each for each in speeds(campaign.ok_runs).values() if len(each) >= 6))
    for place in (2, 3):
        logs[place] = logs[1] + math.log(0.85)
    found = answer_fall(Series(name, (tuple(logs),), NOISE), -math.log(0.92), LookPlan(LOOKS), Errors(0.01 / 6, 0.025))
    assert found.status is CheckStatus.FAIL
