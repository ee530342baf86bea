"""The end of a run: judge, write the artifacts, and say it to people and to machines."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.judge.finding import Decision, ExitStatus, Verdict
from pytest_weekops.report.saying import wrapped
from pytest_weekops.report.summary import finding_line, next_step, render_summary, sort_findings
from pytest_weekops.report.table import render_table

if TYPE_CHECKING:
    import pytest

    from pytest_weekops.plugin.session import GateSession

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

    def print(self, terminal: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Table, findings, verdict, artifacts, exit status, next step; with ``-q`` findings and verdict only."""
        quiet = config.get_verbosity() < 0
        if not quiet:
            terminal.section("weekops", sep="=")
            for line in render_table(self.verdict.kind, self.verdict.rows):
                terminal.write_line(line)
            for line in self.lanes:
                terminal.write_line(line)
            for remark in self.remarks:
                _write_wrapped(terminal, f"note: {remark}")
        for finding in sort_findings(self.verdict.findings):
            _write_wrapped(terminal, finding_line(finding), red=finding.blocking, yellow=not finding.blocking)
        good = self.document["decision"] == Decision.PROMOTE.value
        level = f"SEV{self.document['severity']}"
        terminal.write_line(
            f"verdict: {self.document['decision']} ({level}), exit status {self.exit_status}", green=good, red=not good
        )
        if not quiet:
            if not good:
                within = self.verdict.respond_within_minutes
                owner = f"owner: {self.verdict.owner}, within {within} minutes: {self.verdict.action}"
                _write_wrapped(terminal, owner)
            terminal.write_line(f"artifacts: {_short(self.run_dir, config)}/")
            _write_wrapped(terminal, f"next: {next_step(self.exit_status)}")
        if os.environ.get("GITHUB_ACTIONS"):
            for line in github_lines(self):
                terminal.write_line(line)


def _write_wrapped(terminal: pytest.TerminalReporter, text: str, **markup: bool) -> None:
    """Write a paragraph in lines of at most 80 columns, continued with an indent; long words stay whole."""
    for line in wrapped(text):
        terminal.write_line(line, **markup)


def github_lines(conclusion: Conclusion) -> list[str]:
    """GitHub workflow commands, one per finding; newlines and percent signs escaped as that format asks."""
    lines = []
    for finding in sort_findings(conclusion.verdict.findings):
        level = "error" if finding.blocking else "warning"
        text = finding_line(finding).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        lines.append(f"::{level} title=weekops {conclusion.document['decision']}::{text}")
    return lines


def conclude(session: GateSession, exitstatus: int) -> Conclusion:
    """Judge the run's records and write every artifact; the journal is closed by the caller afterwards."""
    from pytest_weekops.evidence.judging import judge_records
    from pytest_weekops.report.decision import build_decision, count_records
    from pytest_weekops.report.lanes import render_lanes

    run = session.run
    if run is None:
        raise WeekopsError("There is no run to conclude.")
    run_checks(session)
    verdict = judge_records(
        run.policy,
        run.plan,
        run.records,
        identities=run.identities,
        baselines=run.baselines,
        created_at=run.created_at,
    )
    status = exitstatus if exitstatus in _PYTESTS_OWN else int(verdict.exit_status)
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
        "kernels": hash_kernels(run.kernel_dirs),
        "counts": count_records(run.records, run.plan),
    }
    draft = build_decision(verdict, **facts, artifacts=[])
    lanes = render_lanes(run.records)
    document = _write(
        run_dir, render_summary(verdict, draft, lanes), lambda files: build_decision(verdict, **facts, artifacts=files)
    )
    remarks = [*verdict.notes, *run.notes, *_after(document, run_dir)]
    if session.deselected:
        remarks.append(f"{session.deselected} items were deselected: for the judge they are missing evidence.")
    _tell_junit(session.config, document)
    session.config.hook.pytest_weekops_report(config=session.config, run_dir=run_dir, verdict=verdict)
    return Conclusion(verdict, document, status, run_dir, tuple(remarks), tuple(lanes))


def _tell_junit(config: pytest.Config, document: Mapping[str, Any]) -> None:
    """Put the verdict on the JUnit suite, where that report is on."""
    from _pytest.junitxml import xml_key

    xml = config.stash.get(xml_key, None)
    if xml is not None:
        for name in ("decision", "exit_status", "severity", "run_id", "failed_checks"):
            xml.add_global_property(f"weekops_{name}", str(document[name]))


def _write(run_dir: Path, summary: str, finish: Callable[[list[Any]], dict[str, Any]]) -> dict[str, Any]:
    from pytest_weekops.files.atomic import write_atomic
    from pytest_weekops.report.decision import artifact

    write_atomic(run_dir / "summary.md", summary)
    files = [artifact(run_dir / name, run_dir) for name in ("journal.jsonl", "summary.md")]
    document = finish(files)
    write_atomic(run_dir / "decision.json", json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n")
    return document


def _after(document: Mapping[str, Any], run_dir: Path) -> list[str]:
    """Enter the run into the ledger; what fails there is said, and never turns a verdict around."""
    from pytest_weekops.week.ledger import record_run

    try:
        record_run(run_dir.parent / "ledger.sqlite", {**document, "run_dir": run_dir.name})
    except WeekopsError as error:
        return [f"the ledger did not take this run: {error}"]
    return []


def react(conclusion: Conclusion, mode: str, report_dir: Path, profile_files: Sequence[Path] = ()) -> Conclusion:
    """At SEV1, plan or apply the rollback that ``mode`` asks for, and say what came of it. The verdict stays.

    Only after a weekly or split run, and after its workers are gone: the rollback runs a canonical gate of its own on
    the same devices, and that gate must not roll back in turn.
    """
    if conclusion.exit_status != ExitStatus.ROLLBACK_REQUIRED or mode == "never":
        return conclusion
    if conclusion.verdict.kind == "canonical":
        return conclusion
    from pytest_weekops.rollback.switch import Rollout
    from pytest_weekops.rollback.target import resolve_target

    try:
        keep = mode == "auto"
        target = resolve_target(report_dir, decision=conclusion.document, keep=keep, profile_files=profile_files)
        rollout, verifier = Rollout(report_dir), target.verifier(report_dir)
        if mode == "auto":
            lines = rollout.apply(target.profile, verifier, steps=target.steps, reason=conclusion.run_dir.name).lines
        else:
            plan = rollout.plan(target.profile, verifier, target.steps)
            lines = (f"a rollback to {plan.to_platform} is due; `weekops rollback --apply` does it",)
    except (WeekopsError, OSError, ValueError, RuntimeError) as error:  # the verdict of the run is not lost with it
        lines = (f"the rollback that is due could not be {'applied' if mode == 'auto' else 'planned'}: {error}",)
    return replace(conclusion, remarks=(*conclusion.remarks, *lines))


def run_checks(session: GateSession) -> None:
    """Run users' own checks and journal each as a gate; one that raises has failed."""
    from pytest_weekops.core.measurement.records import GateRecord, Measurement

    run = session.run
    if run is None:
        return
    measurements = [record for record in run.records if isinstance(record, Measurement)]
    for checks in session.config.hook.pytest_weekops_checks(config=session.config):
        for name, check in checks.items():
            try:
                reason = check(run.plan, measurements) or ""
            except Exception as error:  # noqa: BLE001 - a user's check may raise anything, and must not pass by it
                reason = f"the check raised {type(error).__name__}: {error}"
            run.record(GateRecord(gate=name, stage="check", passed=not reason, reason=reason))


def hash_kernels(dirs: tuple[str, ...]) -> dict[str, str]:
    """SHA-256 of every kernel and operation file that could have been used, by directory name and file name."""
    found: dict[str, str] = {}
    for directory in dirs:
        for path in sorted(Path(directory).glob("*")):
            if path.suffix in (".cl", ".clh", ".h", ".yaml", ".py"):
                name = f"{path.parent.name}/{path.name}"
                found.setdefault(name, hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def _short(path: Path, config: pytest.Config) -> str:
    try:
        return str(path.relative_to(config.rootpath))
    except ValueError:
        return str(path)
