"""Recorded runs made of facts, for tests of the ledger and of the channel that is drawn from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import DeviceIdentity, Measurement, MeasurementStatus
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.week.entry import RUN, Entry, RunEntry, run_entries
from pytest_weekops.core.week.run_entry import run_entry
from pytest_weekops.evidence.judging import judge_records
from pytest_weekops.policies.files import default_policy
from pytest_weekops.report.decision import build_decision, count_records
from pytest_weekops.week.ledger import Ledger, open_ledger
from tests.support.synthetic import Records, make_identity, make_plan, make_records, stamped


def crash_at_256(plan: CampaignPlan) -> Records:
    """A complete run of which one cell crashed: iterate at SEV1."""
    records = make_records(plan)
    changed: Records = []
    for record in records:
        if isinstance(record, Measurement) and record.case.size == 256:
            record = record.model_copy(
                update={"status": MeasurementStatus.CRASHED, "sessions": (), "error": "signal 6"}
            )
        changed.append(record)
    return changed


def decision(
    run_id: str,
    *,
    created_at: str = "2026-11-24T12:00:00+00:00",
    plan: CampaignPlan | None = None,
    records: Records | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """The decision document of a run with these records (default: healthy and complete), then changed."""
    plan = plan or make_plan("weekly")
    records = stamped(make_records(plan) if records is None else records, created_at)
    identities = {platform: make_identity(platform) for platform in plan.platforms}
    policy = default_policy()
    verdict = judge_records(policy, plan, records, identities=identities, created_at=created_at)
    told: dict[str, Any] = {"run_id": run_id, "created_at": created_at, "command": ["pytest", "suites/weekly"]}
    return {**document_of(verdict, plan, records, policy, identities, **told), **changes}


def document_of(
    verdict: Verdict,
    plan: CampaignPlan,
    records: Records,
    policy: Policy,
    identities: Mapping[str, DeviceIdentity],
    *,
    artifacts: Sequence[Mapping[str, Any]] = (),
    **facts: Any,
) -> dict[str, Any]:
    """The decision document of a run that was judged; ``facts`` are its id, time and command."""
    return build_decision(
        verdict,
        exit_status=int(verdict.exit_status),
        plan=plan,
        policy=policy.effective(),
        identities=identities,
        kernels={},
        counts=count_records(records, plan, {}),
        artifacts=artifacts,
        **facts,
    )


def promoted(run_id: str, **facts: Any) -> dict[str, Any]:
    """A healthy, complete run's decision."""
    document = decision(run_id, **facts)
    assert document["decision"] == "promote"
    return document


def crashed(run_id: str, **facts: Any) -> dict[str, Any]:
    """The decision of a run in which a cell crashed."""
    plan = facts.pop("plan", None) or make_plan("weekly")
    document = decision(run_id, plan=plan, records=crash_at_256(plan), **facts)
    assert document["decision"] == "iterate"
    assert document["severity"] == 1
    return document


def record(report_dir: Path, *documents: dict[str, Any]) -> Ledger:
    """The ledger of ``report_dir`` with these runs."""
    ledger = open_ledger(report_dir)
    for document in documents:
        entry = run_entry(document)
        ledger.append(RUN, entry.run_id, entry.model_dump(mode="json", exclude={"seq"}))
    return ledger


def entries_of(*documents: dict[str, Any]) -> tuple[Entry, ...]:
    """Unchained entries of these runs, in order: the channel does not look at hashes."""
    bodies = [run_entry(document) for document in documents]
    return tuple(
        Entry(n, RUN, body.run_id, body.created_at, body.model_dump(mode="json", exclude={"seq"}))
        for n, body in enumerate(bodies, start=1)
    )


def runs_of(*documents: dict[str, Any]) -> tuple[RunEntry, ...]:
    """The same as the channel reads them."""
    return run_entries(entries_of(*documents))
