"""``weekops calibrate`` as people call it: what it refuses, stores, and does not store."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.campaigns.calibrate import Asked, CalibratedPlatform, Cell
from pytest_weekops.cli import calibrate, main
from pytest_weekops.core.measurement.calibration import Loaded
from pytest_weekops.evidence.calibrations import read_calibration
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest
from tests.core.measurement.test_calibration import make_series
from tests.support.command import weekops
from tests.support.synthetic import make_identity

Need = Callable[[str], str]
Say = pytest.CaptureFixture[str]
ASKED = Asked(sizes=(512,), snapshots=20, ends=0.0, kernel_dirs=())


def platform(name: str = "pocl", *, snapshots: int = 20, left_out: str = "") -> CalibratedPlatform:
    """What was found on a platform."""
    launch = Launch(label=name, profile=name, open=OpenRequest(profile=name))
    cell = Cell(512, list(make_series().logs[:snapshots]), voids=5, build=("packed", "a" * 64, ()))
    cell.slowed, cell.loaded, cell.load_voids = {1.203125: [-0.2, -0.21], 1.0234375: [-0.02]}, [0.01, 0.0], 1
    return CalibratedPlatform(launch, make_identity(name), {512: cell}, left_out)


def found(monkeypatch: pytest.MonkeyPatch, *platforms: CalibratedPlatform) -> None:
    """As if that had been measured; few runs are simulated on it."""
    monkeypatch.setattr(calibrate, "RUNS", 100)
    monkeypatch.setattr(calibrate, "_measured", lambda _arguments: (ASKED, list(platforms)))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sizes", "1"), "--sizes 1 is no size"),
        (("--sizes", "64", "64"), "names a size twice"),
        (("--snapshots", "19"), "--snapshots 19 is not from 20"),
        (("--snapshots", "1001"), "--snapshots 1001"),
        (("--hours", "0"), "--hours 0 is no time"),
        (("--slowdowns", "1.02", "1"), "--slowdowns 1 is no slowdown"),
        (("--slowdowns", "nan"), "--slowdowns nan"),
        (("--slowdowns", "5"), "--slowdowns 5"),
        (("--load-snapshots", "-1"), "--load-snapshots -1"),
        (("--hours", "nan"), "--hours nan"),
        (("--hours", "inf"), "--hours inf"),
        (("--platforms", "nowhere"), "there is no profile 'nowhere'"),
        (("--platforms", "pocl@missing.so"), "missing.so is not there"),
    ],
)
def test_bad_input_is_a_sentence_and_status_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Say, words: tuple[str, ...], said: str
) -> None:
    """Before a driver is loaded, and with nothing written."""
    monkeypatch.chdir(tmp_path)
    assert main(["calibrate", *words]) == 4
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_no_hour_is_measured_in_vain(monkeypatch: pytest.MonkeyPatch, capsys: Say) -> None:
    """Said at once."""
    there = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "matplotlib" else there(name))
    assert main(["calibrate", "--plot", "x.png"]) == 4
    assert 'pip install "pytest-weekops[plot]"' in capsys.readouterr().err


def test_what_was_found_is_stored_shown_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Say
) -> None:
    """Tables of 80 columns, a file per platform, JSON without NaN, and a picture."""
    pytest.importorskip("matplotlib")
    found(monkeypatch, platform(), platform("rusticl"))
    output, picture = tmp_path / "found.json", tmp_path / "found.png"
    words = ["--report-dir", str(tmp_path), "--output", str(output), "--plot", str(picture)]
    assert main(["calibrate", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if "kept in" not in line) <= 80
    files = sorted((tmp_path / "calibrations").iterdir())
    assert [read_calibration(file).platform for file in files] == ["pocl", "rusticl"]
    series = read_calibration(files[0]).series[0]
    assert series.voids == 5
    assert [known.work for known in series.slowed] == [1.0234375, 1.203125]
    assert series.slowed[1].power is not None
    assert series.slowed[1].power.share == 1.0
    assert series.loaded == Loaded(logs=(0.01, 0.0), voids=1)
    assert any("beside a busy loop: 1 of 3 snapshots void" in line for line in lines)
    document = json.loads(output.read_text(encoding="utf-8"))
    assert [each["platform"] for each in document["calibrations"]] == ["pocl", "rusticl"]
    assert document["problems"] == {}
    cell = document["cells"][0]
    assert cell["void_share"] == pytest.approx(0.2)
    assert list(cell["resolution"]) == ["12", "3", "5", "8"]
    assert cell["resolution"]["3"] > cell["resolution"]["12"] > 0
    assert 0 <= cell["false_promote"]["low"] <= cell["false_promote"]["share"] <= cell["false_promote"]["high"] <= 1
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (platform("rusticl", snapshots=19), "has 19 of 20 snapshots at 512, 5 attempts were void"),
        (platform("rusticl", left_out="rusticl is left out: its worker ended by SIGSEGV"), "ended by SIGSEGV"),
    ],
)
def test_what_does_not_suffice_is_not_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Say, bad: CalibratedPlatform, said: str
) -> None:
    """Exit status 1 with a sentence; the other platform's calibration stands."""
    found(monkeypatch, bad, platform())
    output = tmp_path / "found.json"
    assert main(["calibrate", "--report-dir", str(tmp_path), "--output", str(output)]) == 1
    assert said in capsys.readouterr().err
    (file,) = (tmp_path / "calibrations").iterdir()
    assert read_calibration(file).platform == "pocl"
    assert said in json.loads(output.read_text(encoding="utf-8"))["problems"]["rusticl"]


def test_ctrl_c_stores_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Say) -> None:
    """Exit status 2."""

    def interrupted(_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(calibrate, "_measured", interrupted)
    assert main(["calibrate", "--report-dir", str(tmp_path)]) == 2
    assert "Nothing was stored" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.long
@pytest.mark.device
def test_time_that_does_not_suffice_ends_in_1(tmp_path: Path, need_platform: Need) -> None:
    """One snapshot of a real driver, after which the time is over."""
    words = ("--platforms", need_platform("pocl"), "--sizes", "64", "--hours", "1e-9")
    done = weekops("calibrate", *words, cwd=tmp_path, timeout_s=240)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "of 20 snapshots at 64" in done.stderr
    assert "The calibration does not suffice and is not stored" in done.stderr
    assert not list(tmp_path.iterdir())
