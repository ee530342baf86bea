"""Weeks of real run directories: journal, summary, decision and ledger as a live run leaves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_weekops.core.calendar import Week
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.week.entry import ROLLBACK
from pytest_weekops.evidence.journal import Journal
from pytest_weekops.evidence.judging import judge_records
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.policies.files import default_policy
from pytest_weekops.report.decision import artifact
from pytest_weekops.report.summary import render_summary
from pytest_weekops.week.closing import ClosedWeek
from pytest_weekops.week.ledger import Ledger, open_ledger
from pytest_weekops.week.run_record import record_run
from tests.support.history import crash_at_256, document_of
from tests.support.synthetic import Records, make_identity, make_plan, make_records, stamped

W47, W48, W49 = Week(2026, 47), Week(2026, 48), Week(2026, 49)
TUESDAY = "2026-11-24T12:00:00+00:00"
KINDS = {"gate": "canonical", "replay": "weekly", "split": "split"}


def add_run(
    report_dir: Path,
    run_id: str,
    kind: str = "weekly",
    *,
    created_at: str = TUESDAY,
    crash: bool = False,
    plan: CampaignPlan | None = None,
    records: Records | None = None,
    driver: str = "1",
    command: tuple[str, ...] = ("pytest", "suites/weekly", "--sizes", "128", "256"),
    policy_changes: dict[str, Any] | None = None,
    recorded: bool = True,
    end: bool = False,
    **changes: Any,
) -> Path:
    """A run that was judged, written and recorded; ``changes`` go into its decision document.

    With ``end`` its journal says how it ended, as a baseline needs it.
    """
    plan = plan or make_plan(kind)
    records = (crash_at_256(plan) if crash else make_records(plan)) if records is None else records
    records = stamped(records, created_at)
    identities = {name: _identity(name, driver) for name in plan.platforms}
    policy = default_policy().model_copy(update=policy_changes or {})
    run_dir = report_dir / run_id
    journal = Journal(run_dir / "journal.jsonl")
    facts = {"run_id": run_id, "created_at": created_at, "command": list(command), "plan": plan.model_dump(mode="json")}
    journal.append("run", {**facts, "policy": policy.effective()})
    for identity in identities.values():
        journal.append("identity", identity)
    for record in records:
        journal.append(record.type, record)
    verdict = judge_records(policy, plan, records, identities=identities, created_at=created_at)
    if end:
        journal.append("end", {"decision": verdict.decision.value, "exit_status": int(verdict.exit_status)})
    journal.close()

    def document(artifacts: list[dict[str, Any]]) -> dict[str, Any]:
        told = {"run_id": run_id, "created_at": created_at, "command": command}
        return {**document_of(verdict, plan, records, policy, identities, artifacts=artifacts, **told), **changes}

    write_atomic(run_dir / "summary.md", render_summary(verdict, document([])))
    decision = document([artifact(run_dir / name, run_dir) for name in ("journal.jsonl", "summary.md")])
    write_atomic(run_dir / "decision.json", json.dumps(decision, indent=2, sort_keys=True) + "\n")
    if recorded:
        record_run(report_dir / "ledger.sqlite", {**decision, "run_dir": run_dir.name})
    return run_dir


def _identity(name: str, driver: str) -> DeviceIdentity:
    return make_identity(name).model_copy(update={"driver_version": driver})


def healthy_week(report_dir: Path, *, day: str = "2026-11-24", prefix: str = "", without: str = "") -> Ledger:
    """A gate, a replay and a split that all promote; ``without`` names the step that was left out."""
    for hour, (step, kind) in enumerate(KINDS.items(), start=9):
        if step != without:
            add_run(report_dir, f"{prefix}{step}", kind, created_at=f"{day}T{hour:02}:00:00+00:00")
    return open_ledger(report_dir)


def leftovers(report_dir: Path) -> list[str]:
    """Names below ``weeks`` and hidden names beside it: what a closing that failed must not leave."""
    hidden = [path.name for path in report_dir.iterdir() if path.name.startswith(".")]
    weeks = report_dir / "weeks"
    return sorted([*hidden, *(path.name for path in weeks.iterdir())] if weeks.exists() else hidden)


def snapshot(directory: Path) -> dict[str, bytes]:
    """Every file below a directory, except the log and the shared memory that SQLite makes for readers too."""
    files = (path for path in directory.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal")))
    return {str(path): path.read_bytes() for path in files}


def iterates(closed: ClosedWeek, expected: str) -> dict[str, Any]:
    """The document of a week that did not promote, in the record, the ledger and the exit status, and says why."""
    document = closed.document
    assert (document["block_decision"], closed.exit_status != 0) == ("iterate", True)
    assert expected in json.dumps(document)
    assert open_ledger(closed.directory.parents[1]).entries()[-1].body["decision"] == "iterate"
    assert "iterate" in (closed.directory / "acta.md").read_text(encoding="utf-8").splitlines()[0]
    assert document["new_actions"], "somebody must owe something"
    return document


def roll_back(ledger: Ledger, *stages: str, evidence: bool = True) -> None:
    """Records of a rollback from pocl to clover as ``weekops rollback`` writes them; its gate's file is evidence."""
    proof = ledger.path.parent / "runtime" / "checks" / "decision.json"
    proof.parent.mkdir(parents=True, exist_ok=True)
    proof.write_text("{}", encoding="utf-8")
    file = {"path": "runtime/checks/decision.json", "sha256": hash_file(proof)}
    place = len(ledger.entries())
    for number, stage in enumerate(stages):
        body: dict[str, Any] = {"stage": stage, "from": {"platform": "pocl"}, "to": {"platform": "clover"}}
        if stage in ("verified", "unverified"):
            body |= {"seconds": 4.5, "outcomes": {"gate": {"evidence": [file] if evidence else []}}}
        ledger.append(ROLLBACK, f"{place}.{number} {stage}", body, recorded_at="2026-11-24T13:30:00+00:00")
