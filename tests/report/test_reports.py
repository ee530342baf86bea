"""Reports: tables that fit 80 columns, text that cannot break out of Markdown, a decision that cannot overstate."""

from __future__ import annotations

import io
import math

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.judge.finding import CheckStatus, Decision, Finding, Severity, Verdict
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.report.decision import build_decision, schema
from pytest_weekops.report.markdown import escape
from pytest_weekops.report.saying import say, wrapped
from pytest_weekops.report.summary import next_step, render_summary, sort_findings
from pytest_weekops.report.table import number, render_table

PLAN = CampaignPlan(kind="weekly", platforms=("pocl",), kernels=("auto",), sizes=(64,), seeds=(11,))


def verdict(*findings: Finding, decision: Decision = Decision.PROMOTE) -> Verdict:
    """A verdict with these findings."""
    return Verdict(
        kind="weekly",
        rules="strict",
        decision=decision,
        findings=findings,
        severity=Severity.SEV4,
        owner="owner",
        respond_within_minutes=1440,
        action="record",
        policy_id="p",
        policy_sha256="0" * 64,
    )


def decide(of: Verdict, exit_status: int) -> dict[str, object]:
    """A decision document of an otherwise empty run."""
    return build_decision(
        of,
        run_id="r",
        created_at="2026-01-01T00:00:00+00:00",
        command=["pytest"],
        exit_status=exit_status,
        plan=PLAN,
        policy={},
        identities={},
        kernels={},
        counts={"planned": 6},
        artifacts=[],
    )


@pytest.mark.parametrize("exit_status", [1, 2, 3, 4, 5, 10, 11])
def test_a_promote_with_a_bad_exit_status_is_an_iterate(exit_status: int) -> None:
    """The decision is promote only where verdict and process agree."""
    document = decide(verdict(), exit_status)
    assert document["decision"] == "iterate"
    jsonschema.Draft202012Validator(schema()).validate(document)


def test_the_schema_refuses_a_promote_that_contradicts_itself() -> None:
    """A promote with failed checks or a status other than 0 is invalid."""
    document = decide(verdict(), 0)
    validator = jsonschema.Draft202012Validator(schema())
    assert validator.is_valid(document)
    assert not validator.is_valid({**document, "exit_status": 1})
    assert not validator.is_valid({**document, "failed_checks": ["all_runs_success"]})


@given(st.floats() | st.none() | st.booleans())
def test_every_number_renders(value: float | None) -> None:
    """Nothing that is no finite number looks like one."""
    text = number(value)
    if isinstance(value, bool) or value is None:
        assert text == "-"
    elif math.isnan(value):
        assert text == "NaN"
    else:
        assert text


def test_the_table_fits_a_terminal() -> None:
    """Rows with the longest usual names stay within 80 columns, and every column begins where its rule does."""
    row = {
        "platform": "pocl-embedded",
        "kernel": "auto_t3_controlled",
        "size": 3072,
        "mean_gflops": 1234.5,
        "median_ms": 1234.567,
        "p95_ms": 2345.678,
        "drift_percent": -12.34,
        "status": "pass",
        "limits": "",
    }
    head, rule, *body = render_table("weekly", [row, {**row, "kernel": "auto", "size": 96}])
    assert max(map(len, (head, rule, *body))) <= 80
    starts = [place for place, c in enumerate(rule) if c == "-" and rule[place - 1 : place] != "-"]
    for line in (head, *body):
        assert all(place == 0 or line[place - 1] == " " for place in starts), line


def test_what_a_clock_did_is_said_where_it_is_not_clear_beside_whom() -> None:
    """A row of the table is enough beside one driver; the driver in service is what a limit speaks of."""
    clock = {"platform": "reference", "kernel": "auto", "size": 96, "partner": "reference", "limits": "beside pocl"}
    mine, other = ({**clock, "platform": name, "partner": "", "limits": ""} for name in ("pocl", "intel"))
    assert not [line for line in render_table("weekly", [mine, clock]) if "beside pocl" in line]
    for rows in ([mine, other, clock], [mine, {**clock, "partner": "service"}]):
        assert [line for line in render_table("weekly", rows) if "beside pocl" in line] == [
            "  reference auto 96: beside pocl"
        ]


@given(st.text())
def test_no_text_leaves_its_line(text: str) -> None:
    """Text from outside stays on one line and has no unescaped markup."""
    safe = escape(text)
    assert "\n" not in safe
    assert "<" not in safe.replace("\\<", "")
    assert "|" not in safe.replace("\\|", "")


def test_findings_come_worst_first() -> None:
    """Severity orders the findings; passed ones are left out."""
    findings = tuple(
        Finding(check=f"c{level}", status=CheckStatus.FAIL, reason_code="x", message="m", severity=Severity(level))
        for level in (3, 1, 2)
    )
    passed = Finding(check="ok", status=CheckStatus.PASS, reason_code="ok", message="m")
    assert [f.check for f in sort_findings((*findings, passed))] == ["c1", "c2", "c3"]


def test_the_summary_names_verdict_policy_and_next_step() -> None:
    """The summary holds what somebody who was not there must know."""
    text = render_summary(verdict(), decide(verdict(), 0))
    assert "**promote**" in text
    assert "exit status 0" in text
    assert "weekops baseline pin RUN" in text


@pytest.mark.parametrize(("kind", "pins"), [("weekly", True), ("split", False), ("canonical", False)])
def test_only_what_can_be_pinned_is_told_to_be(kind: str, *, pins: bool) -> None:
    """`weekops baseline pin` refuses any but a weekly run, so after those nobody is sent there."""
    assert ("weekops baseline pin RUN" in next_step(0, kind)) == pins
    assert next_step(1, kind) == next_step(1)


@given(st.text(max_size=300))
def test_a_wrapped_line_keeps_its_words(text: str) -> None:
    """No word is lost or cut, no line is long unless one word is, and no break of the text's own is left."""
    lines = wrapped(text)
    assert " ".join(lines).split() == text.split()
    assert all(len(line) < 80 or len(line.split()) == 1 for line in lines)
    assert all(len(line.splitlines()) <= 1 for line in lines)


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and has no file behind it."""

    def isatty(self) -> bool:
        """It says so."""
        return True


def test_a_terminal_gets_lines_of_its_width_and_a_log_gets_them_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between words, deeper than they began; what is not a terminal has each reason in one line, for grep."""
    line = "  why: " + "the candidate was slower than its floor, " * 5
    terminal, narrow, log = Terminal(), Terminal(), io.StringIO()
    monkeypatch.delenv("COLUMNS", raising=False)
    say(line, terminal)
    say(line, log)
    monkeypatch.setenv("COLUMNS", "40")
    say(line, narrow)
    say(line, whole := Terminal(), whole=True)
    assert log.getvalue() == whole.getvalue() == line + "\n"
    for stream, width in ((terminal, 79), (narrow, 39)):
        lines = stream.getvalue().splitlines()
        assert max(map(len, lines)) <= width
        assert all(each.startswith("      ") for each in lines[1:])
        assert " ".join(" ".join(lines).split()) == " ".join(line.split())


def test_the_reasons_below_the_table_fit_80_columns() -> None:
    """A cell that is far below its floors, and a ratio with a long reason: whole, in lines of their own."""
    limits = "1.9675 GFLOPS below the floor 843.79; p95 2929.9 ms above 6.5395"
    cell = {"platform": "clover", "kernel": "auto_t3_controlled", "size": 1400, "mean_gflops": 1.97, "limits": limits}
    ratio = {"kernel": "auto_t3_controlled", "size": 1400, "seed": 412, "ratio": 0.5, "reason": "0.500 of 0.85, " * 9}
    lines = render_table("split", [cell, ratio])
    assert all(len(line) < 80 for line in lines), lines
    words = " ".join(" ".join(lines).split())
    assert limits in words
    assert words.count("0.500 of 0.85,") == 9
