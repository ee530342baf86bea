"""Where each host stands when its outcome has been held against what was asked: believed, missing, failed, or gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pytest_weekops.core.fleet.fleet_file import FleetFile, Host
from pytest_weekops.core.fleet.outcome import MISSING, Asked, HostOutcome, HostState
from pytest_weekops.core.judge.finding import CheckStatus, Decision, Severity
from pytest_weekops.core.policy.policy import SeverityTable

UNACCOUNTED = "unaccounted"  # the state of a host of which there is no outcome at all
_EVIDENCE = frozenset({HostState.PROMOTED, HostState.ITERATE, HostState.INCONCLUSIVE})
_SHOWN = 200


class Count(IntEnum):
    """What a host counts as, mildest first. A silent host and a failed one are two things that a file allows apart."""

    PROMOTED = 0
    UNDECIDED = 1
    MISSING = 2
    FAILED = 3


@dataclass(frozen=True)
class Standing:
    """One host: what it counts as, under which state, how grave that is, and why, in words.

    ``outcome`` is its only one, None where there is none or more than one. ``is_grave`` says that no share may pass
    over it: some journal of it is SEV1 by the coordinator's judgement, whatever became of the host then.
    """

    host: Host
    counts: Count
    state: str
    severity: Severity
    why: str
    outcome: HostOutcome | None = None
    is_grave: bool = False


def asked_hosts(fleet: FleetFile, asked: Asked) -> tuple[Host, ...]:
    """The hosts that this run is about, in the file's order: all of them, where it names none."""
    names = frozenset(asked.hosts)
    return tuple(host for host in fleet.hosts if not names or host.name in names)


def standings(fleet: FleetFile, outcomes: Sequence[HostOutcome], asked: Asked) -> tuple[Standing, ...]:
    """Where each host that was asked for stands, in the file's order."""
    by_host: dict[str, list[HostOutcome]] = {}
    for outcome in outcomes:
        by_host.setdefault(outcome.host, []).append(outcome)
    return tuple(_stands(host, by_host.get(host.name, []), asked, fleet.severity) for host in asked_hosts(fleet, asked))


def _stands(host: Host, found: Sequence[HostOutcome], asked: Asked, table: SeverityTable) -> Standing:
    refused = Severity(table.checks.get("fleet_refused", table.unlisted))
    if not found:
        return Standing(
            host, Count.FAILED, UNACCOUNTED, Severity.SEV1, "there is no outcome of it, not even of its loss"
        )
    if len(found) > 1:
        why = f"there are {len(found)} outcomes of it, and no telling which is its own"
        return Standing(host, Count.FAILED, HostState.REFUSED, refused, why, is_grave=any(map(_is_grave, found)))
    outcome = found[0]
    if mismatches := list(_mismatches(host, outcome, asked)):
        why = f"its outcome is not of what was asked: {'; '.join(mismatches)}"
        return Standing(host, Count.FAILED, HostState.REFUSED, refused, why[:_SHOWN], outcome, _is_grave(outcome))
    counts, severity = _counts(outcome, table, refused)
    return Standing(host, counts, outcome.state, severity, _why(outcome), outcome, _is_grave(outcome))


def _is_grave(outcome: HostOutcome) -> bool:
    return outcome.judged is not None and outcome.judged.severity is Severity.SEV1


def _counts(outcome: HostOutcome, table: SeverityTable, refused: Severity) -> tuple[Count, Severity]:
    judged = outcome.judged
    if outcome.state is HostState.PROMOTED:
        return Count.PROMOTED, Severity.SEV4
    if outcome.state is HostState.INCONCLUSIVE:
        return Count.UNDECIDED, Severity(table.inconclusive)
    if outcome.state in MISSING:
        return Count.MISSING, Severity(table.no_data)
    if outcome.state is HostState.ITERATE:
        return Count.FAILED, Severity.SEV2 if judged is None else min(judged.severity, Severity.SEV3)
    return Count.FAILED, refused


def _mismatches(host: Host, outcome: HostOutcome, asked: Asked) -> Iterator[str]:
    """What an outcome that brings evidence has otherwise than was asked for, in words."""
    if outcome.label != host.label:
        yield f"label {outcome.label!r:.60} instead of {host.label}"
    if outcome.state not in _EVIDENCE:
        return
    for name, had, wanted in (
        ("week", outcome.week, asked.week),
        ("package version", outcome.version, asked.version),
        ("kernels", outcome.kernels_sha256, asked.kernels_sha256),
        ("plan", outcome.plan_sha256, asked.plans.get(host.label, "")),
        ("policy", outcome.policy_sha256, asked.policies.get(host.label, "")),
    ):
        if had != wanted or not had:
            yield f"{name} {had[:16] or 'untold'} instead of {wanted[:16] or 'one that was asked for'}"
    drivers = asked.drivers.get(host.label, ())
    if drivers and outcome.driver_sha256 not in drivers:
        yield f"driver {outcome.driver_sha256[:16] or 'untold'}, which was not asked for"
    if outcome.state is HostState.PROMOTED:
        yield from _unearned(outcome)


def _unearned(outcome: HostOutcome) -> Iterator[str]:
    """Why a promote is none: it needs a whole journal, and both judgements of it."""
    if not outcome.journal_sha256:
        yield "promoted without a journal"
    for whose, verdict in (("the coordinator's", outcome.judged), ("the host's own", outcome.own)):
        if verdict is None:
            yield f"promoted without {whose} verdict"
    judged = outcome.judged
    if judged is not None and (judged.decision is not Decision.PROMOTE or judged.exit_status != 0):
        yield f"promoted though the coordinator judged {judged.decision} with exit status {judged.exit_status}"


def _why(outcome: HostOutcome) -> str:
    if outcome.state is HostState.PROMOTED:
        return ""
    finding = next((f for f in outcome.findings if f.blocking and f.status is not CheckStatus.PASS), None)
    told = f"{finding.check}: {finding.message}" if finding is not None else ""
    return (outcome.why or told or "no reason is told")[:_SHOWN]


def strangers(fleet: FleetFile, outcomes: Sequence[HostOutcome], asked: Asked) -> Iterator[tuple[str, str]]:
    """Every outcome that nobody asked for, or that stands there twice: whose, and what is wrong with it."""
    known = {host.name for host in asked_hosts(fleet, asked)}
    named = {host.name for host in fleet.hosts}
    for host, count in sorted(Counter(outcome.host for outcome in outcomes).items()):
        if host not in known:
            yield host, "is a host of the file that was not asked for" if host in named else "is no host of the file"
        elif count > 1:
            yield host, f"has {count} outcomes"
    for host in sorted(set(asked.hosts) - named):
        yield host, "was asked for and is no host of the file"
    yield from _replayed(outcomes)


def _replayed(outcomes: Sequence[HostOutcome]) -> Iterator[tuple[str, str]]:
    """Journals that more than one host brings: whose they are cannot be told, and the others did not measure them."""
    whose: dict[str, set[str]] = {}
    for outcome in outcomes:
        if outcome.journal_sha256:
            whose.setdefault(outcome.journal_sha256, set()).add(outcome.host)
    for journal, hosts in sorted(whose.items(), key=lambda each: (sorted(each[1]), each[0])):
        if len(hosts) > 1:
            for host in sorted(hosts):
                others = ", ".join(sorted(hosts - {host}))
                yield host, f"brings the same journal as {others} ({journal[:12]})"[:_SHOWN]


def excepted(fleet: FleetFile, stands: Sequence[Standing]) -> Mapping[str, str]:
    """The exceptions among these hosts, with their reasons."""
    return {
        one.host.name: reason
        for one in stands
        for name, reason in fleet.promotes_of(one.host.label).exceptions.items()
        if name == one.host.name
    }
