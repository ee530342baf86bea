"""What the split of a build against the good one says of that build: good, bad, or nothing.

A step asks for one thing. By speed it is the split's ratio, decided as the split decides it; what is not decided, and a
build with another fault than being slow, says nothing. By correctness and by crash it is what became of the build's
cases. Where the good driver itself failed, the split says nothing of anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pytest_weekops.core.bisect.search import Said
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.finding import CheckStatus, Finding, Verdict
from pytest_weekops.core.measurement.records import UNTRIED, MeasurementStatus

By = Literal["speed", "correctness", "crash"]

GOOD_LABEL, BUILD_LABEL = "good", "build"
RATIO = "rusticl_ratio_vs_clover"
CRASHES = frozenset(
    {
        MeasurementStatus.CRASHED,
        MeasurementStatus.HUNG,
        MeasurementStatus.BUILD_FAILED,
        MeasurementStatus.LAUNCH_FAILED,
    }
)
# Not what is asked: a policy's rows, percentiles, whose limits are not made from the two ends, and what a build lacks.
_NOT_ASKED = frozenset(
    {"sizes_covered", "p95_evidence", "clover_policy_rows", "rusticl_latency_ratio", "capabilities_kept"}
)
_GATE = re.compile(r"\S+ at \d+x\d+x\d+: ([a-z_]+)")
_ENDED = re.compile(r"(ended|stayed) in phase")
_SHOWN = 300


@dataclass(frozen=True)
class Opinion:
    """What a split says of the build, and why.

    ``log_ratio`` is the least log of the build's speed over the good one's, with its bounds ``lower`` and ``upper``,
    all None where nothing was compared. ``error`` bounds the probability of being wrong, None where no number is known.
    ``taken`` is how much was measured: snapshots by speed, else measurements of the build.
    """

    said: Said
    why: str
    log_ratio: float | None = None
    lower: float | None = None
    upper: float | None = None
    error: float | None = None
    taken: int = 0


def opinion(by: By, verdict: Verdict, campaign: Campaign) -> Opinion:
    """What a judged split between :data:`GOOD_LABEL` and :data:`BUILD_LABEL` says of the latter."""
    if by == "speed":
        return _by_speed(verdict, campaign)
    good, build = _statuses(campaign, GOOD_LABEL), _statuses(campaign, BUILD_LABEL)
    tried = sum(m.case.platform == BUILD_LABEL for m in campaign.measurements)
    if problem := _trouble(good):
        return Opinion(Said.SKIPPED, f"the good driver itself failed: {problem}")
    looked_for = frozenset({MeasurementStatus.WRONG}) if by == "correctness" else CRASHES
    if found := [(status, why) for status, why in build if status in looked_for]:
        return Opinion(Said.BAD, f"{found[0][0].value}: {found[0][1]}"[:_SHOWN], taken=tried)
    harmless = {MeasurementStatus.OK} if by == "correctness" else {MeasurementStatus.OK, MeasurementStatus.WRONG}
    if others := [(status, why) for status, why in build if status not in harmless]:
        return Opinion(Said.SKIPPED, f"{others[0][0].value}: {others[0][1]}"[:_SHOWN], taken=tried)
    if missing := _not_measured(campaign):
        return Opinion(Said.SKIPPED, f"not measured: {missing} cases", taken=tried)
    if by == "correctness" and (doubt := next(_doubts(verdict, speed=False), None)):
        return Opinion(Said.SKIPPED, f"{doubt.check}: {doubt.message}"[:_SHOWN], taken=tried)
    words = "each result is right" if by == "correctness" else "each case came to its end"
    return Opinion(Said.GOOD, f"{words} ({tried} measurements)", taken=tried)


def _by_speed(verdict: Verdict, campaign: Campaign) -> Opinion:
    finding = next((each for each in verdict.findings if each.check == RATIO), None)
    least = _least(finding)
    numbers = {name: least.get(key) for name, key in _NUMBERS.items()}
    taken = campaign.plan.snapshots
    if doubt := next(_doubts(verdict, speed=True), None):
        why = next((f"{status.value}: {words}" for status, words in _failures(campaign)), doubt.message)
        return Opinion(Said.SKIPPED, f"{doubt.check}: {why}"[:_SHOWN], **numbers, taken=taken)
    if finding is None or verdict.certainty is None:
        return Opinion(Said.SKIPPED, "the split did not compare the two", taken=taken)
    if finding.status is CheckStatus.PASS:
        error = verdict.certainty.max_false_promote
        return Opinion(Said.GOOD, finding.message[:_SHOWN], **numbers, error=error, taken=taken)
    if finding.status is CheckStatus.FAIL and finding.reason_code == "ratio":
        error = verdict.certainty.max_false_block
        return Opinion(Said.BAD, finding.message[:_SHOWN], **numbers, error=error, taken=taken)
    return Opinion(Said.SKIPPED, f"not decided: {finding.message}"[:_SHOWN], **numbers, taken=taken)


_NUMBERS = {"log_ratio": "estimate", "lower": "lower", "upper": "upper"}


def _least(finding: Finding | None) -> dict[str, Any]:
    """The comparison that is lowest, as the finding's details have it; among those that fail, where any does."""
    details = [] if finding is None else [each for each in finding.details if each.get("asked") == "ratio"]
    failing = [each for each in details if each["answer"] == CheckStatus.FAIL.value]
    return min(failing or details, key=lambda each: float(each["estimate"]), default={})


def _doubts(verdict: Verdict, *, speed: bool) -> Iterator[Finding]:
    """What stands against believing the split, beside what is asked for itself."""
    unasked = _NOT_ASKED | {RATIO} if speed else _NOT_ASKED | {RATIO, *_OF_THE_HOST}
    for finding in verdict.findings:
        if finding.blocking and finding.status is not CheckStatus.PASS and finding.check not in unasked:
            yield finding


_OF_THE_HOST = ("minimum_snapshots", "host_stable", "platform_split_present", "required_sizes_present_on_split")


def _statuses(campaign: Campaign, label: str) -> list[tuple[MeasurementStatus, str]]:
    """What became of each measurement and gate of one side, in words, what explains most first.

    A void measurement counts: its times do not, and its result was looked at all the same.
    """
    found = [_gate_status(gate.reason) for gate in campaign.gates if gate.platform == label and not gate.passed]
    found += [(m.status, m.reason) for m in campaign.measurements if m.case.platform == label]
    return sorted(found, key=lambda each: each[0] in (*UNTRIED, MeasurementStatus.LOST))


def _gate_status(reason: str) -> tuple[MeasurementStatus, str]:
    """A failed gate: how its kernel ended, or a driver that does not even open."""
    told = _GATE.search(reason)  # a closing gate says what the opening one said, behind words of its own
    words = told[1] if told is not None else "crashed" if _ENDED.search(reason) else ""
    known = words in set(MeasurementStatus) and words != MeasurementStatus.OK
    return (MeasurementStatus(words) if known else MeasurementStatus.LOST), reason


def _failures(campaign: Campaign) -> Iterator[tuple[MeasurementStatus, str]]:
    """What failed of the build, then of the good one."""
    for label in (BUILD_LABEL, GOOD_LABEL):
        for status, why in _statuses(campaign, label):
            if status is not MeasurementStatus.OK:
                yield status, f"{label}: {why}"


def _trouble(statuses: list[tuple[MeasurementStatus, str]]) -> str:
    return next((f"{status.value}: {why}" for status, why in statuses if status is not MeasurementStatus.OK), "")


def _not_measured(campaign: Campaign) -> int:
    planned = {case for case in campaign.planned if case.platform == BUILD_LABEL and campaign.is_asked(case)}
    return len(planned - {m.case for m in campaign.measurements}) if planned else 1
