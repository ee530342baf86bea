"""A week of the fleets, closed once on what lies there: not where something is missing, and not on changed files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_weekops import cli
from pytest_weekops.core.calendar import week_of
from pytest_weekops.fleet import running
from pytest_weekops.fleet.book import FleetBook, now
from pytest_weekops.week.ledger import open_ledger
from tests.fleet.test_promoting import STAGES, bad, on_rollback, with_events
from tests.support.fleet_hosts import Host, ReachDouble, begun, fleet_file, ran, staged

WEEK = str(week_of(now()))


def closed(reports: Path, capsys: pytest.CaptureFixture[str], week: str = WEEK) -> tuple[int, str]:
    """Exit status, and all that was said."""
    capsys.readouterr()
    status = cli.main(["fleet", "close", "--week", week, "--report-dir", str(reports)])
    shown = capsys.readouterr()
    return status, shown.out + shown.err


def ended(reports: Path, *hosts: Host, staged_by: tuple[dict[str, object], ...] = ()) -> FleetBook:
    """A fleet run of these hosts that came to its end."""
    fleet = staged(len(hosts), *staged_by) if staged_by else fleet_file(len(hosts))
    book = begun(reports, fleet)
    ran(book, ReachDouble({f"h-{number}": host for number, host in enumerate(hosts, 1)}))
    book.let_go()
    return book


def test_a_week_is_closed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a failed run was answered; with its record's hash in the ledger, which is the week's last word."""
    assert "No fleet run of" in closed(tmp_path, capsys)[1]
    ended(tmp_path, Host(), Host(leaves=bad))
    ended(tmp_path, Host(), Host())
    status, told = closed(tmp_path, capsys)
    assert (status, f"week {WEEK} of the fleets: promote (SEV4)" in told) == (0, True), told
    record = json.loads((tmp_path / "fleet" / "weeks" / f"{WEEK}.json").read_text("utf-8"))
    assert (record["decision"], record["owed"], len(record["runs"])) == ("promote", [], 2)
    entry = open_ledger(tmp_path).entries()[-1]
    assert (entry.kind, entry.key, entry.body["decision"]) == ("fleet_week", WEEK, "promote")
    status, told = closed(tmp_path, capsys)
    assert (status, "was closed on" in told) == (4, True)
    assert closed(tmp_path, capsys, "2020-W01")[0] == 4


def test_what_failed_is_owed_by_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The week is closed with it."""
    ended(tmp_path, Host(), Host(leaves=bad))
    status, told = closed(tmp_path, capsys)
    assert status == 1
    assert "test cpu h-2: no_data" in told
    assert "iterate (SEV" in told


def test_evidence_that_is_gone_promotes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a journal that was changed nor a decision that was."""
    book = ended(tmp_path / "a", Host())
    book.journal("h-1").unlink()
    status, told = closed(tmp_path / "a", capsys)
    assert (status, "the journal of h-1 is gone, or is not the one that was judged" in told) == (1, True)
    book = ended(tmp_path / "b", Host())
    path = book.directory / "fleet.json"
    path.write_text(path.read_text("utf-8") + " ", "utf-8")
    status, told = closed(tmp_path / "b", capsys)
    assert (status, "its decision is gone, or is not the one that was recorded" in told) == (1, True)


def test_a_week_is_not_closed_on_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run without an end, a host between two drivers, no run of the suite that decides: nothing is written."""
    book = begun(tmp_path, staged(2, *STAGES))
    with_events(book, ("switch_begun", "h-1"))
    status, told = closed(tmp_path, capsys)
    assert (status, "is NOT closed; it lacks:" in told) == (10, True)
    assert "has not ended; `weekops fleet run FILE weekly --resume` goes on with it" in told
    assert "SEV1 test cpu h-1: nobody knows which driver it has since run" in told
    assert "test cpu h-2: no weekly run of this week" in told
    assert not open_ledger(tmp_path).entries()
    assert not (tmp_path / "fleet" / "weeks").exists()
    ran(book, ReachDouble({"h-1": Host(), "h-2": Host()}))
    assert closed(tmp_path, capsys)[0] == 0
    other = running.begin(tmp_path / "b", fleet_file(1), tmp_path, running.Wanted("canonical"))
    status, told = closed(tmp_path / "b", capsys)
    assert (status, "has not ended" in told, other.directory.name in told) == (11, True, True)


def test_a_host_that_is_stuck_keeps_the_week_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Until a run has it again."""
    stuck = Host(leaves=bad, errand=on_rollback(state="ended", status=1, said="too slow"))
    ended(tmp_path, stuck, staged_by=({"hosts": "all"},))
    status, told = closed(tmp_path, capsys)
    assert (status, "nobody knows which driver it has" in told) == (10, True)
    ended(tmp_path, Host(), staged_by=({"hosts": "all"},))
    assert closed(tmp_path, capsys)[0] == 0
