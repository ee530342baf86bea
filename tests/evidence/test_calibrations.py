"""Calibrations on disk: what was written comes back, and what is damaged, strange or old is ignored with a sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.evidence.calibrations import DIRECTORY, find_calibrations, read_calibration, write_calibration
from tests.core.measurement.test_calibration import KERNEL, NOW, make_calibration, make_series
from tests.support.synthetic import make_identity

KERNELS = {("auto", 512): KERNEL, ("auto", 1400): KERNEL}
ME = make_identity("pocl")


def test_a_calibration_comes_back(tmp_path: Path) -> None:
    """To the last bit, and nothing is left beside it."""
    path = write_calibration(tmp_path, make_calibration())
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert read_calibration(path) == make_calibration()
    found, notes = find_calibrations(tmp_path, ME, KERNELS, NOW)
    assert found == {("auto", 512): make_series()}
    assert notes == []


def test_sizes_that_were_measured_before_stay(tmp_path: Path) -> None:
    """A later calibration of one size replaces that one alone, and the file is the same one."""
    first = write_calibration(tmp_path, make_calibration(make_series(), make_series(size=1400)))
    newer = make_series(voids=7)
    assert write_calibration(tmp_path, make_calibration(newer)) == first
    found, _notes = find_calibrations(tmp_path, ME, KERNELS, NOW)
    assert found == {("auto", 512): newer, ("auto", 1400): make_series(size=1400)}


@pytest.mark.parametrize("before", ["{", '{"version": 1}'])
def test_a_damaged_file_is_replaced(tmp_path: Path, before: str) -> None:
    """Nothing of it is kept."""
    path = write_calibration(tmp_path, make_calibration(make_series(size=1400)))
    path.write_text(before, encoding="utf-8")
    write_calibration(tmp_path, make_calibration())
    assert read_calibration(path) == make_calibration()


def test_sessions_of_another_length_are_another_measurement(tmp_path: Path) -> None:
    """Their snapshots have another spread; they do not stay beside the new ones."""
    write_calibration(tmp_path, make_calibration(make_series(size=1400), session_ms=80.0))
    path = write_calibration(tmp_path, make_calibration())
    assert read_calibration(path) == make_calibration()


def test_each_driver_and_host_has_its_own_file(tmp_path: Path) -> None:
    """None takes another's place, and names never become paths."""
    changes: list[dict[str, Any]] = [{}, {"library_sha256": "1" * 64}, {"host": "../../etc"}, {"hardware": "x"}]
    paths = {write_calibration(tmp_path, make_calibration(**each)) for each in changes}
    assert len(paths) == 4
    assert {path.parent for path in paths} == {tmp_path / DIRECTORY}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"host": "elsewhere"}, "it was made on another host, elsewhere (a processor x 2)"),
        ({"hardware": "a processor x 4"}, "it was made on another host, host (a processor x 4)"),
        ({"library_sha256": "1" * 64, "driver_version": "0.9"}, "it was made with another driver, 0.9"),
    ],
)
def test_of_another_host_or_driver_is_ignored_with_a_note(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """A driver that was updated has a spread of its own."""
    path = write_calibration(tmp_path, make_calibration(**changes))
    found, (note,) = find_calibrations(tmp_path, ME, KERNELS, NOW)
    assert not found
    assert said in note
    assert path.name in note
    assert "`weekops calibrate` makes it anew" in note


def test_other_platforms_are_left_alone(tmp_path: Path) -> None:
    """They are no failed attempt at this one."""
    write_calibration(tmp_path, make_calibration(platform_name="rusticl"))
    assert find_calibrations(tmp_path, ME, KERNELS, NOW) == ({}, [])


def test_what_is_stale_is_ignored_alone(tmp_path: Path) -> None:
    """The cell beside it counts."""
    old = make_series(size=1400, made_at=NOW - timedelta(days=91))
    write_calibration(tmp_path, make_calibration(make_series(), old))
    found, (note,) = find_calibrations(tmp_path, ME, KERNELS, NOW)
    assert list(found) == [("auto", 512)]
    assert note.startswith("auto at 1400 of calibration ")
    assert "it is 91 days old" in note
    other = {("auto", 512): "b" * 64}
    found, (note,) = find_calibrations(tmp_path, ME, other, NOW)
    assert not found
    assert "made with another kernel source" in note


def _smaller_spread(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    document["series"][0]["sd"] /= 2
    path.write_text(json.dumps(document), encoding="utf-8")


def _key_twice(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace('"voids": 0', '"voids": 3, "voids": 0'), encoding="utf-8")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _huge(path: Path) -> None:
    with path.open("ab") as file:
        file.truncate(5 * 1024 * 1024)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_text("{", encoding="utf-8"), "the document"),
        (lambda path: path.write_bytes(path.read_bytes()[:-20]), "the document"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "the document"),
        (lambda path: path.write_text("[" * 100_000, encoding="utf-8"), "the document"),
        (lambda path: path.write_text("{}", encoding="utf-8"), "Field required"),
        (_smaller_spread, "sd is 0.0"),
        (_key_twice, "key 'voids' stands in one object twice"),
        (_pipe, "it is no plain file"),
        (_huge, "it is larger than 4096 KiB"),
    ],
)
def test_a_file_that_cannot_be_believed_is_ignored(tmp_path: Path, damage: Callable[[Path], object], said: str) -> None:
    """Never an error, never in part."""
    path = write_calibration(tmp_path, make_calibration())
    damage(path)
    with pytest.raises((ValueError, OSError)):
        read_calibration(path)
    found, (note,) = find_calibrations(tmp_path, ME, KERNELS, NOW)
    assert not found
    assert said in note
    assert "is ignored" in note


def test_no_directory_is_no_calibration(tmp_path: Path) -> None:
    """Nobody calibrated yet: nothing to note."""
    assert find_calibrations(tmp_path, ME, KERNELS, NOW) == ({}, [])
