"""From a fleet's verdict and its outcomes to what the page of the fleet run shows: pure, every number is theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.label_verdict import label_verdicts
from pytest_weekops.core.fleet.outcome import Asked, HostOutcome
from pytest_weekops.core.fleet.standing import Count, Standing, standings
from pytest_weekops.core.fleet.verdict import FleetDecision, FleetVerdict
from pytest_weekops.core.judge import finding as judged
from pytest_weekops.core.judge.finding import CheckStatus
from pytest_weekops.core.judge.outcome import listed
from pytest_weekops.report.fleet.labels import Listing, show_label
from pytest_weekops.report.fleet.shown import FleetPage, LabelPart, NotBegun
from pytest_weekops.report.page.findings import show_findings
from pytest_weekops.report.page.shown import Fact, Link
from pytest_weekops.report.saying import as_sentence, duration
from pytest_weekops.report.summary import sort_findings

MOST_ROWS = 1000  # hosts that are listed one by one; with more, the page would be too large to open
MOST_LABELS = 100
MOST_NAMED = 200  # hosts of a label whose stage never began
_MOST_LINKS = 12


@dataclass(frozen=True, kw_only=True)
class FleetFacts:
    """What the page says beside the verdict. ``files`` are those that lie beside it.

    ``host_files`` has, for each host, what lies in its own directory: a link relative to the page, and its name.
    """

    fleet_run: str
    suite: str
    words: tuple[str, ...]
    version: str
    created_at: str
    ended_at: str
    host_files: Mapping[str, tuple[Link, ...]]
    files: tuple[Fact, ...] = ()


def show_fleet(
    fleet: FleetFile, asked: Asked, verdict: FleetVerdict, outcomes: Sequence[HostOutcome], facts: FleetFacts
) -> FleetPage:
    """Everything the page shows. The verdict is the one over these outcomes."""
    stands = standings(fleet, outcomes, asked)
    shown = listed_hosts(stands, verdict)
    labels = tuple(_labels(fleet, verdict, stands, Listing(shown, facts.host_files)))
    seen = _Seen(labels)
    open_findings, passed = show_findings(verdict.findings, seen.of)
    counted = sum(count.counted for count in verdict.labels)
    promoted = sum(count.promoted for count in verdict.labels)
    return FleetPage(
        fleet_run=facts.fleet_run,
        fleet_id=verdict.fleet_id,
        suite=facts.suite,
        week=verdict.week,
        decision=verdict.decision.value,
        severity=int(verdict.severity),
        exit_status=int(verdict.exit_status),
        because=because(verdict, counted, promoted),
        owner=verdict.owner,
        within=duration(verdict.respond_within_minutes),
        action=verdict.action,
        hosts=counted,
        promoted=promoted,
        cannot_say=(*_of_not_begun(fleet, asked), *cannot_say(fleet, verdict, stands)),
        open_findings=open_findings,
        passed=passed,
        labels=labels,
        not_begun=tuple(not_begun(fleet, asked)),
        run_facts=tuple(_run_facts(facts, asked)),
        files=facts.files,
    )


def listed_hosts(stands: Sequence[Standing], verdict: FleetVerdict) -> tuple[str, ...]:
    """The hosts that are listed one by one, gravest first."""
    against = {
        host for each in sort_findings(verdict.findings) if each.status is CheckStatus.FAIL for host in each.rows
    }
    excepted = {host for count in verdict.labels for host in count.excepted}

    def place(one: Standing) -> tuple[bool, bool, int, int, str]:
        is_good = one.counts is Count.PROMOTED and one.host.name not in against
        return is_good, one.host.name in excepted, int(one.severity), -int(one.counts), one.host.name

    return tuple(one.host.name for one in sorted(stands, key=place)[:MOST_ROWS])


def _labels(
    fleet: FleetFile, verdict: FleetVerdict, stands: Sequence[Standing], listing: Listing
) -> Iterator[LabelPart]:
    """The labels that did not promote first."""
    each = label_verdicts(verdict, {one.host.name: one.host.label for one in stands})
    by_label: dict[str, list[Standing]] = {}
    for one in stands:
        by_label.setdefault(one.host.label, []).append(one)
    for found in sorted(each, key=lambda label: label.decision is FleetDecision.PROMOTE)[:MOST_LABELS]:
        yield show_label(fleet, found, by_label.get(found.count.label, []), listing)


def not_begun(fleet: FleetFile, asked: Asked) -> Iterator[NotBegun]:
    """Each label's hosts that the verdict is not about: their stage of a promotion never began."""
    begun = frozenset(asked.hosts)
    for label in fleet.labels if begun else ():
        hosts = tuple(host.name for host in fleet.hosts_of(label) if host.name not in begun)
        if hosts:
            yield NotBegun(label, hosts[:MOST_NAMED], len(hosts[MOST_NAMED:]))


def _of_not_begun(fleet: FleetFile, asked: Asked) -> Iterator[str]:
    if count := sum(len(each.hosts) + each.more for each in not_begun(fleet, asked)):
        stages = "a host whose stage" if count == 1 else f"{count} hosts whose stage"
        yield f"What the driver does on {stages} never began: nothing was switched or measured there."


class _Seen:
    """Where on the page a finding can be seen: at the hosts that it names, else at its label."""

    def __init__(self, labels: Sequence[LabelPart]) -> None:
        self._hosts = {row.name: Link(row.anchor, row.name) for label in labels for row in label.hosts}
        self._labels = {label.name: Link(label.anchor, label.name) for label in labels}

    def of(self, finding: judged.Finding) -> tuple[Link, ...]:
        """The first few hosts, or the labels, or all of them."""
        known = self._labels | self._hosts
        found = tuple(known[name] for name in finding.rows[: 4 * _MOST_LINKS] if name in known)
        return found[:_MOST_LINKS] or (Link("labels", "all labels"),)


def because(verdict: FleetVerdict, hosts: int, promoted: int) -> str:
    """What decided it, in one sentence."""
    if verdict.decision is FleetDecision.PROMOTE:
        return f"Every label has what promotes it: {promoted} of {hosts} hosts promoted."
    found = [finding for finding in sort_findings(verdict.findings) if finding.blocking]
    if not found:
        return "No check looked at anything."
    more = len(found) - 1
    rest = f" {more} more {'finding' if more == 1 else 'findings'} against it." if more else ""
    return f"{found[0].check}: {as_sentence(found[0].message)}{rest}"


def cannot_say(fleet: FleetFile, verdict: FleetVerdict, stands: Sequence[Standing]) -> Iterator[str]:
    """What this verdict does not speak of, each in a sentence; a reader who sees none of it would take it for more."""
    out = {host for count in verdict.labels for host in count.excepted}
    if silent := [one.host.name for one in stands if one.counts is Count.MISSING and one.host.name not in out]:
        yield f"What the driver does on hosts that are silent: {listed(silent)}."
    for count in verdict.labels:
        reasons = fleet.promotes_of(count.label).exceptions
        for host in count.excepted:
            yield f"What the driver does on {host}, which is excepted: {reasons[host]}"
    for finding in verdict.findings:
        if not finding.blocking and finding.status in (CheckStatus.INCONCLUSIVE, CheckStatus.NO_DATA):
            yield finding.message
    if len(verdict.labels) > MOST_LABELS:
        yield f"This page shows {MOST_LABELS} of {len(verdict.labels)} labels; `fleet.json` has all of them."


def _run_facts(facts: FleetFacts, asked: Asked) -> Iterator[Fact]:
    yield Fact("fleet run", facts.fleet_run, is_code=True)
    yield Fact("made", f"{facts.created_at} to {facts.ended_at} by pytest-weekops {facts.version}")
    yield Fact("suite", facts.suite)
    if facts.words:
        yield Fact("options", " ".join(facts.words), is_code=True)
    yield Fact("kernels", asked.kernels_sha256, is_code=True)
    for label, policy in sorted(asked.policies.items())[:MOST_LABELS]:
        yield Fact(f"policy of {label}", policy, is_code=True)
