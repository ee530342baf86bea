"""The page of a fleet run on disk: beside the decision, of nothing else, and never in the way of the verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.errors import InputError
from pytest_weekops.fleet import page as fleet_page
from pytest_weekops.fleet.book import FleetBook
from pytest_weekops.fleet.page import write_fleet_page
from tests.support.fleet_hosts import Host, ReachDouble, begun, fleet_file, journal, ran
from tests.support.run_pages import Seen


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> FleetBook:
    """A fleet run of two hosts: one promoted, one never answered."""
    book = begun(
        tmp_path_factory.mktemp("fleet"), fleet_file(2, deadlines={"start_s": 0.2, "silent_s": 1, "gate_s": 9})
    )
    hosts = {"h-1": Host(leaves=journal), "h-2": Host(is_there=False)}
    assert ran(book, ReachDouble(hosts)).decision == "no_data"
    book.let_go()
    return book


def written(book: FleetBook) -> list[str]:
    """What was said while the page was written."""
    said: list[str] = []
    decision = book.decision()
    assert decision is not None
    write_fleet_page(book, decision, said.append)
    return said


def test_it_leads_to_what_each_host_left(decided: FleetBook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every link lands on a file or on the page, the host's own page among them; the site leads there."""
    monkeypatch.delenv("WEEKOPS_NO_PAGE")
    (line,) = written(decided)
    assert "fleet.html written" in line
    seen = Seen((decided.directory / "fleet.html").read_text("utf-8"))
    files = [link for link in seen.links if not link.startswith("#")]
    assert "hosts/h-1/report.html" in files
    assert all((decided.directory / link).is_file() for link in files)
    assert not any("h-2" in link for link in files)
    assert {link[1:] for link in seen.links if link.startswith("#")} <= set(seen.ids)
    reports = decided.directory.parent.parent
    for words, leads in ((), True), (("--copy",), False):
        assert main(["site", "--report-dir", str(reports), *words]) == 0
        links = Seen((reports / "site" / "index.html").read_text("utf-8")).links
        assert (f"../fleet/{decided.directory.name}/fleet.html" in links) is leads


def test_a_page_that_cannot_be_made_is_a_sentence(decided: FleetBook, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says how it is made later; where none is wanted, nothing is said."""
    assert written(decided) == []
    monkeypatch.delenv("WEEKOPS_NO_PAGE")

    def breaks(*_: object) -> str:
        raise RuntimeError("no ink")

    monkeypatch.setattr(fleet_page, "fleet_page_text", breaks)
    (line,) = written(decided)
    assert line.startswith("The fleet's page was not written: RuntimeError: no ink. `weekops page ")


def test_it_is_made_again_of_the_decision_that_was_recorded(
    decided: FleetBook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A decision that the ledger has another hash of has no page, and one that is not there neither."""
    output = tmp_path / "fleet.html"
    assert main(["page", str(decided.directory), "--output", str(output)]) == 0
    assert "verdict: no_data (SEV2), exit status 11" in capsys.readouterr().out
    assert "h-2" in output.read_text("utf-8")
    place = decided.directory / "fleet.json"
    before = place.read_text("utf-8")
    told = json.loads(before)
    told["verdict"]["decision"] = told["decision"] = "promote"
    try:
        place.write_text(json.dumps(told), encoding="utf-8")
        assert main(["page", str(decided.directory), "--output", str(output)]) == 4
        assert "not the one that the ledger has the hash of" in capsys.readouterr().err
        place.unlink()
        assert main(["page", str(decided.directory), "--output", str(output)]) == 4
        assert "it has not ended" in capsys.readouterr().err
    finally:
        place.write_text(before, encoding="utf-8")


def test_a_hosts_journal_that_broke_since_is_said(decided: FleetBook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fleet's own page is written all the same."""
    monkeypatch.delenv("WEEKOPS_NO_PAGE")
    (decided.host("h-1") / "report.html").unlink(missing_ok=True)

    def gone(*_: object) -> str:
        raise InputError("its journal is gone")

    monkeypatch.setattr(fleet_page, "_write_report", gone)
    first, second = written(decided)
    assert first == "Host h-1: its page was not written. its journal is gone"
    assert "fleet.html written" in second
