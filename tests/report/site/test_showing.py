"""What the site's pages show, as values: weeks, devices, cells and what is owed, from records alone."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_weekops.core.calendar import Week
from pytest_weekops.core.week.channel import channel_of
from pytest_weekops.core.week.entry import PIN, WEEK, Entry, run_entries
from pytest_weekops.core.week.levels import Shift
from pytest_weekops.report.page.drawing import drawing
from pytest_weekops.report.page.shown import Link
from pytest_weekops.report.site.cells import neighbours, show_cell
from pytest_weekops.report.site.names import cell_name, copy_name, file_target, is_ours, pair_name, slug, week_name
from pytest_weekops.report.site.pictures import history_picture
from pytest_weekops.report.site.render import render_compared, tone
from pytest_weekops.report.site.showing import Known, known, show_index, show_weeks
from pytest_weekops.report.site.shown import CellPage, ComparePage, IndexPage
from tests.core.week.test_bounds import COUNTED, EVIDENCE
from tests.core.week.test_history import ran
from tests.support.entries import failure, numbered, promote

ACTION = {"id": "2026-W48-1", "week": "2026-W48", "text": "rerun", "owner": "somebody", "due": None}
DECISION: dict[str, Any] = {
    "closed_at": "2026-11-29T12:00:00+00:00",
    "block_rationale": "not promoted: replay.",
    "severity": {"owner": "somebody", "deadline": None, "action": "rerun"},
    "channel": {"state": "iterate", "since": ""},
    "tracks": {
        "replay": {
            "decision": "iterate",
            "rationale": "why",
            "evidence": [{"path": "a", "sha256": None, "intact": False}],
        }
    },
    "findings": ["one"],
    "lifted_by": [],
}


def closed(week: str = "2026-W48", **body: Any) -> tuple[str, str, dict[str, Any]]:
    """The record of a closed week that owes an action."""
    return WEEK, week, {"decision": "iterate", "severity": 2, "new_actions": [ACTION], **body}


def known_of(*parts: Any) -> Known:
    """What is known of these records; the run `gone` has no page."""
    entries: tuple[Entry, ...] = numbered(*parts)
    pages = {
        entry.key: ("", "it is gone") if entry.key == "gone" else (f"../{entry.key}.html", "") for entry in entries
    }
    return known(entries, run_entries(entries), pages)


def index_of(*parts: Any) -> IndexPage:
    """The first page of these records."""
    found = known_of(*parts)
    return show_index(found, channel_of(found.entries), ("a note",))


def cell_of(*runs: Any, there: tuple[str, ...] = (), shifts: tuple[Shift, ...] = ()) -> CellPage:
    """The page of the one cell of these runs."""
    found = known_of(*runs)
    files = {run.run_id: "missing" if run.run_id == "gone" else "intact" for run in found.runs}
    return show_cell(found.cells[0], shifts, "", told=found.told, files=files, there=there)


def test_the_calendar_has_every_week() -> None:
    """Closed, not closed and empty ones, over the end of a year with 53 weeks; a closed week without runs as well."""
    page = index_of(
        promote("old", created_at="2026-12-24T12:00:00+00:00"),
        failure("bad", created_at="2026-12-25T12:00:00+00:00", severity=2),
        closed("2026-W52"),
        promote("new", created_at="2027-01-12T12:00:00+00:00"),
        closed("2027-W03", decision="promote", severity=4, new_actions=[]),
        closed("no week"),
        closed("2026-W99"),
    )
    assert [(year.year, [week.name for week in year.weeks]) for year in page.years] == [
        (2027, ["2027-W01", "2027-W02", "2027-W03"]),
        (2026, ["2026-W52", "2026-W53"]),
    ]
    (first, second, third), (last, empty) = (year.weeks for year in page.years)
    assert (last.verdict, last.severity, last.promoted, last.runs) == ("iterate", 2, 1, 2)
    assert (empty.verdict, empty.target, first.verdict) == ("no runs", "", "no runs")
    assert (second.verdict, second.severity, second.target) == ("not closed", None, "weeks/2027-w02.html")
    assert (third.verdict, third.runs) == ("promote", 0)


def test_a_week_that_is_not_closed_tells_its_worst() -> None:
    """Nothing is green before it was decided."""
    ((box,),) = (
        year.weeks for year in index_of(promote("a"), failure("b", severity=3), failure("c", severity=1)).years
    )
    assert (box.verdict, box.severity, tone(box.verdict)) == ("not closed", 1, "open")


def test_what_is_owed_stands_at_its_week() -> None:
    """And counts there, until it is closed."""
    page = index_of(promote("run"), closed())
    assert [(each.name, each.week.target, each.due) for each in page.actions] == [
        ("2026-W48-1", "weeks/2026-w48.html", "")
    ]
    assert page.years[0].weeks[0].owed == 1
    done = index_of(promote("run"), closed(), ("action", "2026-W48-1", {}))
    assert (done.actions, done.years[0].weeks[0].owed) == ((), 0)


def test_devices_have_their_pin_and_their_promote() -> None:
    """With the verdict of the last run, and the channel above all."""
    pin = PIN, "pin", {"profile": "pocl", "hardware": "a processor", "run_id": "run"}
    page = index_of(promote("run"), pin, failure("bad"))
    (device,) = page.devices
    assert (device.state, device.last.verdict, device.baseline) == ("frozen", "SEV1", "run")
    assert (device.promote and device.promote.words, device.runs, page.state) == ("run", 2, "frozen")
    (bare,) = index_of(failure("bad", drivers={"pocl": ""}, hardware={})).devices
    assert (bare.driver, bare.hardware, bare.promote, bare.baseline) == ("unknown", "unknown", None, "")
    nothing = index_of()
    assert (nothing.years, nothing.devices, nothing.head, nothing.notes) == ((), (), "", ("a note",))


def test_a_week_shows_its_decision_and_its_runs() -> None:
    """The decision of its document, or why it is not shown; results lead to their histories."""
    found = known_of(ran("one"), ran("two", {"kernel": "auto", "size": 128, "ratio": 0.9, "seed": 11}), closed())
    (page,) = show_weeks(found, {"2026-W48": (DECISION, "")})
    assert page.acta is not None
    assert (page.acta.tracks[0].evidence, page.acta.channel) == (
        (("a", "unreadable", False),),
        "iterate since the beginning",
    )
    assert [(row.name, bool(row.target)) for row in page.results] == [
        ("pocl auto 128", True),
        ("pocl auto 128 seed 11", False),
    ]
    assert page.results[0].numbers == ("35.00 GFLOPS", "1.500", "-", "-", "-")
    assert page.results[1].numbers[-1] == "0.900"
    assert page.runs[0].place.target == "../one.html"
    others: list[dict[str, Any]] = [{}, {"2026-W48": (None, "changed")}, {"2026-W48": ({}, "")}]
    notes = [next(show_weeks(found, each)) for each in others]
    assert [each.acta for each in notes] == [None] * 3
    assert [each.acta_note.split()[:3] for each in notes] == [
        ["This", "week", "is"],
        ["changed"],
        ["Its", "decision", "has"],
    ]


def test_weeks_lead_to_each_other() -> None:
    """Past weeks without runs, which have no page."""
    found = known_of(promote("a", created_at="2026-11-03T12:00:00+00:00"), promote("b"))
    first, second = show_weeks(found, {})
    assert (first.before, first.after and first.after.words) == (None, "2026-W48")
    assert (second.before and second.before.target, second.after) == ("weeks/2026-w45.html", None)


def test_a_cell_has_the_numbers_of_the_ledger_with_bounds() -> None:
    """Bounds where the record says what they rest on; marks as the terminal has them."""
    bounded = {"policy": {"evidence": EVIDENCE}, "findings": (COUNTED,)}
    page = cell_of(ran("one", **bounded), ran("gone"), ran("three", {"status": "no_data"}, drivers={"pocl": "2"}))
    one, gone, three = page.points
    assert (one.throughput, one.p95_ms, gone.low, gone.marks) == (35.0, 1.5, None, "-")
    assert math.sqrt((one.low or 0) * (one.high or 0)) == pytest.approx(35.0)
    assert (three.throughput, three.status, three.marks, three.driver) == (None, "no_data", "D", "2")
    assert gone.run.place.missing == "it is gone"
    assert page.changes == ("  D three: driver 1 became 2",)


def test_runs_next_to_each_other_are_those_with_numbers() -> None:
    """One without a number stands between, and one whose journal is gone."""
    runs = ran("one"), ran("two", {"status": "no_data"}), ran("gone"), ran("three"), ran("four")
    there = ("one", "two", "three", "four")
    assert list(neighbours(known_of(*runs).cells[0], there)) == [("one", "three"), ("three", "four")]
    compared = [each.compared for each in cell_of(*runs, there=("one", "three")).points]
    assert compared == [None, None, None, Link(pair_name("one", "three"), "one"), None]


@pytest.mark.parametrize("numbers", [(1e-300, 1e300), (5.0,), (1.0, 1.0, 1.0), (1.0, 2.0, 900.0), tuple(range(1, 200))])
def test_any_history_is_drawn(numbers: tuple[float, ...]) -> None:
    """Equal, far apart, one, or hundreds, with another driver each time."""
    runs = [ran(f"r{at}", {"mean_gflops": number}, drivers={"pocl": str(at)}) for at, number in enumerate(numbers)]
    made = cell_of(*runs, shifts=(Shift("r0", 1.0, ()), Shift("r1", 1.0, ())))
    with drawing():
        picture = history_picture(made)
        assert history_picture(cell_of(ran("none", {"status": "no_data"}))) is None
    assert picture is not None
    assert picture.svg.count("nan") == 0


HOSTILE = [
    "../../etc/passwd",
    '<img src=x onerror="a">',
    "CON",
    "a" * 300,
    "",
    "\udcff",
    "Ä ö",
    ".",
    "-rf",
    "a/b\\c",
    "\x00",
]


def test_names_of_files_are_plain_and_differ() -> None:
    """Whatever runs and kernels are called; letters that a file system may not tell apart are told by the hash."""
    cells = [cell_name(("pocl", word, 128), None) for word in (*HOSTILE, "auto", "AUTO")]
    names = [*map(copy_name, HOSTILE), *cells, pair_name("a", "b"), pair_name("ab", ""), pair_name("b", "a")]
    assert all(map(is_ours, [*names, week_name(Week(2026, 3)), "index.html"]))
    assert len({name.lower() for name in names}) == len(names)
    assert slug("a-b", "c") != slug("a", "b-c")
    assert not any(
        map(is_ours, ["../index.html", "cells/../a.html", "cells/.a.html", "site.json", "cells/a.html/b", "x.html"])
    )


def test_links_to_files_lead_to_files() -> None:
    """Nothing in a directory's name is a scheme, a query or a fragment."""
    assert file_target("../a:b/c#d?e%f/report.html") == "../a%3Ab/c%23d%3Fe%25f/report.html"
    assert file_target("javascript:alert(1)/report.html").startswith("javascript%3A")


def test_a_command_to_copy_runs_nothing_else() -> None:
    """Whatever runs are called."""
    text = render_compared(ComparePage(Link("", "a; rm -rf $HOME"), Link("", "b"), problem="no"))
    assert "weekops compare &#39;a; rm -rf $HOME&#39; b" in text


def test_only_what_is_known_to_be_good_is_green() -> None:
    """A word that nobody knows is not."""
    assert [tone(word) for word in ("promoted", "promote", "pass")] == ["good"] * 3
    assert [tone(word) for word in ("frozen", "rolled_back", "iterate", "SEV1", "fail", "", "whatever")] == ["bad"] * 7
