"""What a run leaves beside its journal, from records and verdict: the same bytes live and from the journal alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops import __version__
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.judge.finding import ExitStatus, Verdict
from pytest_weekops.core.measurement.driver_files import DriverListing
from pytest_weekops.core.measurement.peak_bound import PeakRecord
from pytest_weekops.core.measurement.plan import taken_plan
from pytest_weekops.evidence.journal import JOURNAL_NAME, find_journal
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.stored_run import StoredRun
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.report.decision import artifact, build_decision, count_records
from pytest_weekops.report.lanes import render_lanes
from pytest_weekops.report.summary import render_summary

if TYPE_CHECKING:
    from pytest_weekops.core.judge.campaign import Baseline
    from pytest_weekops.core.judge.judged import JudgedRecord
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.core.measurement.records import DeviceIdentity
    from pytest_weekops.core.measurement.segments import Segment
    from pytest_weekops.core.policy.policy import Policy

SUMMARY_NAME = "summary.md"
DECISION_NAME = "decision.json"
PYTESTS_OWN = (2, 3, 4, 5)  # exit statuses that stay whatever the verdict
LARGEST_DECISION_BYTES = 64 * 1024**2
# What two decisions on the same evidence agree in; files have hashes of their own, and a program its version.
_EVIDENCE = (
    *("run_id", "kind", "created_at", "command", "decision", "exit_status", "severity", "failed_checks"),
    *("inconclusive_checks", "verdict", "policy", "plan", "identities", "baselines", "counts", "segments", "peaks"),
)


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What artifacts say of a run beside its verdict. ``kernels`` are hashes by file name, ``version`` the writer's."""

    run_id: str
    created_at: str
    command: Sequence[str]
    exit_status: int
    plan: CampaignPlan
    policy: Policy
    records: Sequence[JudgedRecord]
    identities: Mapping[str, DeviceIdentity]
    baselines: Sequence[Baseline] = ()
    kernels: Mapping[str, str] = field(default_factory=dict)
    version: str = __version__
    segments: Sequence[Segment] = ()

    def decision(self, verdict: Verdict, artifacts: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The decision document, with these files as its artifacts."""
        return build_decision(
            verdict,
            run_id=self.run_id,
            created_at=self.created_at,
            command=self.command,
            exit_status=self.exit_status,
            plan=self.plan,
            policy=self.policy.effective(),
            identities=self.identities,
            kernels=self.kernels,
            counts=count_records(self.records, taken_plan(self.plan, self.records), self.identities),
            artifacts=artifacts,
            baselines=self.baselines,
            version=self.version,
            segments=self.segments,
            listings={record.platform: record for record in self.records if isinstance(record, DriverListing)},
            peaks=[record for record in self.records if isinstance(record, PeakRecord)],
        )

    def summary(self, verdict: Verdict, decision: Mapping[str, Any] | None = None) -> str:
        """The Markdown summary, of this decision document or of one that is made for it."""
        return render_summary(verdict, decision or self.decision(verdict), render_lanes(self.records))


def write_artifacts(
    run_dir: Path, verdict: Verdict, facts: RunFacts, *, journal: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Write summary, then decision, each whole or absent; the decision document. Raises ``WeekopsError``.

    ``journal`` has the hash of what a live run wrote, whatever lies in its place by now.
    """
    document = facts.decision(verdict)
    write_atomic(run_dir / SUMMARY_NAME, facts.summary(verdict, document))
    files = (journal or artifact(run_dir / JOURNAL_NAME, run_dir), artifact(run_dir / SUMMARY_NAME, run_dir))
    document["artifacts"] = list(map(dict, files))
    write_atomic(run_dir / DECISION_NAME, json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n")
    return document


# -- from a journal ----------------------------------------------------------------------------------------------


def judged_anew(run: StoredRun) -> tuple[Verdict, RunFacts]:
    """A stored run judged by its own policy, and what its artifacts say; one without an end was interrupted.

    Raises ``InputError`` where it ended with another status than its records give.
    """
    verdict = judge_stored(run)
    if run.ended is not None and run.ended not in PYTESTS_OWN and run.ended != verdict.exit_status:
        raise InputError(
            f"Run {run.run_id} ended with exit status {run.ended} by its journal, and its records give "
            f"{int(verdict.exit_status)} here. The journal was changed, or another version judged it, so nothing was "
            "written. Use the version that made it, or an intact copy."
        )
    ended = int(ExitStatus.INTERRUPTED) if run.ended is None else run.ended
    return verdict, facts_of(run, run.policy, ended)


def facts_of(run: StoredRun, policy: Policy, exit_status: int) -> RunFacts:
    """What the artifacts of a stored run say beside its verdict, by the policy that it was judged by."""
    return RunFacts(
        run_id=run.run_id,
        created_at=run.created_at,
        command=run.command,
        exit_status=exit_status,
        plan=run.plan,
        policy=policy,
        records=run.records,
        identities=run.identities,
        baselines=run.baselines,
        kernels=run.kernels,
        version=run.version,
        segments=run.segments,
    )


def read_decision(run_dir: Path) -> dict[str, Any] | None:
    """The decision of a run directory, None where there is none. Raises ``InputError`` where it cannot be read."""
    path = run_dir / DECISION_NAME
    try:
        if not path.exists() and not path.is_symlink():
            return None
        usable = path.is_file() and path.stat().st_size <= LARGEST_DECISION_BYTES
        found = json.loads(path.read_text(encoding="utf-8")) if usable else None
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError(
            f"Decision {path} is there and is none: it cannot be read as JSON. What it said when the run ended is not "
            "known, so nothing is put in its place. Look what it is, and move it away to have it made anew."
        )
    return found


def contradictions(run_dir: Path, document: Mapping[str, Any], on_disk: Mapping[str, Any]) -> tuple[str, ...]:
    """In what a decision on disk says something else than the one drawn from the journal anew; empty where nothing."""
    fresh = json.loads(json.dumps(document, allow_nan=False))
    found = [name for name in _EVIDENCE if fresh.get(name) != on_disk.get(name)]
    recorded = recorded_hash(on_disk, JOURNAL_NAME)
    if recorded != artifact(find_journal(run_dir), run_dir)["sha256"]:
        found.append(f"the hash of {JOURNAL_NAME}")
    return tuple(found)


def recorded_hash(document: Mapping[str, Any], name: str) -> str:
    """The SHA-256 that a decision document has of one of its files; empty where it has none."""
    files = document.get("artifacts")
    for each in files if isinstance(files, list) else ():
        if isinstance(each, dict) and each.get("path") == name:
            return str(each.get("sha256"))
    return ""
