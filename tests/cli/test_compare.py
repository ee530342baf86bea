"""``weekops compare``: what two runs were made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.measurement.driver_files import DriverFile, DriverListing
from pytest_weekops.core.measurement.records import Measurement
from tests.support.run_pages import Seen
from tests.support.stored import write_run
from tests.support.synthetic import make_plan, make_records


def write(directory: Path, *, llvm: str = "a", snapshots: int = 6, speed: float = 1.0, **plan_facts: Any) -> Path:
    """A run whose driver has this compiler and, at 256, this speed."""
    plan = make_plan("weekly", snapshots=snapshots, **plan_facts)
    file = DriverFile(path="/usr/lib/libLLVM.so.1", sha256=llvm * 64)
    listing = DriverListing(platform="pocl", files=(file,))
    records = make_records(plan, speed=lambda case: speed if case.size == 256 else 1.0)
    return write_run(directory, plan, [listing, *records])  # type: ignore[list-item]


def test_each_part_is_said_to_differ_or_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The compiler behind the driver, by name and hashes, and the plan; the rest is the same."""
    before, after = write(tmp_path / "one", llvm="a"), write(tmp_path / "two", llvm="b", snapshots=7)
    assert main(["compare", str(before), str(after / "journal.jsonl")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "one -> two"
    assert "driver pocl: differs" in lines
    assert "  libLLVM.so.1 aaaaaaaaaaaa became bbbbbbbbbbbb" in lines
    assert "  snapshots 6 became 7" in lines
    assert {"kernels: the same", "policy: the same", "programs: the same"} <= set(lines)


def test_json_has_every_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list was compared and is the same."""
    run = write(tmp_path / "one", llvm="a")
    assert main(["compare", str(run), str(run), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["a"], document["b"]) == ("one", "one")
    assert set(document["differences"]) == {"driver pocl", "kernels", "policy", "plan", "known faults", "programs"}
    assert not any(document["differences"].values())
    assert [cell["ratio"] for cell in document["speed"]["cells"]] == [1.0, 1.0]


def test_what_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the file's name."""
    run = write(tmp_path / "one", llvm="a")
    assert main(["compare", str(run), str(tmp_path / "nowhere")]) == 4
    assert "nowhere" in capsys.readouterr().err


def test_a_slower_cell_is_exit_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Table and chart fit 80 columns, the last line names the cell, and JSON has the same numbers."""
    before, after = write(tmp_path / "one"), write(tmp_path / "two", speed=0.7)
    assert main(["compare", str(before), str(after)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "speed: slower beyond interval and margin (5 %): pocl auto:256; open: 1 of 2"
    table = [line for line in lines if line.startswith(("cell ", "pocl auto"))]
    assert len(table) == 9  # speeds, their chart, all launches
    assert max(map(len, table)) < 80
    row, chart = table[2], table[5]
    assert main(["compare", str(before), str(after), "--json"]) == 1
    cell = json.loads(capsys.readouterr().out)["speed"]["cells"][1]
    assert (cell["size"], cell["status"], cell["unit"]) == (256, "slower", "GFLOPS")
    assert row.split()[2:] == [
        *(f"{cell['a']['median_ms']:.3f}", f"{cell['a']['scatter_percent']:.1f}"),
        *(f"{cell['b']['median_ms']:.3f}", f"{cell['b']['scatter_percent']:.1f}"),
        *(f"{cell['ratio']:.3f}", f"{cell['lower']:.3f}-{cell['upper']:.3f}", "slower"),
    ]
    assert chart.index("[") < chart.index("o", 10) < chart.index("]") < chart.index("!") < chart.index(":", 10)
    assert main(["compare", str(before), str(after), "--margin", "50"]) == 0


def test_a_lost_cell_is_exit_status_1_and_none_in_common_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that has no numbers any more is no run that is as fast."""
    whole, other = write(tmp_path / "whole"), write(tmp_path / "other", sizes=(512,))
    plan = make_plan("weekly")
    kept = [one for one in make_records(plan) if not (isinstance(one, Measurement) and one.case.size == 256)]
    assert main(["compare", str(whole), str(write_run(tmp_path / "short", plan, kept))]) == 1
    out = capsys.readouterr().out
    assert "lost, planned in both runs and without numbers in the second: pocl auto:256" in out
    assert out.splitlines()[-1].endswith("open: 1 of 1; lost: 1")
    assert main(["compare", str(whole), str(other)]) == 4
    said = capsys.readouterr()
    assert "only in the second run: pocl auto:512" in said.out
    assert "have no cell in common that both measured" in said.err


def test_any_two_runs_are_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the numbers that are printed, the margin that was asked for, and no link; never in the place of evidence."""
    before, after, page = write(tmp_path / "one"), write(tmp_path / "two", speed=0.7), tmp_path / "two.html"
    words = ["compare", str(before), str(after), "--json", "--margin", "2", "--output"]
    assert main([*words, str(page)]) == 1
    document = json.loads(capsys.readouterr().out)
    seen = Seen(page.read_text(encoding="utf-8"))
    assert all(f"{cell['ratio']:.3f}" in seen.words for cell in document["speed"]["cells"])
    assert "speed: slower beyond interval and margin (2 %): pocl auto:256" in seen.words
    assert "weekops compare one two --margin 2" in seen.words
    assert seen.words.index("slower speed: slower beyond") < seen.words.index("What else differed")
    assert [link for link in seen.links if not link.startswith("#")] == []
    journal = (before / "journal.jsonl").read_bytes()
    assert main([*words, str(before / "journal.jsonl")]) == 4
    assert "ends in .html" in capsys.readouterr().err
    assert (before / "journal.jsonl").read_bytes() == journal


@pytest.mark.parametrize("margin", ["-1", "100", "nan", "much"])
def test_a_margin_that_is_none_is_refused(margin: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is read."""
    assert main(["compare", str(tmp_path), str(tmp_path), f"--margin={margin}"]) == 4
    assert f"--margin '{margin}' is no share of a speed" in capsys.readouterr().err
