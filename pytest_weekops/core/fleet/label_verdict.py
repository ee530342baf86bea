"""What the fleet's verdict comes to for each label by itself, for people; the fleet's own word is what is gated on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_weekops.core.fleet.label_checks import LabelCount
from pytest_weekops.core.fleet.verdict import FleetDecision, FleetVerdict, word_of
from pytest_weekops.core.judge.finding import CheckStatus, Finding

FIRST_OF_LABEL = "fleet_share"  # the check that each label's findings begin with
OF_LABEL = frozenset({FIRST_OF_LABEL, "fleet_outlier", "fleet_together", "fleet_versions"})  # every other is of all


@dataclass(frozen=True)
class LabelVerdict:
    """One label: its counts, the word that its findings come to, and these."""

    count: LabelCount
    decision: FleetDecision
    findings: tuple[Finding, ...]


def label_verdicts(verdict: FleetVerdict, label_of: Mapping[str, str]) -> tuple[LabelVerdict, ...]:
    """The verdict of each label, in the fleet's order. ``label_of`` has the label of each host.

    A finding about all hosts that names one of a label counts against it: none promotes with a host at SEV1.
    """
    whole, parts = _parted(verdict.findings)
    found = []
    for count, own in zip(verdict.labels, parts, strict=True):
        against = [each for each in whole if any(label_of.get(host) == count.label for host in each.rows)]
        failed = [each for each in against if each.status is not CheckStatus.PASS]
        found.append(LabelVerdict(count, word_of([*own, *failed]), (*failed, *own)))
    return tuple(found)


def _parted(findings: tuple[Finding, ...]) -> tuple[list[Finding], list[list[Finding]]]:
    """The findings about all hosts, and those about each label."""
    whole: list[Finding] = []
    parts: list[list[Finding]] = []
    for finding in findings:
        if finding.check == FIRST_OF_LABEL:
            parts.append([])
        (parts[-1] if finding.check in OF_LABEL else whole).append(finding)
    return whole, parts
