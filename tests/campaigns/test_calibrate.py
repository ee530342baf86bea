"""A driver against itself: on a real one, on one that crashes, beside a busy host, and when the time runs out."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.campaigns.calibrate import Asked, Calibrator, Cell, record, snapshot_log
from pytest_weekops.campaigns.load import busy_loop
from pytest_weekops.core.errors import InputError, WorkerError
from pytest_weekops.core.measurement.records import Case, Measurement, MeasurementStatus, SessionSamples
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.evidence.calibrations import read_calibration, write_calibration
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest
from pytest_weekops.worker.turns import Comparison, TurnTaker

MS = 1_000_000
DOUBLE = str(Path(__file__).resolve().parents[1] / "support" / "double.py")
BUILD = ("packed", "a" * 64, ())


def asked(**changes: Any) -> Asked:
    """Short snapshots at 64 that count on any host, however busy."""
    facts: dict[str, Any] = {
        "sizes": (64,),
        "snapshots": 3,
        "ends": time.monotonic() + 3600.0,
        "kernel_dirs": (str(data_dir("kernels")),),
        "session_ms": 20.0,
        "k_scaled_bound": 12.0,
        **changes,
    }
    return Asked(**facts)


def double(fault: str = "none", phase: str = "none") -> Launch:
    """A driver that does what it is told."""
    command = (sys.executable, DOUBLE, fault, phase)
    return Launch(label=f"double-{fault}", profile="double", open=OpenRequest(profile="double"), command=command)


def measured(walls_ms: list[float], delays_ms: list[float] | None = None, **changes: Any) -> Measurement:
    """One session of these launches."""
    session = SessionSamples(
        session=1,
        wall_ns=tuple(int(wall * MS) for wall in walls_ms),
        delay_ns=None if delays_ms is None else tuple(int(delay * MS) for delay in delays_ms),
        verified=True,
        max_abs_error=0.0,
        k_scaled_error=0.0,
    )
    facts: dict[str, Any] = {
        "case": Case(platform="pocl", kernel="auto", size=64, seed=3, snapshot=1),
        "status": MeasurementStatus.OK,
        "variant": BUILD[0],
        "kernel_sha256": BUILD[1],
        "sessions": (session,),
        **changes,
    }
    return Measurement(**facts)


def comparison(pairs: int, calm: int) -> Comparison:
    """So many pairs of turns, of which so many were calm; the first side takes a tenth longer."""
    delays = [0.0] * calm + [3.0] * (pairs - calm)
    order = ("ABBA" * (pairs // 2),)
    return Comparison(measured([3.3] * pairs, delays), measured([3.0] * pairs, [0.0] * pairs), order)


@pytest.mark.device
def test_a_real_driver_against_itself(need_platform: Callable[[str], str], host: HostWorker, tmp_path: Path) -> None:
    """One ratio a snapshot, near one, and a file that says what was launched."""
    launches = resolve_platforms([f"pocl.calibrated={need_platform('pocl')}"], scratch=tmp_path)
    wanted = asked(snapshots=2, session_ms=5.0)
    calibrator = Calibrator(launches, wanted, host, tmp_path)
    calibrator.open()
    calibrator.measure()
    (platform,) = calibrator.platforms
    assert not platform.shortage(2), platform.shortage(2)
    assert "has 2 of 20 snapshots at 64" in platform.shortage(20)
    found = read_calibration(write_calibration(tmp_path, record(platform, wanted)))
    (series,) = found.series
    assert (series.cell, series.snapshots, len(set(series.logs))) == (("auto", 64), 2, 2)
    assert all(
        abs(log) < 3 for log in series.logs
    )  # a busy machine may do much, and still no worker is a tenth as fast
    assert series.variant
    assert platform.identity is not None
    assert found.key == (platform.identity.host, platform.identity.hardware, platform.identity.library_sha256)


@pytest.mark.parametrize("fault", ["segv", "abort"])
def test_a_driver_that_crashes_where_it_is_opened_is_left_out(host: HostWorker, tmp_path: Path, fault: str) -> None:
    """With a sentence, and the others go on."""
    said: list[str] = []
    calibrator = Calibrator([double(fault, "context")], asked(), host, tmp_path, said.append)
    calibrator.open()
    calibrator.measure()
    (platform,) = calibrator.platforms
    assert platform.shortage(1).startswith(f"double-{fault} is left out: ")
    assert "SIG" in platform.shortage(1)
    assert platform.shortage(1) in said


def opened(calibrator: Calibrator) -> Calibrator:
    """With a library hash, which the double lacks where none is named."""
    calibrator.open()
    for platform in calibrator.platforms:
        platform.left_out = ""
    return calibrator


def test_a_driver_that_crashes_while_it_is_measured_is_left_out(host: HostWorker, tmp_path: Path) -> None:
    """Once is enough: what is left would be the spread of its better moments."""
    calibrator = opened(Calibrator([double("segv", "build")], asked(), host, tmp_path))
    calibrator.measure()
    why = calibrator.platforms[0].shortage(1)
    assert why.startswith("double-segv is left out: at 64 it ended in crashed")
    assert "SIGSEGV" in why


def test_a_worker_that_takes_no_turns_is_left_out(host: HostWorker, tmp_path: Path) -> None:
    """It answers at once: both were measured one after the other, and are no pair."""
    calibrator = opened(Calibrator([double()], asked(), host, tmp_path))
    calibrator.measure()
    assert "the turns broke off: it took none" in calibrator.platforms[0].shortage(1)


def test_a_platform_that_matches_nothing_is_a_sentence(host: HostWorker, tmp_path: Path) -> None:
    """Before anything was measured."""
    (tmp_path / "broken.so").write_text("no library", encoding="utf-8")
    launches = resolve_platforms([f"broken=pocl@{tmp_path / 'broken.so'}"], scratch=tmp_path)
    with pytest.raises(InputError, match=r"--platforms broken: .*[^.]\. Nothing was measured"):
        Calibrator(launches, asked(), host, tmp_path).open()


def compared(monkeypatch: pytest.MonkeyPatch, *answers: Comparison) -> None:
    """Every comparison gives the next of these, and the last one from then on."""
    left = list(answers)
    monkeypatch.setattr(TurnTaker, "compare", lambda _self: left.pop(0) if len(left) > 1 else left[0])


def test_a_busy_host_is_counted_and_tried_again(
    host: HostWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Voids are no snapshots and no end."""
    monkeypatch.setattr("pytest_weekops.worker.load.LoadMeter.percent", lambda _self: 50.0)
    busy, calm = comparison(24, 3), comparison(24, 12)
    compared(monkeypatch, busy, calm, busy, busy, calm)
    said: list[str] = []
    calibrator = opened(Calibrator([double()], asked(max_run_delay_percent=5.0), host, tmp_path, said.append))
    calibrator.measure()
    (platform,) = calibrator.platforms
    cell = platform.cells[64]
    assert (len(cell.logs), cell.voids) == (3, 3)
    assert sum("void, too few calm pairs" in line for line in said) == 3
    assert "the same ratio in every snapshot at 64" in platform.shortage(3)
    assert "3 attempts were void" in platform.shortage(20)


def test_each_snapshot_takes_a_known_slowdown_and_a_loop_comes_last(
    host: HostWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In turn; the second side has the deeper product, and what is void beside the loop is counted, not made again."""
    asked_of: list[tuple[int, int]] = []
    looped: list[bool] = []
    inside = [False]

    @contextmanager
    def loop() -> Iterator[int]:
        inside[0] = True
        yield 0
        inside[0] = False

    def compare(self: TurnTaker) -> Comparison:
        first, second = (side.request.k for side in self.sides)
        asked_of.append((first, second))
        looped.append(inside[0])
        return comparison(24, 3 if inside[0] and looped.count(True) == 2 else 24)

    monkeypatch.setattr("pytest_weekops.worker.load.LoadMeter.percent", lambda _self: 50.0)
    monkeypatch.setattr("pytest_weekops.campaigns.calibrate.busy_loop", loop)
    monkeypatch.setattr(TurnTaker, "compare", compare)
    facts: dict[str, Any] = {
        "max_run_delay_percent": 5.0,
        "slowdowns": (1.001, 1.25),
        "load_snapshots": 2,
        "snapshots": 2,
    }
    calibrator = opened(Calibrator([double()], asked(**facts), host, tmp_path))
    calibrator.measure()
    assert asked_of == [(64, 64), (64, 68), (64, 64), (64, 80), (64, 64), (64, 64)]
    assert looped == [False] * 4 + [True] * 2
    cell = calibrator.platforms[0].cells[64]
    assert {work: len(logs) for work, logs in cell.slowed.items()} == {1.0625: 1, 1.25: 1}
    assert (len(cell.loaded), cell.load_voids, cell.voids) == (1, 1, 0)


def test_the_loop_runs_beside_us_and_ends_with_its_block() -> None:
    """Nobody's child, so that its CPU time is another program's."""
    with busy_loop() as pid:
        parent = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
        assert parent != str(os.getpid())
    ends = time.monotonic() + 20.0
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_it_ends_after_the_snapshot_in_which_the_time_ran_out(
    host: HostWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That one is whole, on each platform, and what there is does not suffice."""
    compared(monkeypatch, comparison(24, 24))
    launches = [double(), double().model_copy(update={"label": "other"})]
    calibrator = opened(Calibrator(launches, asked(ends=time.monotonic()), host, tmp_path))
    calibrator.measure()
    assert [len(platform.cells[64].logs) for platform in calibrator.platforms] == [1, 1]
    assert "The calibration does not suffice and is not stored" in calibrator.platforms[0].shortage(3)


@pytest.mark.parametrize(
    ("pairs", "calm", "counts"),
    [(24, 24, True), (24, 8, True), (24, 7, False), (4, 4, True), (12, 3, False), (0, 0, False)],
)
def test_a_snapshot_needs_calm_pairs(pairs: int, calm: int, counts: bool) -> None:
    """Eight, or a third of the turns where there are few."""
    log = snapshot_log(comparison(pairs, calm), 5.0)
    assert (log is not None) is counts
    if log is not None:
        assert log == pytest.approx(0.0953, abs=1e-4)


def test_without_a_witness_no_pair_is_calm() -> None:
    """Where it is asked for; where other programs had no CPU time, nothing is."""
    unwatched = Comparison(measured([3.0] * 24), measured([3.0] * 24), ("ABBA" * 12,))
    assert snapshot_log(unwatched, 5.0) is None
    assert snapshot_log(unwatched, None) == 0.0


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"variant": "block"}, "it launched block, built otherwise than before"),
        ({"kernel_sha256": "b" * 64}, "built otherwise"),
        ({"build_options": ("-DMR=4",)}, "built otherwise"),
        ({"status": MeasurementStatus.WRONG, "reason": "row 3 is wrong"}, "it ended in wrong: row 3 is wrong"),
    ],
)
def test_two_programs_are_no_driver_against_itself(second: dict[str, Any], said: str) -> None:
    """Nor is one that computes something else."""
    found = Comparison(measured([3.0] * 8), measured([3.0] * 8, **second), ("ABBA" * 4,))
    with pytest.raises(WorkerError, match=said):
        Calibrator._same_build(Cell(64), found)


def test_what_broke_off_is_no_snapshot() -> None:
    """Both measured well, and not beside each other."""
    found = Comparison(measured([3.0] * 8), measured([3.0] * 8), ("ABBA" * 4,), broken_off="one side began again")
    with pytest.raises(WorkerError, match="the turns broke off: one side began again"):
        Calibrator._same_build(Cell(64), found)
