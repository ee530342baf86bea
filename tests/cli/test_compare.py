"""``weekops compare``: what two runs were made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.measurement.driver_files import DriverFile, DriverListing
from tests.cli.test_judge_run import write_run
from tests.support.synthetic import make_plan, make_records


def write(directory: Path, *, llvm: str, snapshots: int = 6) -> Path:
    """A run whose driver has this compiler."""
    plan = make_plan("weekly", snapshots=snapshots)
    file = DriverFile(path="/usr/lib/libLLVM.so.1", sha256=llvm * 64)
    listing = DriverListing(platform="pocl", files=(file,))
    return write_run(directory, plan, [listing, *make_records(plan)])  # type: ignore[list-item]


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
    assert set(document["differences"]) == {"driver pocl", "kernels", "policy", "plan", "programs"}
    assert not any(document["differences"].values())


def test_what_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the file's name."""
    run = write(tmp_path / "one", llvm="a")
    assert main(["compare", str(run), str(tmp_path / "nowhere")]) == 4
    assert "nowhere" in capsys.readouterr().err
