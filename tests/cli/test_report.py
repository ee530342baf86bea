"""``weekops report``: what a run leaves beside its journal is made anew, and never over what contradicts it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.judge.finding import ExitStatus
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.report.decision import schema
from tests.support.stored import STATUS, write_run
from tests.support.synthetic import Records, make_plan, make_records

PLAN = make_plan("weekly", sizes=(128,))
RECORDS = make_records(PLAN)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run that ended, with a journal and nothing else."""
    return write_run(tmp_path / "run", PLAN, RECORDS, ended=STATUS)


def decision_of(directory: Path) -> dict[str, Any]:
    """Its decision document, valid by the shipped schema."""
    document: dict[str, Any] = json.loads((directory / "decision.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema())
    return document


def test_a_journal_alone_gives_all_of_it_again(run_dir: Path) -> None:
    """Summary, decision and XML are made, and made again to the byte; the hash of the summary is the recorded one."""
    names = ("summary.md", "decision.json", "junit.xml")
    assert main(["report", str(run_dir)]) == 0
    first = {name: (run_dir / name).read_bytes() for name in names}
    assert decision_of(run_dir)["exit_status"] == STATUS
    (run_dir / "summary.md").unlink()
    (run_dir / "junit.xml").write_text("torn", encoding="utf-8")
    assert main(["report", str(run_dir)]) == 0
    assert {name: (run_dir / name).read_bytes() for name in names} == first


def test_a_run_without_an_end_was_interrupted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Killed after all was measured: the decision says 2 and iterate, whatever the records would give."""
    directory = write_run(tmp_path / "run", PLAN, RECORDS)
    assert main(["report", str(directory)]) == 0
    document = decision_of(directory)
    assert (document["decision"], document["exit_status"]) == ("iterate", int(ExitStatus.INTERRUPTED))
    assert "broken off" in capsys.readouterr().out


@pytest.mark.parametrize("change", ["decision", "journal"])
def test_a_contradicting_decision_is_never_overwritten(
    run_dir: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    """The decision says promote where the journal does not, or is of another journal: refused, and nothing written."""
    assert main(["report", str(run_dir)]) == 0
    if change == "decision":
        text = (run_dir / "decision.json").read_text(encoding="utf-8")
        (run_dir / "decision.json").write_text(text.replace('"exit_status": 0', '"exit_status": 1'), encoding="utf-8")
    else:
        faster = make_records(PLAN, speed=lambda _case: 1.01)
        (run_dir / "journal.jsonl").unlink()
        write_run(run_dir, PLAN, faster, ended=STATUS)
    before = {path.name: path.read_bytes() for path in run_dir.iterdir()}
    capsys.readouterr()
    assert main(["report", str(run_dir)]) == 4
    told = capsys.readouterr().err
    assert "contradict each other" in told
    assert ("exit_status" if change == "decision" else "the hash of journal.jsonl") in told
    assert {path.name: path.read_bytes() for path in run_dir.iterdir()} == before


@pytest.mark.parametrize("content", ["{", "[]", "\udcff"])
def test_a_decision_that_cannot_be_read_stays(run_dir: Path, content: str) -> None:
    """What is there and cannot be read may be the torn word of the run itself."""
    (run_dir / "decision.json").write_text(content, encoding="utf-8", errors="surrogateescape")
    assert main(["report", str(run_dir)]) == 4
    assert (run_dir / "decision.json").read_text(encoding="utf-8", errors="surrogateescape") == content
    assert not (run_dir / "summary.md").exists()


def test_other_bytes_than_recorded_are_no_summary(run_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A summary of another version would not be the file whose hash the ledger holds: it is left as it is."""
    assert main(["report", str(run_dir)]) == 0
    document = decision_of(run_dir)
    document["artifacts"] = [
        {**each, "sha256": "0" * 64} if each["path"] == "summary.md" else each for each in document["artifacts"]
    ]
    (run_dir / "decision.json").write_text(json.dumps(document), encoding="utf-8")
    (run_dir / "summary.md").write_text("of another version", encoding="utf-8")
    assert main(["report", str(run_dir)]) == 0
    assert (run_dir / "summary.md").read_text(encoding="utf-8") == "of another version"
    assert "left as it is" in capsys.readouterr().out


def test_an_end_that_the_records_do_not_give_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A journal that ended in promote and gives iterate was changed: no decision is made of it."""
    directory = write_run(tmp_path / "run", PLAN, broken(RECORDS), ended=0)
    assert main(["report", str(directory)]) == 4
    assert "ended with exit status 0 by its journal, and its records give 10" in capsys.readouterr().err
    assert [path.name for path in directory.iterdir()] == ["journal.jsonl"]


def test_a_bare_journal_has_no_place_for_a_report(run_dir: Path) -> None:
    """The files lie beside the journal in its run's directory."""
    assert main(["report", str(run_dir / "journal.jsonl")]) == 4


def broken(records: Records) -> Records:
    """The records without their last measurement, with a first one that went wrong in characters XML cannot hold."""
    places = [place for place, record in enumerate(records) if isinstance(record, Measurement)]
    changed = list(records)
    bad = {"status": MeasurementStatus.WRONG, "reason": "NaN \x00\x1b[31m <&>"}
    changed[places[0]] = changed[places[0]].model_copy(update=bad)
    return [record for place, record in enumerate(changed) if place != places[-1]]


def test_the_xml_counts_what_is_wrong_and_what_is_missing(tmp_path: Path) -> None:
    """A wrong case fails, one that was never measured is an error, the verdict is a test case of its own."""
    directory = write_run(tmp_path / "run", PLAN, broken(RECORDS), ended=10)
    assert main(["report", str(directory)]) == 0
    (suite,) = ET.parse(directory / "junit.xml").getroot()
    assert (suite.get("failures"), suite.get("errors")) == ("2", "1")
    assert suite.get("tests") == str(len(suite.findall("testcase")))
    (verdict,) = [case for case in suite if case.get("classname") == "weekops.verdict"]
    failure = verdict.find("failure")
    assert failure is not None
    assert "all_runs_success" in (failure.text or "")
    told = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert told["weekops_decision"] == "iterate"
