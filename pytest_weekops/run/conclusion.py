"""The end of a run: judged from its records, its artifacts written whole, the run entered into the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.judge.finding import ExitStatus, Verdict
from pytest_weekops.core.measurement.records import GateRecord, Measurement
from pytest_weekops.evidence.artifacts import PYTESTS_OWN, RunFacts, write_artifacts
from pytest_weekops.evidence.judging import judge_records
from pytest_weekops.evidence.page import write_page
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.report.lanes import render_lanes
from pytest_weekops.week.run_record import record_run
from pytest_weekops.week.untold import untold_failures

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.run.live import Run

    Check = Callable[[CampaignPlan, Sequence[Measurement]], str | None]

_BROKEN = "{damage}. Somebody else wrote here while it ran, so its evidence is broken. Find out who, and run it again."
WRITTEN_NAME = "journal.written.jsonl"


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
        fields = {key: self.document[key] for key in keys}
        fields |= {"exit_status": self.exit_status, "run_dir": str(self.run_dir)}
        return "weekops-summary " + json.dumps(fields, separators=(",", ":"), sort_keys=True)


def end_suite(run: Run, problem: str = "") -> None:
    """Journal the last gate: that whatever surrounded the measurements, pytest or a script, came to its end.

    A run without it was interrupted and cannot promote; ``problem`` says what failed that no record explains.
    Nothing is measured behind it: the drivers are asked to end first, and one that cannot is a failed gate.
    """
    run.end_drivers()
    run.record(GateRecord(gate="pytest", stage="suite", passed=not problem, reason=problem))


def run_checks(run: Run, checks: Iterable[Mapping[str, Check]]) -> None:
    """Run users' own checks and journal each as a gate; one that raises has failed."""
    measurements = [record for record in run.records if isinstance(record, Measurement)]
    for each in checks:
        for name, check in each.items():
            try:
                reason = check(run.plan, measurements) or ""
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - SystemExit(0) is one of the things that may not pass
                reason = f"the check raised {type(error).__name__}: {error}"
            run.record(GateRecord(gate=name, stage="check", passed=not reason, reason=reason))


def conclude(run: Run, *, status: int = 0, remarks: Sequence[str] = ()) -> Conclusion:
    """Judge the run's records and write every artifact; the run is closed by the caller afterwards.

    ``status`` is the exit status of what surrounded the run: pytest's own (2 to 5) stay, whatever the verdict.
    A journal that is not what this run wrote is broken evidence, and fails a gate of its own.
    Raises ``WeekopsError`` where an artifact cannot be written.
    """
    damage = run.journal.damage()
    if damage:
        run.record(GateRecord(gate="journal", stage="check", passed=False, reason=_BROKEN.format(damage=damage)))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    verdict = judge_records(
        run.policy,
        run.plan,
        run.records,
        identities=run.identities,
        baselines=run.baselines,
        missing_baselines=run.missing_baselines,
        created_at=run.created_at,
        segments=run.segments,
        ended_at=now,
    )
    status = status if status in PYTESTS_OWN else int(verdict.exit_status)
    run.journal.append("end", {"decision": verdict.decision.value, "exit_status": status, "ended_at": now})
    run_dir = run.journal.path.parent
    facts = RunFacts(
        run_id=run_dir.name,
        created_at=run.created_at,
        command=run.command,
        exit_status=status,
        plan=run.plan,
        policy=run.policy,
        records=run.records,
        identities=run.identities,
        baselines=run.baselines,
        kernels=run.kernels,
        segments=run.segments,
    )
    document = write_artifacts(run_dir, verdict, facts, journal=run.journal.facts)
    late = run.journal.damage() if status == 0 else ""  # a promote is entered on a journal that is there
    kept = _keep_written(run) if damage or late else []
    is_entered, told = (False, [_BROKEN.format(damage=late)]) if late else _enter(document, run_dir)
    page = write_page(run_dir, verdict, facts, document)  # last: all that the verdict needs is on disk by now
    said = (*verdict.notes, *run.notes, *kept, *told, *([page] if page else []), *remarks)
    final = status or (0 if is_entered else int(ExitStatus.INTERNAL_ERROR))
    return Conclusion(verdict, document, final, run_dir, said, tuple(render_lanes(run.records)))


def _keep_written(run: Run) -> list[str]:
    """Keep what the run wrote beside what others made of its journal, where the open file still has it."""
    content = run.journal.written()
    if content is None:
        return [f"What this run wrote into its journal is lost: {run.journal.path.name} was changed in its place."]
    write_atomic(run.journal.path.with_name(WRITTEN_NAME), content)
    return [f"What this run wrote into its journal is kept as {WRITTEN_NAME}."]


def _enter(document: Mapping[str, Any], run_dir: Path) -> tuple[bool, list[str]]:
    """Whether the run was entered into the ledger, and what has to be said: what fails there turns no verdict around.

    So is what lies beside a ledger that begins with this run: failed runs whose ledger is gone. A promote of which the
    ledger knows nothing does not end with 0 all the same: `weekops status` would not know of it.
    """
    try:
        entry = record_run(run_dir.parent / "ledger.sqlite", {**document, "run_dir": run_dir.name})
        return True, list(untold_failures(run_dir.parent, [entry])) if entry.seq == 1 else []
    except WeekopsError as error:
        again = f"`weekops record {run_dir.name}`, in the report directory, enters it once the ledger can be written."
        words = f"the ledger did not take this run, so `weekops status` does not know of it: {error}"
        return False, [f"{words} {again}"]
