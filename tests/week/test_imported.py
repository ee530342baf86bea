"""Campaigns of elsewhere: looked at in the history and on the site, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.errors import InputError
from pytest_weekops.report.site.names import cell_name
from pytest_weekops.week.imported import IMPORTED_NAME, import_campaigns, imported_runs
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.pins import changed_baselines
from tests.support.run_pages import Seen

MARKUP = "<script>alert(1)</script>"


def campaign(place: Path, name: str, speed: float, *, day: int = 8, device: str = "A card (driver 1)") -> Path:
    """A recorded weekly file of one kernel at one size, the second of its three runs failed."""
    runs = [
        {
            "status": status,
            "platform_selector": "Clover",
            "kernel": MARKUP,
            "size": 1400,
            "seed": 11,
            "snapshot": snapshot,
            "metrics": {"device": device, "avg_mean_gflops": speed + snapshot, "p95_time_ms": 6.0},
        }
        for snapshot, status in enumerate(("ok", "failed", "ok"), start=1)
    ]
    document = {"metadata": {"timestamp_utc": f"2026-02-{day:02d}T12:00:00+00:00"}, "runs": runs}
    path = place / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_mean_of_each_cell_in_order_of_time(tmp_path: Path) -> None:
    """Of the runs that ended ok; a file that is known is not added again, whatever it is called."""
    later, first = campaign(tmp_path, "later.json", 800.0, day=9), campaign(tmp_path, "first.json", 900.0)
    assert import_campaigns(tmp_path, [later]) == ("later.json",)
    copy = tmp_path / "copy.json"
    copy.write_bytes(later.read_bytes())
    assert import_campaigns(tmp_path, [first, first, copy]) == ("first.json",)
    runs = imported_runs(tmp_path)
    assert [run.run_id for run in runs] == ["imported/first.json", "imported/later.json"]
    assert runs[0].results == (
        {
            "platform": "imported/clover", "kernel": MARKUP, "size": 1400, "mean_gflops": 902.0,
            "status": "2 of 3 runs", "unit": "GFLOPS",
        },
    )  # fmt: skip
    assert (runs[0].hardware, runs[0].drivers) == ({"imported/clover": "A card"}, {"imported/clover": "driver 1"})
    assert not any(run.is_promote for run in runs)
    assert imported_runs(tmp_path / "elsewhere") == ()


def test_they_are_shown_and_count_for_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No record, no channel, no baseline; the history and the site have them under a name of their own."""
    reports = tmp_path / "reports"
    files = [
        campaign(tmp_path, "a.json", 900.0),
        campaign(tmp_path, "b.json", 800.0, day=9, device="A card (driver 2)"),
    ]
    assert main(["history", "--report-dir", str(reports), "import", *map(str, files)]) == 0
    assert (open_ledger(reports).entries(), changed_baselines(reports, ())) == ((), [])
    assert [path.name for path in reports.iterdir()] == [IMPORTED_NAME]
    capsys.readouterr()
    assert main(["status", "--report-dir", str(reports), "--json", "--require", "promoted"]) == 1
    assert json.loads(capsys.readouterr().out)["attempts"] == []
    assert main(["history", "--report-dir", str(reports), "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    (cell,) = document["cells"]
    assert [(each["decision"], each["throughput"], each["files"]) for each in cell["runs"]] == [
        ("imported", 902.0, "imported"),
        ("imported", 802.0, "imported"),
    ]
    assert "2 campaigns were imported: they count for no verdict" in document["notes"][0]
    assert main(["site", "--report-dir", str(reports)]) == 0
    page = reports / "site" / cell_name(("imported/clover", MARKUP, 1400), "GFLOPS")
    seen = Seen(page.read_text(encoding="utf-8"))
    assert "script" not in seen.tags
    assert "driver driver 1 became driver 2" in seen.words
    assert seen.words.count("(from elsewhere)") == 2
    index = Seen((reports / "site" / "index.html").read_text(encoding="utf-8")).words
    assert "Channel: iterate" in index
    assert "No week has a run." in index


def test_all_files_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each that cannot be imported is named, and nothing is written."""
    good, bad, undated = campaign(tmp_path, "good.json", 900.0), tmp_path / "bad.json", tmp_path / "undated.json"
    bad.write_text("{}", encoding="utf-8")
    undated.write_text(json.dumps({**json.loads(good.read_text(encoding="utf-8")), "metadata": {}}), encoding="utf-8")
    reports = tmp_path / "reports"
    assert main(["history", "import", *map(str, (good, bad, undated)), "--report-dir", str(reports)]) == 4
    said = capsys.readouterr().err
    assert all(
        words in said for words in ("2 of 3 files", "bad.json: it has no runs", "undated.json: it does not say when")
    )
    assert not reports.exists()


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", '{"schema": "weekops-imported/2", "campaigns": []}',
        '{"schema": "weekops-imported/1", "campaigns": [{"name": "a"}]}',
        json.dumps({"schema": "weekops-imported/1", "campaigns": [
            {"name": "a", "sha256": "", "created_at": "now", "hardware": {}, "drivers": {}, "results": []}
        ]}),
        json.dumps({"schema": "weekops-imported/1", "campaigns": [
            {"name": "a", "sha256": "", "created_at": "2026-02-08", "hardware": {}, "drivers": {}, "results": [
                {"platform": "pocl", "kernel": "auto", "size": 1, "mean_gflops": 1.0, "status": ""}
            ]}
        ]}),
    ],
)  # fmt: skip
def test_a_file_that_is_not_ours_is_refused(tmp_path: Path, text: str) -> None:
    """Rather than shown by halves; and none can pass for a platform of this ledger."""
    (tmp_path / IMPORTED_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is not what `weekops history import` writes"):
        imported_runs(tmp_path)
    assert main(["history", "--report-dir", str(tmp_path)]) == 4
