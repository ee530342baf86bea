"""What the page shows is what the judge said: no number differs between page, terminal, Markdown and JSON."""

from __future__ import annotations

import json
import math
import statistics
from functools import cache
from pathlib import Path

import pytest

from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.measurement.plan import Partner
from pytest_weekops.core.measurement.records import GateRecord, LookRecord, Measurement, MeasurementStatus
from pytest_weekops.evidence.artifacts import RunFacts, judged_anew
from pytest_weekops.evidence.page import page_text
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.report.lanes import render_lanes
from pytest_weekops.report.markdown import escape
from pytest_weekops.report.page.findings import _value
from pytest_weekops.report.page.showing import because, show_page
from pytest_weekops.report.page.shown import Page
from pytest_weekops.report.table import number, render_table
from tests.support.run_pages import Seen, judged, shown
from tests.support.synthetic import Records, make_plan, make_records

EXAMPLE = Path(__file__).resolve().parents[3] / "reports" / "example"


@cache
def example() -> tuple[Verdict, RunFacts, Seen, str]:
    """The shipped run, judged again, and its page as a reader has it."""
    verdict, facts = judged_anew(read_run(EXAMPLE))
    html = page_text(verdict, facts, facts.decision(verdict), ())
    return verdict, facts, Seen(html), html


def test_no_number_differs_between_the_views() -> None:
    """Each cell's texts stand on the page, in the terminal's table, in the summary, and are those of the JSON."""
    verdict, facts, seen, _html = example()
    terminal, summary = "\n".join(render_table(verdict.kind, verdict.rows)), facts.summary(verdict)
    rows = json.loads(json.dumps(facts.decision(verdict), allow_nan=False))["verdict"]["rows"]
    assert len(rows) == 6
    for row in rows:
        texts = [number(row["mean_gflops"]), number(row["median_ms"], 3), number(row["p95_ms"], 3)]
        line = next(each for each in terminal.splitlines() if each.startswith(f"pocl {row['kernel']} {row['size']} "))
        name, *told = line.rsplit(maxsplit=5)
        assert told[:3] == texts
        assert f"| {' | '.join([escape(name), *told])} |" in summary
        assert f"pocl {row['kernel']} {row['size']} {' '.join(texts)} {number(row['drift_percent'])}" in seen.words


def test_what_is_said_of_lanes_is_said_alike() -> None:
    """Overheads, checks, false alarms and regret stand on the page in the terminal's words."""
    _verdict, facts, seen, _html = example()
    lines = render_lanes(facts.records)
    assert len(lines) == 6
    assert all(line.split("  ", 1)[1] in seen.words for line in lines)


def test_the_verdict_is_said_as_everywhere() -> None:
    """Decision, severity, exit status, owner, action, policy and hashes are the document's."""
    verdict, facts, seen, _html = example()
    document = facts.decision(verdict)
    assert f"verdict {document['decision']} (SEV{document['severity']}), exit status 0" in seen.words
    assert f"{verdict.owner}, within {verdict.respond_within_minutes} minutes" in seen.words
    for told in (verdict.action, verdict.policy_id, verdict.policy_sha256, *document["kernels"].values()):
        assert told in seen.words
    assert facts.identities["pocl"].library_sha256 in seen.words


def test_every_launch_is_there() -> None:
    """The page has as many launches of each cell as the journal, void measurements included, and what counts agrees."""
    verdict, facts, _seen, _html = example()
    page = _page_of(verdict, facts)
    for cell in page.cells:
        mine = [m for m in facts.records if isinstance(m, Measurement) and m.case.row == f"{cell.kernel}:{cell.size}"]
        launches = sum(len(session.wall_ns) for m in mine for session in m.sessions)
        assert sum(len(each.launches_ms) + len(each.left_out_ms) for each in cell.attempts) == launches
        assert [each.status == "void" for each in cell.attempts] == [
            m.void for m in sorted(mine, key=lambda m: m.order)
        ]
        row = next(row for row in verdict.rows if (row["kernel"], row["size"]) == (cell.kernel, cell.size))
        counted = [each.throughput for each in cell.attempts if each.throughput is not None]
        assert math.isclose(statistics.fmean(counted), row["mean_gflops"], rel_tol=1e-12)
        assert sum(len(each.launches_ms) for each in cell.attempts if each.is_counted) == row["launches"]


def _page_of(verdict: Verdict, facts: RunFacts) -> Page:
    plan, records = facts.plan, list(facts.records)
    policy, campaign, again, document = judged(plan, records, policy=facts.policy, identities=facts.identities)  # type: ignore[arg-type]
    assert again.rows == verdict.rows
    return show_page(policy, campaign, again, document)


def test_what_the_verdict_cannot_say() -> None:
    """No baseline, voids, no campaign of faults, no looks: each is a sentence at the top."""
    seen = example()[2]
    assert "nothing bounds the speed of any cell" in seen.words
    assert "6 of 42 measurements (14 %) were void" in seen.words
    assert "no fault campaign vouches for it" in seen.words
    assert "made without looks" in seen.words


def test_a_reference_driver_beside_it_bounds_nothing() -> None:
    """What stands in the table of a driver that is not judged is no limit on one that is."""
    plan = make_plan(snapshots=3, looks=(3,), iterations=20, partner=Partner(label="clock", role="reference"))
    seen = str(shown(plan, make_records(plan)))
    assert "nothing bounds the speed of any cell" in seen
    assert "the reference driver: pocl has" in seen


def test_one_file_that_fetches_and_runs_nothing() -> None:
    """No script, no link to elsewhere, a content security policy first, two megabytes at most, and no id twice."""
    seen, html = example()[2:]
    assert not {"script", "link", "iframe", "object", "embed", "img", "form", "base"} & set(seen.tags)
    assert all(link.startswith(("#", "./")) for link in seen.links)
    assert "://" not in html.replace("http://www.w3.org/", "")
    policy = html.index('http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;')
    assert policy < html.index("<style")
    assert len(html.encode()) < 2 * 1024**2
    assert len(seen.ids) == len(set(seen.ids))
    assert {link[1:] for link in seen.links if link.startswith("#")} <= set(seen.ids)


def test_a_split_shows_the_judges_ratios() -> None:
    """Over all seeds and for each: the page's ratios are the rows', and the floor is the one that was asked."""
    plan = make_plan("split", looks=(3, 6))
    records = make_records(plan, speed=lambda case: 0.5 if case.platform == "rusticl" and case.size == 256 else 1.0)
    verdict = judged(plan, records)[2]
    page = shown(plan, records)
    whole = {row["size"]: row for row in verdict.rows if "ratio" in row and row["seed"] is None}
    assert {each.size: each.ratio for each in page.comparisons} == {size: row["ratio"] for size, row in whole.items()}
    assert [each.least for each in page.comparisons] == [0.85, 0.85]
    assert [seed for seed, _series in page.comparisons[1].by_seed] == [412, 512]
    estimate, low, high = page.comparisons[1].interval or (0.0, None, None)
    assert low is not None
    assert high is not None
    assert low <= estimate <= high < 0.85
    finding = next(each for each in page.open_findings if each.check == "rusticl_ratio_vs_clover")
    assert finding.seen_at[0].target == page.comparisons[1].anchor
    assert finding.answers
    assert all(answer.margin < 0 for answer in finding.answers)


def test_findings_come_worst_first_and_lead_to_what_they_name() -> None:
    """A crash at 256 is seen in the cell of 256, and one that names nothing where its kind of evidence is."""
    plan = make_plan("weekly")
    records = [
        record.model_copy(update={"status": MeasurementStatus.CRASHED, "sessions": ()})
        if isinstance(record, Measurement) and record.case.size == 256
        else record
        for record in make_records(plan)
    ]
    page = shown(plan, records)
    levels = [finding.level for finding in page.open_findings]
    assert levels == sorted(levels)
    crashed = next(finding for finding in page.open_findings if finding.check == "all_runs_success")
    assert [link.words for link in crashed.seen_at] == ["pocl auto:256"]
    assert all(finding.seen_at for finding in (*page.open_findings, *page.passed))
    assert "crashed" in {place.status for place in page.attendance.places}
    assert page.because.startswith(f"{page.open_findings[0].check}: ")


@pytest.mark.parametrize(("bad", "words"), [(256, "all_runs_success had failed: 6 runs are not ok"), (0, "")])
def test_a_run_that_was_interrupted_says_what_had_failed_by_then(bad: int, words: str) -> None:
    """First of all: whoever reads that it was interrupted, and no more, runs it again."""
    plan = make_plan("weekly")
    records: Records = [
        record.model_copy(update={"status": MeasurementStatus.WRONG, "sessions": ()})
        if isinstance(record, Measurement) and record.case.size == bad
        else record
        for record in make_records(plan)
    ]
    broken_off = GateRecord(gate="pytest", stage="suite", passed=False, reason="the run was interrupted by SIGTERM")
    _policy, _campaign, verdict, document = judged(plan, [*records, broken_off])
    told = because(verdict, {**document, "exit_status": 2})
    assert told.startswith(f"The run was interrupted after {document['counts']['measured']} of ")
    assert ("By then" in told) == bool(words)
    assert words in told


@pytest.mark.parametrize(("wrong", "first"), [(False, "host_stable: host unstable: "), (True, "all_runs_success: ")])
def test_what_a_busy_host_took_away_is_said_first(wrong: bool, first: str) -> None:
    """That too little counts comes of it; what failed all the same is graver than either."""
    plan = make_plan("weekly", sizes=(128, 256))
    taken = {"void": True, "void_reason": "the host was busy with other programs"}
    failed = {"status": MeasurementStatus.WRONG, "sessions": ()}
    records: Records = [
        (record.model_copy(update=taken if record.case.size == 128 else failed if wrong else {}))
        if isinstance(record, Measurement)
        else record
        for record in make_records(plan)
    ]
    page = shown(plan, records)
    assert page.because.startswith(first)
    assert "checks do not pass" in page.because


def test_nothing_is_shown_as_less_than_nothing() -> None:
    """A rounded zero has no sign."""
    assert [_value(value) for value in (-0.0, 2.0, 0.25, None, "a")] == ["0", "2", "0.250", "", "a"]


def test_voids_are_shown_as_voids() -> None:
    """A void attempt keeps its launches and its reason, and counts for nothing."""
    plan = make_plan("weekly", sizes=(128,))
    records = make_records(plan)
    first = next(record for record in records if isinstance(record, Measurement))
    void = first.model_copy(update={"void": True, "void_reason": "pace changed by 50 %", "order": 0})
    cell = shown(plan, [void, *records]).cells[0]
    assert (cell.attempts[0].status, cell.attempts[0].void) == ("void", "pace changed by 50 %")
    assert cell.attempts[0].launches_ms == cell.attempts[1].launches_ms
    assert not cell.attempts[0].is_counted
    assert cell.attempts[1].is_counted


def test_a_run_that_ended_at_a_look_shows_what_it_took() -> None:
    """The snapshots after the look that ended the run are not missing."""
    plan = make_plan("weekly", sizes=(128,), looks=(3, 6))
    short = plan.model_copy(update={"snapshots": 3, "looks": (3,)})
    look = LookRecord(snapshots=3, ends=True)
    page = shown(plan, [*make_records(short), look])  # type: ignore[list-item]
    assert len(page.attendance.places) == 3
    assert {place.status for place in page.attendance.places} == {"ok"}
    assert {answer.asked for answer in page.answers} == {"trend", "fall"}


@pytest.mark.parametrize("kind", ["canonical", "weekly", "split"])
def test_a_run_without_any_measurement(kind: str) -> None:
    """Nothing at all is shown as nothing: each planned case is missing, and every gate did not run."""
    page = shown(make_plan(kind), [])
    assert page.decision == "iterate"
    assert all(place.status == "not measured" for place in page.attendance.places)
    assert not any(gate.is_passed for gate in page.gates)
    assert all(not cell.attempts for cell in page.cells)


def test_a_case_measured_twice_is_named() -> None:
    """Two measurements of one case are no two squares."""
    plan = make_plan("weekly", sizes=(128,), snapshots=2)
    records = make_records(plan)
    first = next(record for record in records if isinstance(record, Measurement))
    statuses = [place.status for place in shown(plan, [*records, first]).attendance.places]
    assert "measured twice" in statuses


def test_files_beside_the_page_are_linked_by_plain_names_only() -> None:
    """A path that leads elsewhere is shown and not linked."""
    files = [{"path": name, "sha256": "1" * 64} for name in ("journal.jsonl", "../x.html", "javascript:alert(1)")]
    page = shown(make_plan("canonical"), [], files)
    assert [fact.target for fact in page.files] == ["./journal.jsonl", "", ""]
