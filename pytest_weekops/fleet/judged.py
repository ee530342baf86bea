"""A host's outcome, from the journal that the coordinator kept: judged again here, by the coordinator's own policy."""

from __future__ import annotations

import hashlib
import math
import re
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.fleet.fleet_file import Label
from pytest_weekops.core.fleet.outcome import CellEstimate, HostOutcome, HostState, HostVerdict, state_of
from pytest_weekops.core.judge.campaign import Campaign, cell_name
from pytest_weekops.core.judge.finding import Decision, ExitStatus, Severity, Verdict
from pytest_weekops.core.judge.metrics import by_snapshot
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.schedule import expected_gates
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.week.entry import canonical_json
from pytest_weekops.evidence.artifacts import facts_of, write_artifacts
from pytest_weekops.evidence.judging import stored_campaign
from pytest_weekops.evidence.stored_run import StoredRun, read_run
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.fleet.program import hash_of_kernels

_LEAST_SNAPSHOTS = 2  # of a cell, below which nothing shows how much it varies


@dataclass(frozen=True)
class AskedOfHost:
    """What one host was asked to measure, and by which policy it is judged.

    ``week`` is the fleet run's: a host whose turn came after midnight on Sunday belongs to it all the same.
    """

    host: str
    label_name: str
    label: Label
    suite: str
    sizes: tuple[int, ...]
    policy: Policy
    week: str


def missing(asked: AskedOfHost, state: HostState, why: str) -> HostOutcome:
    """The outcome of a host whose journal is not judged."""
    return HostOutcome(host=asked.host, label=asked.label_name, state=state, why=why)


def judged_host(asked: AskedOfHost, journal: Path, *, keep: bool = True) -> HostOutcome:
    """Judge the journal of a host whose gate has ended, and ``keep`` the artifacts beside it.

    What the host says of itself is kept beside; what it sent and what was asked for must be one thing. Whatever a
    stranger's records do to the judge ends in a refusal of that host. Raises ``WeekopsError`` where our disk refuses.
    """
    try:
        return _judged(asked, journal, keep=keep)
    except InputError as error:
        return missing(asked, HostState.REFUSED, f"its journal is not believed: {error}"[:1000])
    except WeekopsError:
        raise
    except Exception as error:  # noqa: BLE001 - one host's records must not take the others' verdict away
        why = f"its journal cannot be judged: {type(error).__name__}: {error}"
        return missing(asked, HostState.REFUSED, why[:1000])


def _judged(asked: AskedOfHost, journal: Path, *, keep: bool) -> HostOutcome:
    run = read_run(journal)
    file = {"path": journal.name, "sha256": hash_file(journal), "bytes": journal.stat().st_size}
    if problem := differs(asked, run):
        return _outcome(asked, run, file, HostState.REFUSED, why=problem)
    campaign = stored_campaign(run)
    verdict = judge(asked.policy, campaign)
    if keep:
        facts = facts_of(run, asked.policy, ended_status(run, verdict))
        write_artifacts(journal.parent, verdict, facts, journal=file)
    state, why = state_of(verdict), ""
    if run.ended is None and state is HostState.PROMOTED:
        state, why = HostState.NO_DATA, "its journal has no end"
    if other := _other_driver(asked.label, run):
        state, why = HostState.OTHER_DRIVER, other
    outcome = _outcome(asked, run, file, state, verdict=verdict, why=why)
    return outcome.model_copy(update={"estimates": tuple(_estimates(campaign))})


def differs(asked: AskedOfHost, run: StoredRun) -> str:
    """In what a journal answers another question than was asked; nothing where it does not."""
    plan = run.plan
    pairs = {
        "kind": (asked.suite, plan.kind),
        "profiles": (asked.label.profiles, plan.platforms),
        "sizes": (asked.sizes or plan.sizes, plan.sizes),
        "policy": (asked.policy.sha256, run.policy.sha256),
    }
    for name, (wanted, found) in pairs.items():
        if wanted != found:
            return f"it was measured with another {name} than was asked for: {found!r:.200} instead of {wanted!r:.200}"
    if gates := [gate for gate in expected_gates(plan) if gate not in plan.gates]:
        return f"its plan lacks the gate {gates[0]}"
    if not plan.kernels and plan.kind != "canonical":
        return "its plan has no kernel"
    return ""


def _other_driver(label: Label, run: StoredRun) -> str:
    for profile in label.profiles:
        identity = run.identities.get(profile)
        version = identity.driver_version if identity is not None else ""
        if identity is not None and label.driver and not re.search(label.driver, version[:300]):
            return f"{profile} is {version[:300]!r} there, and {label.driver!r} is asked for"
    return ""


def ended_status(run: StoredRun, verdict: Verdict) -> int:
    """The exit status that a host's decision has: the coordinator's, or that of a run without an end."""
    return int(ExitStatus.INTERRUPTED if run.ended is None else verdict.exit_status)


def _outcome(
    asked: AskedOfHost,
    run: StoredRun,
    file: Mapping[str, Any],
    state: HostState,
    *,
    why: str,
    verdict: Verdict | None = None,
) -> HostOutcome:
    identities = [run.identities[profile] for profile in asked.label.profiles if profile in run.identities]
    driver = ", ".join(identity.driver_version[:100] for identity in identities)
    drivers = canonical_json([(i.profile, i.driver_version, i.library_sha256) for i in identities])
    judged = HostVerdict.of(verdict) if verdict is not None else None
    return HostOutcome(
        host=asked.host,
        label=asked.label_name,
        state=state,
        week=asked.week,
        plan_sha256=plan_sha256(run.plan),
        policy_sha256=run.policy.sha256,
        kernels_sha256=hash_of_kernels(run.kernels),
        version=run.version[:80],
        driver=driver,
        driver_sha256=hashlib.sha256(drivers.encode()).hexdigest() if identities else "",
        journal_sha256=file["sha256"],
        own=_own(run, judged),
        judged=judged,
        findings=verdict.findings if verdict is not None else (),
        why=why,
    )


def _estimates(campaign: Campaign) -> Iterator[CellEstimate]:
    """The log throughput of each cell, with the standard error that its snapshots show."""
    for cell, rows in campaign.good.items():
        values = by_snapshot(rows, "throughput")
        if len(values) < _LEAST_SNAPSHOTS or min(values) <= 0:
            continue
        logs = [math.log(value) for value in values]
        error = statistics.stdev(logs) / math.sqrt(len(logs))
        yield CellEstimate(cell=cell_name(cell)[:200], of="throughput", log=statistics.fmean(logs), sd=error)


def plan_sha256(plan: CampaignPlan) -> str:
    """SHA-256 of a plan, by which hosts are known to have measured the same."""
    return hashlib.sha256(canonical_json(plan.model_dump(mode="json")).encode()).hexdigest()


def _own(run: StoredRun, judged: HostVerdict | None) -> HostVerdict | None:
    """What the host's last line says. It tells no severity: the coordinator's stands in where the status agrees."""
    last = run.events[-1]
    if last.type != "end" or run.ended is None:
        return None
    decision = Decision.PROMOTE if last.data.get("decision") == Decision.PROMOTE else Decision.ITERATE
    if judged is not None and judged.exit_status == run.ended:
        severity = judged.severity
    else:
        severity = Severity.SEV1 if run.ended == ExitStatus.ROLLBACK_REQUIRED else Severity.SEV4
    return HostVerdict(decision=decision, severity=severity, exit_status=run.ended)
