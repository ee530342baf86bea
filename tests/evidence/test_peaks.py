"""Level 0 on disk: what was written comes back, and what is damaged, strange or old is ignored with a sentence."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.evidence.peaks import DIRECTORY, peak_records, read_peak, write_peak
from tests.core.measurement.test_peak_bound import NOW, make_peak
from tests.support.synthetic import make_identity

ME = {"pocl": make_identity("pocl")}


def test_a_peak_comes_back_and_the_last_one_counts(tmp_path: Path) -> None:
    """One file a device and driver, whatever its names are; a run has it under its own label."""
    path = write_peak(tmp_path, make_peak())
    assert read_peak(path) == make_peak()
    newer = make_peak(gflops=120.0)
    assert write_peak(tmp_path, newer) == path
    others: list[dict[str, Any]] = [
        {"library_sha256": "1" * 64},
        {"host": "../../etc"},
        {"environment": {"LP_CL": "1"}},
    ]
    paths = {path} | {write_peak(tmp_path, make_peak(**each)) for each in others}
    assert (len(paths), {each.parent for each in paths}) == (4, {tmp_path / DIRECTORY})
    found, notes = peak_records(tmp_path, {"mine": ME["pocl"]}, NOW)
    assert found == [newer.model_copy(update={"platform": "mine"})]
    assert len(notes) == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"library_sha256": "1" * 64, "driver_version": "0.9"}, "with another driver, 0.9"),
        ({"made_at": NOW - timedelta(days=91)}, "it is 91 days old"),
    ],
)
def test_what_does_not_speak_of_this_run_is_ignored_with_a_note(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    """Which says what is the bound instead."""
    path = write_peak(tmp_path, make_peak(**changes))
    found, (note,) = peak_records(tmp_path, ME, NOW)
    assert found == []
    assert said in note
    assert path.name in note
    assert "`weekops peak --keep` measures it anew" in note


def test_other_platforms_are_left_alone(tmp_path: Path) -> None:
    """They are no failed attempt at this one."""
    write_peak(tmp_path, make_peak(platform_name="rusticl"))
    assert peak_records(tmp_path, ME, NOW) == ([], [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "the document"),
        (b"\xff", "the document"),
        (b"[" * 100_000, "the document"),
        (b'{"type": "peak", "type": "peak"}', "the document"),
        (b'{"type": "peak"}', "platform: Field required"),
        (b" " * 300_000, "it is larger than 256 KiB"),
    ],
)
def test_a_file_that_cannot_be_believed_is_ignored(tmp_path: Path, content: bytes, said: str) -> None:
    """Whole, and never with a traceback."""
    (tmp_path / DIRECTORY).mkdir()
    (tmp_path / DIRECTORY / "x.json").write_bytes(content)
    found, (note,) = peak_records(tmp_path, ME, NOW)
    assert found == []
    assert said in note


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    """It is no plain file."""
    (tmp_path / DIRECTORY).mkdir()
    os.mkfifo(tmp_path / DIRECTORY / "x.json")
    assert "it is no plain file" in peak_records(tmp_path, ME, NOW)[1][0]
