"""The acta: a week's decision document as minutes for people. Strings from runs are escaped; nothing is added."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_weekops.report.summary import code, escape
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
    for attempt in document["attempts"]:
        checks = f"; failed: {escape(', '.join(attempt['failed_checks']))}" if attempt["failed_checks"] else ""
        yield (
            f"- {escape(attempt['kind'])} attempt {attempt['n']}: **{escape(attempt['decision'])}**, "
            f"SEV{attempt['severity']}, exit status {attempt['exit_status']}, run {escape(attempt['run_id'])} "
            f"(ledger record {attempt['ledger_record']}){checks}"
        )
        yield f"  - command: {code(shlex.join(attempt['command']))}"
        counts = ", ".join(f"{escape(key)} {value}" for key, value in attempt["counts"].items())
        yield f"  - counts: {counts or 'none'}"
        for label, driver in attempt["drivers"].items():
            yield f"  - driver of {escape(label)}: {escape(driver)}"
        yield from (f"  - result: {_result(row)}" for row in attempt["results"])
        yield from _findings(attempt["findings"])
        for text in attempt["weaker_than_before"]:
            yield f"  - weaker than the attempt before: {escape(text)}"
        for text in attempt["changed"]:
            yield f"  - changed: {escape(text)}"


def _result(row: Mapping[str, Any]) -> str:
    """One cell, or one comparison of a split, with its numbers."""
    cell = " ".join(str(row[key]) for key in ("platform", "kernel", "size") if key in row)
    seed = f" seed {row['seed']}" if "seed" in row else ""
    unit = row.get("unit", "GFLOPS")
    throughput = row.get("mean_gbs" if unit == "GB/s" else "mean_gflops")
    numbers = [
        (throughput, "", f" {unit}"),
        (row.get("p95_ms"), "p95 ", " ms"),
        (None if rose_beyond_belief(row) else row.get("drift_percent"), "drift ", " %"),
        (row.get("launches"), "", " launches"),
        (row.get("ratio"), "ratio ", ""),
        (row.get("latency_ratio"), "p95 ratio ", ""),
    ]
    said = [f"{before}{value}{after}" for value, before, after in numbers if value is not None]
    return f"{escape(cell + seed)}: {escape(', '.join([*said, str(row.get('status', 'unknown'))]))}"


def _findings(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each finding that does not pass in its own words, and the numbers of those that do in one line."""
    for finding in findings:
        if finding.get("status") != "pass":
            words = f"{finding.get('check')} {finding.get('status')}{_measured(finding)}: {finding.get('message', '')}"
            yield f"  - finding: {escape(words)}"
        elif finding.get("check") == "expected_faults" and finding.get("observed"):
            yield f"  - known faults: {escape(str(finding.get('message', '')))}"
    passed = [f for f in findings if f.get("status") == "pass" and f.get("observed")]  # not: none of none allowed
    held = [f"{f.get('check')}{_measured(f)}" for f in passed]
    if held:
        yield f"  - held: {escape('; '.join(held))}"


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
