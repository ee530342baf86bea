"""What others have tested, as people and CI systems read it: what got worse first, many tests as a group."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.measurement.known_test import KnownTest
from pytest_weekops.report.acta import _findings
from pytest_weekops.report.conformance import changed_tests, conformance_lines
from pytest_weekops.report.junit import render_junit
from tests.core.judge.test_conformance import KNOWN, POLICY, records, verdict_on
from tests.support.conformance import HEALTHY, results

DOCUMENT: dict[str, Any] = {
    "created_at": "2026-11-24T12:00:00+00:00",
    "decision": "iterate",
    "exit_status": 10,
    "severity": 1,
    "run_id": "weekly-2",
    "failed_checks": ["conformance_crashes"],
    "kind": "weekly",
    "counts": {},
}


def broken(**statuses: str) -> Verdict:
    """A driver that crashes in a test, fails eleven, has one known failure and got better in one."""
    many = {f"many@{number:02}": "fail" for number in range(11)}
    before = {**HEALTHY, **dict.fromkeys(many, "pass"), "program@five": "fail"}
    after = {**HEALTHY, **many, "api@one": "fail", "api@two": "crash", "program@five": "pass", **statuses}
    mine = results(after)
    told = {"output": "SIGSEGV\nin <the> compiler"}
    tests = tuple(one.model_copy(update=told) if one.status == "crash" else one for one in mine.tests)
    found = records({"results": mine.model_copy(update={"tests": tests})}, {"results": results(before)})
    return verdict_on(found, known_tests=(KnownTest.model_validate(KNOWN),))


def test_what_got_worse_comes_first_and_many_are_a_group() -> None:
    """With the first lines of output of what is held; old failures last."""
    verdict = broken()
    lines = conformance_lines(verdict)
    assert lines[0].startswith("piglit on pocl (cl-1): 13 fail, 1 crash, 1 skip, 1 pass, held against pocl 1 of")
    assert lines[1:] == [
        "1 of piglit on pocl crash and did not before: api@two",
        "  api@two: SIGSEGV / in <the> compiler",
        f"11 of piglit on pocl fail and did not before: {', '.join(f'many@{n:02}' for n in range(8))} and 3 more",
        "1 of piglit on pocl are known: api@one (expected until 2026-12-31 (upstream bug 7; compute team))",
        "1 of piglit on pocl failed before as well: program@three",
        "1 of piglit on pocl are better than before: program@five",
    ]
    assert conformance_lines(verdict_on([], evidence=())) == []


def test_junit_has_a_case_for_each_test_that_is_not_in_order() -> None:
    """Failures are what is held, old and known ones are skipped with the reason, and what is lacking is an error."""
    root = ET.fromstring(render_junit(broken(), DOCUMENT, []))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    held = [name for name, case in cases.items() if case.find("failure") is not None and "@" in str(name)]
    assert held == ["api@two", *(f"many@{number:02}" for number in range(11))]
    crash = cases["api@two"]
    assert crash.get("classname") == "weekops.conformance.piglit.pocl"
    (failure,) = crash
    assert (failure.get("message"), failure.text) == ("crash: pass, now crash", "SIGSEGV\nin <the> compiler")
    for name, words in (("api@one", "known, expected until"), ("program@three", "old: fail, now fail")):
        (skipped,) = cases[name]
        assert (skipped.tag, str(skipped.get("message")).startswith(words)) == ("skipped", True)
    assert len(cases["program@five"]) == 0
    assert len(cases["conformance_evidence"]) == 0
    root = ET.fromstring(render_junit(verdict_on([]), DOCUMENT, []))
    (lacking,) = (case for case in root.iter("testcase") if case.get("name") == "conformance_evidence")
    assert lacking.find("error") is not None


def test_a_flaky_test_that_the_policy_allows_is_no_failure() -> None:
    """The verdict promotes, and so does what CI shows."""
    loose = POLICY.model_validate({**POLICY.effective(), "conformance": {"max_new_flaky": 1}})
    verdict = verdict_on(records({"results": results({**HEALTHY, "api@one": "flaky"})}), policy=loose)
    assert next((one["test"], one["held"]) for one in changed_tests(verdict)) == ("api@one", False)
    root = ET.fromstring(render_junit(verdict, {**DOCUMENT, "decision": "promote"}, []))
    assert not list(root.iter("failure"))


def test_the_acta_says_what_was_taken_in() -> None:
    """In the words of the finding, whether it passed or not."""
    for verdict in (broken(), verdict_on([])):
        found = [one.model_dump(mode="json") for one in verdict.findings if one.check == "conformance_evidence"]
        (line, *_held) = _findings(found)
        assert "piglit on pocl" in line
