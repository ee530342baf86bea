"""Thousands of mutations of the recorded files: compat against a slow oracle, and strict never milder than compat."""

from __future__ import annotations

import dataclasses
import os
import random
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from pytest_weekops.core.recorded.judge import RecordedJudgement, judge_recorded
from pytest_weekops.evidence.recorded import parse_campaign
from pytest_weekops.policies.files import default_policy, load_policy
from tests.support import older_oracle
from tests.support.recorded_data import RECORDED, index, needs_recorded
from tests.support.recorded_mutants import HOLES, Document, copy_of, document_of, mutated, slo_of

MUTATIONS = int(os.environ.get("WEEKOPS_MUTATIONS", "1"))  # of each of the 251 recorded evaluations, per seed


def by_oracle(entry: dict[str, Any], document: Document) -> tuple[str, list[str], list[str]]:
    """Decision, failed checks and snapshot words as the description has them."""
    if "policy" not in entry:
        before = document_of(entry["baseline"]).get("runs", [])
        if entry["kind"] == "canary_campaign":
            return older_oracle.canary(document, before)
        return *older_oracle.stress(document, before), []
    slo, options = slo_of(entry["policy"]), entry["options"]
    if entry["kind"] == "weekly":
        bad = older_oracle.weekly(document, slo)
    else:
        ratio = options["min_rusticl_ratio"]
        bad = older_oracle.split(document, slo, 0.85 if ratio is None else ratio, options["required_sizes"] or [])
    return "iterate" if bad else "promote", bad, []


def by_judge(entry: dict[str, Any], document: Document, rules: Any) -> RecordedJudgement:
    """The judge on the same document."""
    own = "policy" not in entry
    campaign = parse_campaign(document, "mutated", own_rules=own)
    if own:
        baseline = parse_campaign({"runs": [], **document_of(entry["baseline"])}, "baseline", own_rules=True)
        campaign = dataclasses.replace(campaign, baseline=baseline)
    options = entry.get("options") or {}
    policy = portable() if own else load_cached(str(RECORDED / entry["policy"]))
    # Waived in words, so that strict has no finding that all these files share.
    if rules == "strict" and not own:
        policy = policy.model_copy(update={"floors": policy.floors.model_copy(update={"waiver": "not the question"})})
    sizes = options.get("required_sizes") or ()
    return judge_recorded(
        policy, campaign, rules=rules, min_ratio=options.get("min_rusticl_ratio"), required_sizes=sizes
    )


load_cached, portable = cache(load_policy), cache(default_policy)


def only_rose(entry: dict[str, Any], document: Document, bad: list[str]) -> bool:
    """Whether all that compat found is throughput that rose: strict lets improvements pass."""
    ok = [run for run in document["runs"] if run.get("status") == "ok"]
    limit = slo_of(entry["policy"])["global_guardrails"]["max_abs_throughput_drift_percent"]
    return bad == ["throughput_drift_abs_bound"] and min(older_oracle.changes(ok, "avg_mean_gflops")) >= -limit


@needs_recorded
@pytest.mark.parametrize("seed", range(8))
def test_compat_is_the_description_and_strict_is_never_milder(seed: int) -> None:
    """Each mutation of each recorded file: same failed checks as the oracle; strict promotes nothing beyond compat."""
    rng = random.Random(seed)
    different, milder, promoted = [], [], 0
    for entry in index():
        for _ in range(MUTATIONS):
            document, names = mutated(rng, entry)
            decision, bad, words = by_oracle(entry, document)
            older = by_judge(entry, document, "compat")
            found = (older.decision, list(older.verdict.failed_checks), list(older.snapshot_decisions))
            if found != (decision, bad, words):
                different.append((entry["id"], names, found, (decision, bad, words)))
            strict = by_judge(entry, document, "strict").verdict
            promoted += strict.decision == "promote"
            if strict.decision == "promote" and decision != "promote" and not only_rose(entry, document, bad):
                milder.append((entry["id"], names, bad))
    assert not different[:5], len(different)
    assert not milder[:5], len(milder)
    assert promoted  # strict is not blind either


@needs_recorded
@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.__name__.strip("_"))
def test_strict_promotes_no_recorded_file_with_one_hole(hole: Callable[[random.Random, Document], None]) -> None:
    """Of every recorded file that strict promotes, one thing is broken or left out, and it no longer does."""
    rng, through, tried = random.Random(hole.__name__), [], 0
    for entry in {entry["input"]: entry for entry in index()}.values():
        document = copy_of(entry["input"])
        if by_judge(entry, document, "strict").verdict.decision == "promote":
            tried += 1
            hole(rng, document)
            if by_judge(entry, document, "strict").verdict.decision == "promote":
                through.append(entry["id"])
    assert not through
    assert tried
