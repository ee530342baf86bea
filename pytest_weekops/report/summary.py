"""The Markdown summary of a run: the same facts as the terminal, for people who were not there."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_weekops.core.judge.drivers import files_apart
from pytest_weekops.core.judge.finding import CheckStatus, ExitStatus, Finding, Verdict
from pytest_weekops.core.measurement.driver_files import DriverFile
from pytest_weekops.report.certainty import certainty_lines
from pytest_weekops.report.conformance import conformance_lines
from pytest_weekops.report.markdown import code, escape, markdown_table
from pytest_weekops.report.table import remark_lines, tables

NEXT_STEPS = {
    0: "Nothing is owed. `weekops baseline pin RUN`, RUN being this run's directory, makes it the device's baseline.",
    1: "Read the findings from the top, fix what they name, and run the same command again.",
    2: "The run was interrupted; the journal holds what was measured. Run the same command again; with "
    "`--resume RUN`, RUN being this run's directory, it measures only what is missing.",
    10: "Roll back: `weekops rollback` shows what would be done, `weekops rollback --apply` does it.",
    11: "The evidence does not suffice. Add what the findings ask for, let nothing else run where measurements are "
    "void, and run again.",
}
# Of a promote that is no weekly run; only that one can be pinned.
_NEXT_OF_KIND = {
    "canonical": "This machine and these kernels are sane. Whether a driver may be promoted, the weekly replay "
    "(suites/weekly) says.",
    "split": "Nothing is owed. `weekops status` shows what the channel makes of it.",
}


def next_step(exit_status: int, kind: str = "weekly") -> str:
    """What to do after this exit status of a run of this kind."""
    if exit_status == 0 and kind in _NEXT_OF_KIND:
        return _NEXT_OF_KIND[kind]
    return NEXT_STEPS.get(exit_status, "This is not a promote. Read the messages above and run again.")


def verdict_words(document: Mapping[str, Any]) -> str:
    """How to announce the verdict of a decision: of a run that was interrupted it speaks of a part only."""
    counts = document["counts"]
    if document["exit_status"] != ExitStatus.INTERRUPTED:
        return "verdict"
    part = f" on {counts['measured']} of {counts['planned']} cases" if counts.get("planned") else ""
    return f"partial verdict{part}"


def sort_findings(findings: tuple[Finding, ...]) -> list[Finding]:
    """Findings that are not passed, worst severity first, otherwise in the judge's order."""
    open_ones = [finding for finding in findings if finding.status is not CheckStatus.PASS]
    return sorted(open_ones, key=lambda finding: (not finding.blocking, finding.severity or 4))


def finding_line(finding: Finding) -> str:
    """One finding in one line."""
    level = f"SEV{int(finding.severity)}" if finding.severity else "info"
    note = "" if finding.blocking else " (does not block)"
    return f"{level} {finding.check} {finding.status.value}: {finding.message}{note}"


def verdict_line(
    verdict: Verdict, decision: str, severity: int, exit_status: int, *, announced: str = "verdict"
) -> str:
    """The verdict in one sentence, with what it leaves out; ``announced`` as :func:`verdict_words` has it."""
    words = f"{announced}: {decision} (SEV{severity}), exit status {exit_status}"
    return f"{words}; it leaves out {'; '.join(verdict.left_out)}" if verdict.left_out else words


def _session(plan: Mapping[str, Any]) -> str:
    return f"at least {plan['iterations']} launches and {plan['session_ms']:g} ms"


def _below(identity: Mapping[str, Any], listing: Mapping[str, Any] | None) -> list[str]:
    """What a driver consists of and stands on, where the run looked at that."""
    lines = []
    if listing:
        lines.append(
            f"{len(listing['files'])} files, together sha256 {listing['sha256'][:16]}; decision.json lists them"
        )
    if identity.get("answered_by"):
        lines.append(f"calls are answered by {escape(identity['answered_by'])}")
    if kernel := identity.get("kernel"):
        told = {**kernel["drivers"], **kernel["firmware"]}
        words = ", ".join(f"{key} {value or 'without a version'}" for key, value in told.items())
        lines.append(f"kernel {escape(kernel['release'])}, {escape(words) or 'no kernel driver or firmware told'}")
    return lines


def _apart(plan: Mapping[str, Any], listings: Mapping[str, Any]) -> tuple[str, ...]:
    """What the drivers of a split share and what each has for itself, where the run looked at both."""
    base, candidate = str(plan.get("baseline_platform")), str(plan.get("candidate_platform"))
    if base not in listings or candidate not in listings:
        return ()
    sides = [tuple(map(DriverFile.model_validate, listings[name]["files"])) for name in (base, candidate)]
    return files_apart((base, candidate), (sides[0], sides[1]))


def _snapshots(verdict: Verdict, plan: Mapping[str, Any]) -> str:
    if verdict.certainty is None:
        return str(plan["snapshots"])
    looks = ", ".join(map(str, plan["looks"]))
    return f"{verdict.certainty.snapshots} of at most {plan['snapshots']}, with looks after {looks}"


def _results(verdict: Verdict, lanes: Sequence[str]) -> list[str]:
    """The tables of the terminal as tables, what is to be said of single rows below them, and the lanes."""
    found = tables(verdict.kind, verdict.rows)
    lines = ["", "## Results"] if found else []
    for table in found:
        lines += ["", *markdown_table([name for name, _align in table.columns], table.lines, numbers=table.numbers)]
    said = [f"- {escape(words)}" for table in found for words in remark_lines(table)]
    said += [f"- {escape(words)}" for words in lanes]
    return [*lines, "", *said] if said and found else lines


def render_summary(verdict: Verdict, document: Mapping[str, Any], lanes: Sequence[str] = ()) -> str:
    """The summary as Markdown, ``lanes`` below its table; every string that came from outside is escaped."""
    plan = document["plan"]
    decision, status = document["decision"], document["exit_status"]
    lines = [
        f"# {document['decision']}: {document['kind']} run {escape(document['run_id'])}",
        "",
        f"- {verdict_words(document)}: **{decision}**, SEV{document['severity']}, exit status {status}",
        f"- owner: {escape(verdict.owner)}, within {verdict.respond_within_minutes} minutes: {escape(verdict.action)}",
        f"- policy: {escape(verdict.policy_id)} (sha256 {verdict.policy_sha256[:16]})",
        f"- made: {document['created_at']} with {code(shlex.join(document['command']))}",
        f"- plan: sizes {plan['sizes']}, seeds {plan['seeds']}, kernels {plan['kernels']}",
        f"- snapshots: {_snapshots(verdict, plan)}, per case {plan['sessions']} sessions of {_session(plan)}",
        *(f"- {each}" for each in certainty_lines(verdict)),
        f"- counts: {', '.join(f'{key} {value}' for key, value in document['counts'].items())}",
        "",
        "## Drivers",
        "",
    ]
    for label, identity in document["identities"].items():
        lines.append(
            f"- {escape(label)}: {escape(identity['platform_name'])}, {escape(identity['platform_version'])}, "
            f"{escape(identity['device_name'])}, driver {escape(identity['driver_version'])}, "
            f"library {escape(identity['library'])} sha256 {identity['library_sha256'][:16]}"
        )
        lines += [f"  - {words}" for words in _below(identity, document.get("driver_files", {}).get(label))]
    lines += [f"- {escape(words)}" for words in _apart(plan, document.get("driver_files", {}))]
    lines += _results(verdict, lanes)
    if tested := conformance_lines(verdict):
        lines += ["", "## What others have tested", "", *(f"- {escape(words)}" for words in tested)]
    lines += ["", "## Findings", ""]
    found = sort_findings(verdict.findings)
    lines += [f"- {escape(finding_line(finding))}" for finding in found] or ["Every check passed."]
    lines += [f"- left out: {escape(words)}" for words in verdict.left_out]
    lines += [f"- note: {escape(note)}" for note in verdict.notes]
    lines += ["", "## Next", "", next_step(document["exit_status"], verdict.kind), ""]
    return "\n".join(lines)
