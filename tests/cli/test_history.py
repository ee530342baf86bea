"""``weekops history``: what the ledger holds of each cell, and what of it has lost its files."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.week.entry import PIN, RUN
from pytest_weekops.core.week.history_terms import Change
from pytest_weekops.core.week.levels import Shift
from pytest_weekops.core.week.run_entry import run_entry
from pytest_weekops.report.history import FALSE_ALARMS
from pytest_weekops.week import change_points
from pytest_weekops.week.ledger import open_ledger
from tests.support.history import decision
from tests.support.ledgers import raw
from tests.support.synthetic import make_plan, make_records

PLAN = make_plan(sizes=(128,))


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    """Decisions of three runs, the last of them slower and with another driver."""
    found = []
    for number, speed in enumerate((1.0, 1.01, 0.8), start=1):
        records = make_records(PLAN, speed=lambda _case, speed=speed: speed)  # type: ignore[misc]
        moment = f"2026-11-2{number}T12:00:00+00:00"
        found.append(decision(f"weekly-{number}", created_at=moment, plan=PLAN, records=records))
    found[2]["identities"]["pocl"]["driver_version"] = "2"
    return found


def recorded(report_dir: Path, documents: list[dict[str, Any]]) -> Path:
    """A report directory with these decisions, their ledger, and a pin of the first run."""
    ledger = open_ledger(report_dir)
    for document in documents:
        text = json.dumps(document)
        place = report_dir / document["run_id"] / "decision.json"
        place.parent.mkdir()
        place.write_text(text, encoding="utf-8")
        entry = run_entry(document, decision_sha256=hashlib.sha256(text.encode()).hexdigest())
        ledger.append(RUN, entry.run_id, entry.model_dump(mode="json", exclude={"seq"}))
    ledger.append(PIN, "pocl", {"profile": "pocl", "hardware": "a processor x 2", "run_id": "weekly-1"})
    return report_dir


def test_runs_in_order_with_their_marks(
    tmp_path: Path,
    documents: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Numbers of the ledger whatever became of the files, and a sentence for each that is not as it was."""
    monkeypatch.setattr(change_points, "can_look", lambda: True)
    place = recorded(tmp_path, documents)
    (place / "weekly-1" / "decision.json").unlink()
    changed = place / "weekly-2" / "decision.json"
    changed.write_text(changed.read_text(encoding="utf-8").replace("GFLOPS", "TFLOPS"), encoding="utf-8")
    (place / "stray").mkdir()
    (place / "stray" / "journal.jsonl").write_text("{}\n", encoding="utf-8")
    assert main(["history", "--report-dir", str(place), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (cell,) = document["cells"]
    assert [cell[name] for name in ("platform", "kernel", "size", "unit")] == ["pocl", "auto", 128, "GFLOPS"]
    assert [run["run_id"] for run in cell["runs"]] == ["weekly-1", "weekly-2", "weekly-3"]
    assert [run["files"] for run in cell["runs"]] == ["missing", "changed", "intact"]
    assert [run["pinned"] for run in cell["runs"]] == [True, False, False]
    assert [[change["of"] for change in run["changes"]] for run in cell["runs"]] == [[], [], ["driver"]]
    told = documents[2]["verdict"]["rows"][0]["mean_gflops"]
    assert cell["runs"][2]["throughput"] == pytest.approx(told, rel=1e-4)
    changed_since = "Evidence weekly-2/decision.json was changed: its SHA-256 is not the recorded one."
    assert document["notes"] == [
        "There is no decision any more of weekly-1; the numbers shown are the ledger's alone.",
        f"Run weekly-2: {changed_since} The numbers shown are those of the ledger.",
        "Run directory stray is not in the ledger, and not shown.",
    ]
    assert cell["change_points"] is None
    assert main(["history", "--report-dir", str(place), "--cell", "pocl:auto:128"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "pocl:auto:128, 3 runs"
    assert max(map(len, lines[:7])) < 80
    rows = [line.split() for line in lines[2:5]]
    assert [row[:2] for row in rows] == [[f"weekly-{n}", "promote"] for n in (1, 2, 3)]
    assert [row[2] for row in rows] == [f"{run['throughput']:.2f}" for run in cell["runs"]]
    assert [row[4:] for row in rows] == [["*-"], ["!"], ["D"]]
    places = [line.index(" o ") for line in lines[2:5]]
    assert places[2] < places[0] < places[1]
    assert lines[5].startswith("  D weekly-3: driver 1 ")
    assert lines[-3:] == document["notes"]


def test_change_points_are_shown_and_nothing_else_comes_of_them(
    tmp_path: Path,
    documents: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In words and in JSON; that nobody looked is said."""
    place = recorded(tmp_path, documents)
    driver = Change("driver", "1", "2")
    monkeypatch.setattr(change_points, "look", lambda _series: (Shift("weekly-3", -20.04, (("weekly-3", driver),)),))
    monkeypatch.setattr(change_points, "can_look", lambda: False)
    assert main(["history", "--report-dir", str(place)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  level -20.0 % from weekly-3 on; changed around it: driver in weekly-3" in lines
    assert lines[-1] == change_points.NOT_LOOKED
    assert main(["history", "--report-dir", str(place), "--json"]) == 0
    (cell,) = json.loads(capsys.readouterr().out)["cells"]
    beside = [{"run_id": "weekly-3", "of": "driver", "before": "1", "after": "2"}]
    assert cell["change_points"] == [{"run_id": "weekly-3", "percent": -20.04, "beside": beside}]


def test_the_rate_of_false_alarms_is_the_docs(repository: Path) -> None:
    """Each share that pages state stands in the table that the benchmark's numbers are in."""
    table = (repository / "docs" / "how-to" / "look-back.md").read_text(encoding="utf-8")
    shares = re.findall(r"[0-9]+ of [0-9]+", FALSE_ALARMS)
    assert len(shares) == 4
    assert [share for share in shares if f"| {share}" not in table] == []


def test_what_the_ledger_does_not_hold_is_refused(
    tmp_path: Path, documents: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell that is in no run, and a ledger that does not verify; an empty directory is no error, and one sentence."""
    monkeypatch.setattr(change_points, "can_look", lambda: False)
    assert main(["history", "--report-dir", str(tmp_path)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "No cell was recorded in" in line
    place = recorded(tmp_path, documents[:1])
    assert main(["history", "--report-dir", str(place), "--cell", "pocl:auto:12"]) == 4
    assert "Did you mean pocl:auto:128?" in capsys.readouterr().err
    body = """UPDATE record SET body = replace(body, '"pass"', '"fail"')"""
    raw(open_ledger(place), "DROP TRIGGER record_is_never_changed", body)
    assert main(["history", "--report-dir", str(place)]) == 4
    assert "does not verify" in capsys.readouterr().err
