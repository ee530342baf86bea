"""The end of a run: judged from its records, its artifacts written whole, the run entered into the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.measurement.driver_files import DriverListing
from pytest_weekops.core.measurement.plan import taken_plan
from pytest_weekops.core.measurement.records import GateRecord, Measurement
from pytest_weekops.evidence.judging import judge_records
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.report.decision import artifact, build_decision, count_records
from pytest_weekops.report.lanes import render_lanes
from pytest_weekops.report.summary import render_summary
from pytest_weekops.week.run_record import record_run

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.run.live import Run

    Check = Callable[[CampaignPlan, Sequence[Measurement]], str | None]

_PYTESTS_OWN = (2, 3, 4, 5)


@dataclass(frozen=True)
class Conclusion:
    """Verdict, decision document and exit status of one finished run."""

    verdict: Verdict
    document: dict[str, Any]
    exit_status: int
    run_dir: Path
    remarks: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()

    def machine_line(self) -> str:
        """The last line of ``--mode ci``: one JSON object after a fixed word."""
        keys = ("run_id", "kind", "decision", "exit_status", "severity", "failed_checks", "inconclusive_checks")
        fields = {key: self.document[key] for key in keys} | {"run_dir": str(self.run_dir)}
        return "weekops-summary " + json.dumps(fields, separators=(",", ":"), sort_keys=True)


def end_suite(run: Run, problem: str = "") -> None:
    """Journal the last gate: that whatever surrounded the measurements, pytest or a script, came to its end.

    A run without it was interrupted and cannot promote; ``problem`` says what failed that no record explains.
    """
    run.record(GateRecord(gate="pytest", stage="suite", passed=not problem, reason=problem))


def run_checks(run: Run, checks: Iterable[Mapping[str, Check]]) -> None:
    """Run users' own checks and journal each as a gate; one that raises has failed."""
    measurements = [record for record in run.records if isinstance(record, Measurement)]
    for each in checks:
        for name, check in each.items():
            try:
                reason = check(run.plan, measurements) or ""
            except Exception as error:  # noqa: BLE001 - a user's check may raise anything, and must not pass by it
                reason = f"the check raised {type(error).__name__}: {error}"
            run.record(GateRecord(gate=name, stage="check", passed=not reason, reason=reason))


def conclude(run: Run, *, status: int = 0, remarks: Sequence[str] = ()) -> Conclusion:
    """Judge the run's records and write every artifact; the run is closed by the caller afterwards.

    ``status`` is the exit status of what surrounded the run: pytest's own (2 to 5) stay, whatever the verdict.
    Raises ``WeekopsError`` where an artifact cannot be written.
    """
    verdict = judge_records(
        run.policy,
        run.plan,
        run.records,
        identities=run.identities,
        baselines=run.baselines,
        created_at=run.created_at,
    )
    status = status if status in _PYTESTS_OWN else int(verdict.exit_status)
    run.journal.append("end", {"decision": verdict.decision.value, "exit_status": status})
    run_dir = run.journal.path.parent
    facts: dict[str, Any] = {
        "run_id": run_dir.name,
        "created_at": run.created_at,
        "command": run.command,
        "exit_status": status,
        "plan": run.plan,
        "policy": run.policy.effective(),
        "identities": run.identities,
        "baselines": run.baselines,
        "listings": {record.platform: record for record in run.records if isinstance(record, DriverListing)},
        "kernels": run.kernels,
        "counts": count_records(run.records, taken_plan(run.plan, run.records)),
    }
    draft = build_decision(verdict, **facts, artifacts=[])
    lanes = render_lanes(run.records)
    document = _write(
        run_dir, render_summary(verdict, draft, lanes), lambda files: build_decision(verdict, **facts, artifacts=files)
    )
    said = (*verdict.notes, *run.notes, *_enter(document, run_dir), *remarks)
    return Conclusion(verdict, document, status, run_dir, said, tuple(lanes))


def _write(run_dir: Path, summary: str, finish: Callable[[list[Any]], dict[str, Any]]) -> dict[str, Any]:
    write_atomic(run_dir / "summary.md", summary)
    files = [artifact(run_dir / name, run_dir) for name in ("journal.jsonl", "summary.md")]
    document = finish(files)
    write_atomic(run_dir / "decision.json", json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n")
    return document


def _enter(document: Mapping[str, Any], run_dir: Path) -> list[str]:
    """Enter the run into the ledger; what fails there is said, and never turns a verdict around."""
    try:
        record_run(run_dir.parent / "ledger.sqlite", {**document, "run_dir": run_dir.name})
    except WeekopsError as error:
        return [f"the ledger did not take this run: {error}"]
    return []
