"""A run as JUnit XML: gates, pressure, cases and the verdict, so that CI shows what was measured and what was not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from pytest_weekops.core.judge.finding import CheckStatus, Verdict
from pytest_weekops.core.measurement.records import UNTRIED, GateRecord, Measurement, MeasurementStatus, PressureRecord
from pytest_weekops.report.conformance import CHECKS, changed_tests
from pytest_weekops.report.saying import plain
from pytest_weekops.report.summary import finding_line, sort_findings, verdict_words

_TOLD = ("decision", "exit_status", "severity", "run_id", "failed_checks")


def render_junit(
    verdict: Verdict, document: Mapping[str, Any], records: Sequence[object], missing: Sequence[str] = ()
) -> str:
    """The document as XML. ``missing`` are ids of planned cases that have no record: each is an error, not a pass."""
    suite = ET.Element("testsuite", name="weekops", timestamp=plain(str(document["created_at"])))
    told = ET.SubElement(suite, "properties")
    for name in _TOLD:
        ET.SubElement(told, "property", name=f"weekops_{name}", value=plain(str(document[name])))
    known = verdict.known_faults
    holds = any(f.check == "canonical_gate" and f.status is CheckStatus.PASS for f in verdict.findings)
    told_of = (case for record in records for case in _case(record, known, gates_hold=holds))
    cases = [*told_of, *map(_missing, missing), *_conformance(verdict)]
    suite.extend([*cases, _verdict(verdict, document)])
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in suite)))
    suite.set("tests", str(len(suite) - 1))
    suite.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(record: object, known: Mapping[tuple[str, str, int], str], *, gates_hold: bool) -> Iterator[ET.Element]:
    """The test case of a record; none where it does not stand for one, as a void measurement.

    ``gates_hold``: a gate that failed all the same did so by known faults alone.
    """
    if isinstance(record, GateRecord):
        problem = "" if record.passed else record.reason or "no reason given"
        is_let_off = record.stage not in ("suite", "check") and gates_hold
        yield _ended("gate", record.key, problem, tag="skipped" if is_let_off else "failure")
    elif isinstance(record, PressureRecord):
        done = record.completed == record.requested and not record.failures
        words = f"{record.completed} of {record.requested} pulses; {', '.join(record.errors)}"
        yield _ended("pressure", f"{record.platform}-s{record.snapshot}", "" if done else words)
    elif isinstance(record, Measurement) and not record.void:
        case = record.case
        yield _measurement(record, known.get((case.platform, case.kernel, case.size), ""))


def _conformance(verdict: Verdict) -> Iterator[ET.Element]:
    """A case for each check on what others have tested that speaks of no single test, and one for each changed test."""
    for finding in verdict.findings:
        if finding.check.startswith(CHECKS) and (not finding.details or finding.check == "conformance_evidence"):
            good = finding.status is CheckStatus.PASS
            tag = "error" if finding.status is CheckStatus.NO_DATA else "failure"
            yield _ended("conformance", finding.check, "" if good else finding.message, tag=tag)
    for one in changed_tests(verdict):
        words = f"{one['before'] or 'absent'}, now {one['after'] or 'absent'}"
        words = f"known, {one['why']}: {words}" if one.get("why") else f"{one['kind']}: {words}"
        yield _ended(
            f"conformance.{one['suite']}.{one['platform']}",
            one["test"],
            "" if one["kind"] == "fixed" else words,
            tag="failure" if one["held"] else "skipped",
            text=str(one.get("output", "")),
        )


def _measurement(record: Measurement, expected: str) -> ET.Element:
    good = record.status is MeasurementStatus.OK and not record.flaky
    words = f"{'flaky' if record.flaky else record.status.value}: {record.reason}"
    words = f"expected ({expected}): {words}" if expected else words
    tag = "skipped" if record.status in UNTRIED or expected else "failure"
    case = _ended("case", record.case.id, "" if good else words, tag=tag)
    case.set("time", f"{record.elapsed_s:.3f}")
    return case


def _missing(name: str) -> ET.Element:
    return _ended("case", name, "planned and not measured", tag="error")


def _verdict(verdict: Verdict, document: Mapping[str, Any]) -> ET.Element:
    lines = "\n".join(finding_line(finding) for finding in sort_findings(verdict.findings))
    decision = document["decision"]
    words = "" if decision == "promote" else f"{verdict_words(document)}: {decision}"
    return _ended("verdict", document["kind"], words, text=lines)


def _ended(what: str, name: str, problem: str, *, tag: str = "failure", text: str = "") -> ET.Element:
    case = ET.Element("testcase", classname=f"weekops.{what}", name=plain(name))
    if problem:
        child = ET.SubElement(case, tag, message=plain(" ".join(problem.split())))
        child.text = "\n".join(map(plain, text.splitlines())) or None
    return case
