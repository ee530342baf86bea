"""What a label owes: that its share of hosts promoted, and that nothing is certain of them together that forbids it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_weekops.core.fleet import between
from pytest_weekops.core.fleet.fleet_file import FleetFile, Promotes
from pytest_weekops.core.fleet.outcome import HostOutcome, HostState
from pytest_weekops.core.fleet.standing import Count, Standing
from pytest_weekops.core.judge.finding import Finding, Severity
from pytest_weekops.core.judge.outcome import failed, inconclusive, listed, no_data, passed
from pytest_weekops.core.record import Record

_NOT_COMPARED = frozenset({HostState.REFUSED, HostState.OTHER_DRIVER})  # they measured something else


class LabelCount(Record):
    """How many hosts of a label stand where. ``needed`` of ``counted`` must promote; ``excepted`` do not count."""

    label: str
    hosts: int
    counted: int
    needed: int
    promoted: int
    states: dict[str, int]
    excepted: tuple[str, ...] = ()
    outliers: tuple[str, ...] = ()


def compared(mine: Iterable[Standing]) -> list[HostOutcome]:
    """The outcomes of these hosts that are held against each other: of those that measured what was asked for."""
    return [one.outcome for one in mine if one.outcome is not None and one.state not in _NOT_COMPARED]


def judge_label(
    fleet: FleetFile, label: str, mine: Sequence[Standing], excepted: Sequence[str]
) -> tuple[list[Finding], LabelCount]:
    """The findings about one label and its counts. ``mine`` are the hosts of it that were asked for and that count."""
    promotes = _each_stage(fleet, label)
    beside = compared(mine)
    slow, outlier = between.outliers(label, beside, promotes)
    stands = [with_outlier(one, slow, fleet.severity.checks.get("fleet_outlier", 3)) for one in mine]
    needed = promotes.needed(len(stands))
    findings = [
        _share(label, stands, needed, fleet.labels[label].may_be_missing, promotes.exceptions),
        outlier,
        *between.together(label, beside, promotes),
        *between.versions(label, beside, promotes),
    ]
    return findings, LabelCount(
        label=label,
        hosts=len(stands) + len(excepted),
        counted=len(stands),
        needed=needed,
        promoted=sum(one.counts is Count.PROMOTED for one in stands),
        states=dict(sorted(Counter(one.state for one in mine).items())),
        excepted=tuple(sorted(excepted)),
        outliers=slow,
    )


def _each_stage(fleet: FleetFile, label: str) -> Promotes:
    """What promotes a label, with the probability of a false alarm shared by the stages: each of them is one look."""
    promotes = fleet.promotes_of(label)
    share = promotes.max_false_alarm / len(fleet.stages_of(label))
    return promotes.model_copy(update={"max_false_alarm": share})


def with_outlier(one: Standing, slow: Sequence[str], level: int) -> Standing:
    """A slow host counts as failed, by the graver of what it was before and what an outlier is."""
    if one.host.name not in slow:
        return one
    why = "; ".join(filter(None, (one.why, "slower than the other hosts of its label")))
    return replace(one, counts=Count.FAILED, severity=min(one.severity, Severity(level)), why=why)


def _share(
    label: str, stands: Sequence[Standing], needed: int, may_be_missing: int, exceptions: Mapping[str, str]
) -> Finding:
    """So many hosts promoted as the label needs, of all that were asked for; the silent ones are among them."""
    check = "fleet_share"
    promoted = [one for one in stands if one.counts is Count.PROMOTED]
    against = sorted((one for one in stands if one.counts is not Count.PROMOTED), key=_gravest_first)
    spare = len(stands) - needed
    told = listed([f"{one.host.name} {one.state}: {one.why}" for one in against])
    facts: dict[str, Any] = {
        "rows": tuple(one.host.name for one in against),
        "observed": len(promoted),
        "required": needed,
        "details": tuple(map(_detail, against)),
        "severity": min((one.severity for one in against), default=Severity.SEV2),
    }
    where = f"Label {label}: {len(promoted)} of {len(stands)} hosts promoted, {needed} must"
    count = Counter(one.counts for one in stands)
    failures, silent, undecided = count[Count.FAILED], count[Count.MISSING], count[Count.UNDECIDED]
    if not stands:
        words = (
            f"Label {label}: every host that was asked for is an exception ({listed(list(exceptions))}), so nothing "
        )
        return no_data(check, "nobody", f"{words}counts. Ask for a host that is none.", severity=Severity.SEV2)
    if failures > spare:
        words = (
            f"{where}. Not promoted: {told}. {failures} failed, and no other host can make up for them. Look at these."
        )
        return failed(check, "too_few", words, **facts)
    if silent > may_be_missing:
        words = (
            f"{where}, and {silent} are silent where {may_be_missing} may be: {told}. A silent host has not promoted. "
        )
        return no_data(check, "missing", f"{words}Bring them back and run them, or except them by name.", **facts)
    if failures + silent > spare:
        words = f"{where}. Not promoted: {told}. The silent ones decide. Bring them back and run them."
        return no_data(check, "silent", words, **facts)
    if failures + silent + undecided > spare:
        words = (
            f"{where}. Not promoted: {told}. More snapshots decide the inconclusive ones. Run them again for longer."
        )
        return inconclusive(check, "open", words, **facts)
    beside = f"; not promoted, and allowed to be: {told}" if against else ""
    facts.pop("severity")
    return passed(check, f"{where}{beside}", **facts)


def _gravest_first(one: Standing) -> tuple[int, int, str]:
    return int(one.severity), -int(one.counts), one.host.name


def _detail(one: Standing) -> dict[str, Any]:
    return {"host": one.host.name, "state": str(one.state), "severity": int(one.severity), "why": one.why}
