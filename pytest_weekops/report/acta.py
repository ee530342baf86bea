"""The acta: a week's decision document as minutes for people. Strings from runs are escaped; nothing is added."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_weekops.report.markdown import code, escape, markdown_table
from pytest_weekops.report.table import rose_beyond_belief


def render_acta(document: Mapping[str, Any]) -> str:
    """The acta as Markdown. Every number is the document's own, with the ledger record or file it comes from."""
    return "\n".join([*_head(document), *_runs(document), *_tracks(document), *_end(document), ""])


def _head(document: Mapping[str, Any]) -> Iterator[str]:
    scope, severity = document["scope"], document["severity"]
    yield f"# Week {document['review_id']}: {document['block_decision']}"
    yield ""
    yield f"- closed: {document['closed_at']}, {scope['from']} to {scope['to']}"
    yield f"- decision: **{document['block_decision']}**. {escape(document['block_rationale'])}"
    due = f", due {severity['deadline']}" if severity["deadline"] else ""
    yield f"- severity: SEV{severity['level']}, owner {escape(severity['owner'])}{due}: {escape(severity['action'])}"
    yield f"- channel: {document['channel']['state']} since {escape(document['channel']['since'] or 'the beginning')}"
    platforms, sizes = ", ".join(scope["platforms"]) or "none", ", ".join(map(str, scope["sizes"])) or "none"
    yield f"- platforms: {escape(platforms)}; sizes: {sizes}"
    yield f"- policies: {escape('; '.join(scope['policies']))}"
    counts = [f"{key.replace('_', ' ')} {value}" for key, value in document["summary"].items()]
    yield f"- summary: {', '.join(counts)}"
    yield f"- ledger: {document['ledger']['records']} records, head {code(str(document['ledger']['head']))}"
    before = document["depends_on"]
    words = f"{before['week']}, {code(str(before['path']))}, sha256 {before['sha256']}" if before else "no earlier week"
    yield f"- depends on: {words}"


def _runs(document: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## What was run", "")
    attempts = document["attempts"]
    if not attempts:
        yield "Nothing."
        return
    names = ("attempt", "decision", "severity", "exit status", "run", "ledger record", "failed checks")
    yield from markdown_table(names, [_attempt(attempt) for attempt in attempts], numbers=(3, 5))
    for attempt in attempts:
        yield from ("", f"### {escape(attempt['kind'])} attempt {attempt['n']}", "")
        yield f"- command: {code(shlex.join(attempt['command']))}"
        counts = ", ".join(f"{escape(key)} {value}" for key, value in attempt["counts"].items())
        yield f"- counts: {counts or 'none'}"
        for label, driver in attempt["drivers"].items():
            yield f"- driver of {escape(label)}: {escape(driver)}"
        yield from _findings(attempt["findings"])
        for text in attempt["weaker_than_before"]:
            yield f"- weaker than the attempt before: {escape(text)}"
        for text in attempt["changed"]:
            yield f"- changed: {escape(text)}"
        yield from _results(attempt["results"])


def _attempt(attempt: Mapping[str, Any]) -> tuple[object, ...]:
    checks = ", ".join(attempt["failed_checks"])
    named = f"{attempt['kind']} {attempt['n']}"
    level, status = f"SEV{attempt['severity']}", attempt["exit_status"]
    return (named, attempt["decision"], level, status, attempt["run_id"], attempt["ledger_record"], checks or "none")


# What a result may say of a cell or of a comparison.
_COLUMNS = (
    ("GFLOPS", "mean_gflops"),
    ("GB/s", "mean_gbs"),
    ("p95 ms", "p95_ms"),
    ("drift %", "drift_percent"),
    ("launches", "launches"),
    ("ratio", "ratio"),
    ("p95 ratio", "latency_ratio"),
)


def _results(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Cells, and comparisons of a split, with their numbers; a column that no row has is left out."""
    if not rows:
        return
    taken = [(name, key) for name, key in _COLUMNS if any(_value(row, key) is not None for row in rows)]
    lines = [
        (_cell(row), *(_said(_value(row, key)) for _name, key in taken), row.get("status", "unknown")) for row in rows
    ]
    yield ""
    names = ("cell", *(name for name, _key in taken), "status")
    yield from markdown_table(names, lines, numbers=range(1, len(taken) + 1))


def _cell(row: Mapping[str, Any]) -> str:
    cell = " ".join(str(row[key]) for key in ("platform", "kernel", "size") if key in row)
    return f"{cell} seed {row['seed']}" if "seed" in row else cell


def _said(value: object) -> object:
    return "-" if value is None else value


def _value(row: Mapping[str, Any], key: str) -> object:
    """A number of a row; the throughput in its own unit alone, and no drift that nobody would believe."""
    by_memory = row.get("unit", "GFLOPS") == "GB/s"
    if key in ("mean_gflops", "mean_gbs") and by_memory != (key == "mean_gbs"):
        return None
    if key == "drift_percent" and rose_beyond_belief(row):
        return None
    return row.get(key)


def _findings(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each finding that does not pass in its own words, and the numbers of those that do in one line."""
    for finding in findings:
        if finding.get("status") != "pass":
            words = f"{finding.get('check')} {finding.get('status')}{_measured(finding)}: {finding.get('message', '')}"
            yield f"- finding: {escape(words)}"
        elif finding.get("check") == "expected_faults" and finding.get("observed"):
            yield f"- known faults: {escape(str(finding.get('message', '')))}"
        elif finding.get("check") == "conformance_evidence":
            yield f"- what others have tested: {escape(str(finding.get('message', '')))}"
    passed = [f for f in findings if f.get("status") == "pass" and f.get("observed")]  # not: none of none allowed
    held = [f"{f.get('check')}{_measured(f)}" for f in passed]
    if held:
        yield f"- held: {escape('; '.join(held))}"


def _measured(finding: Mapping[str, Any]) -> str:
    observed, required = (finding.get(name) for name in ("observed", "required"))
    if observed is None:
        return ""
    return f" {observed}" + ("" if required is None else f" (required {required})")


def _tracks(document: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## Decision per track", "")
    for name, track in document["tracks"].items():
        yield f"- {name}: **{track['decision']}**. {escape(track['rationale'])}"
        for file in track["evidence"]:
            state = "" if file.get("intact", True) else " (NOT as recorded)"
            yield f"  - {code(str(file['path']))} sha256 {escape(file['sha256'] or 'unreadable')}{state}"
    rehearsal = document["last_rehearsal"]
    if rehearsal is None:
        yield "- last rehearsal of the rollback: never"
    else:
        outcome = "verified" if rehearsal["verified"] else "NOT verified"
        yield (
            f"- last rehearsal of the rollback: {escape(rehearsal['at'])}, {escape(rehearsal['seconds'])} s, {outcome} "
            f"(ledger record {rehearsal['ledger_record']})"
        )


def _end(document: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## Findings about the evidence", "")
    yield from [f"- {escape(text)}" for text in document["findings"]] or ["None."]
    yield from ("", "## What lifts the block", "")
    yield from [f"- {escape(text)}" for text in document["lifted_by"]] or ["Nothing stands open in the channel."]
    yield from ("", "## What is owed", "")
    carried = set(document["carried_over"])
    for action in document["open_actions"]:
        origin = " (carried over)" if action["id"] in carried else ""
        due = f", due {action['due']}" if action["due"] else ""
        yield f"- {escape(action['id'])}{origin}: {escape(action['text'])}; owner {escape(action['owner'])}{due}"
    if not document["open_actions"]:
        yield "Nothing."
