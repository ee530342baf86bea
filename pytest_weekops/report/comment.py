"""A verdict as short Markdown for a merge request or a CI job's page: what came of it, in tables that are rendered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.report.certainty import certainty_lines
from pytest_weekops.report.markdown import code, escape, markdown_table
from pytest_weekops.report.summary import finding_line, next_step, sort_findings, verdict_words
from pytest_weekops.report.table import tables

_MOST_FINDINGS, _MOST_ROWS, _LONGEST = 12, 60, 600


def render_comment(verdict: Verdict, document: Mapping[str, Any]) -> str:
    """The comment. Every text that came from outside is escaped, and none of it calls anybody by name."""
    return "\n".join([*_head(verdict, document), *_results(verdict), *_findings(verdict), *_end(verdict, document), ""])


def _quiet(text: object) -> str:
    """Escaped text in which an ``@`` notifies nobody, and which ends somewhere."""
    return _unnamed(escape(_cut(text)))


def _cut(text: object) -> str:
    words = str(text)
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."


def _unnamed(words: str) -> str:
    return words.replace("@", "@\N{ZERO WIDTH SPACE}")


def _head(verdict: Verdict, document: Mapping[str, Any]) -> Iterator[str]:
    said = f"SEV{document['severity']}, exit status {document['exit_status']}"
    yield f"### {verdict_words(document)}: {document['decision']} ({said})"
    yield ""
    yield f"{document['kind']} run {code(str(document['run_id']))}, policy {_quiet(verdict.policy_id)}"
    for label, identity in document["identities"].items():
        words = f"{label}: {identity['platform_name']} {identity['driver_version']} on {identity['device_name']}"
        yield f"- {_quiet(words)}, library sha256 `{str(identity['library_sha256'])[:16]}`"


def _results(verdict: Verdict) -> Iterator[str]:
    for table in tables(verdict.kind, verdict.rows):
        yield ""
        texts = [[_cut(text) for text in line] for line in table.lines]
        names = [name for name, _align in table.columns]
        for line in markdown_table(names, texts, numbers=table.numbers, most=_MOST_ROWS):
            yield _unnamed(line)


def _findings(verdict: Verdict) -> Iterator[str]:
    found = sort_findings(verdict.findings)
    yield ""
    if not found:
        yield f"Each of {len(verdict.findings)} checks passed."
    yield from (f"- {_quiet(finding_line(finding))}" for finding in found[:_MOST_FINDINGS])
    if len(found) > _MOST_FINDINGS:
        yield f"- and {len(found) - _MOST_FINDINGS} more"


def _end(verdict: Verdict, document: Mapping[str, Any]) -> Iterator[str]:
    told: Sequence[str] = (*certainty_lines(verdict), *(f"left out: {words}" for words in verdict.left_out))
    yield ""
    yield from (f"- {_quiet(words)}" for words in (*told, *verdict.notes))
    yield ""
    if document["decision"] != "promote":
        owner = f"{verdict.owner}, within {verdict.respond_within_minutes} minutes: {verdict.action}"
        yield f"Owner: {_quiet(owner)}."
        yield ""
    yield next_step(document["exit_status"], verdict.kind)
