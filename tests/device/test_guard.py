"""The T5 guard on real drivers: silent on good launches, never on planted faults, and no use once it is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.protocol import GuardRequest, InjectRequest
from tests.support.benches import Bench
from tests.support.command import weekops

Open = Callable[[str], Bench]
PLATFORMS = ("pocl", "rusticl", "clover")


def inject(bench: Bench, size: int = 61, **options: object) -> InjectRequest:
    """A small campaign."""
    facts = {"size": size, "flips_per_bit": 4, "faults": 3, "clean_launches": 12}
    return InjectRequest.model_validate({**facts, "kernel_dirs": (str(data_dir("kernels")),), **options})


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("size", [61, 130])
def test_faults_are_caught_and_good_launches_are_not(benches: Open, platform: str, size: int) -> None:
    """Every critical flip and every fault of another kind; at sizes that no tile divides."""
    opened = benches(platform)
    found = opened.supervisor.inject(inject(opened, size))
    assert found.self_test == ""
    assert 0 < found.critical.tried == found.critical.caught
    assert [fault.caught for fault in found.faults] == [3] * 6
    assert (found.false_alarms, found.clean_launches) == (0, 12)
    assert 0.0 < found.largest_residual_share < 0.5
    assert all(bit.caught == 0 for bit in found.bits if bit.bit < 4), "arithmetic cannot see these"


@pytest.mark.parametrize("control", ["infinite-threshold", "idle-check"])
def test_a_broken_guard_fails_the_campaign(benches: Open, control: str) -> None:
    """Without a threshold nothing is caught; a check that does nothing is not taken for silence."""
    opened = benches("pocl")
    found = opened.supervisor.inject(inject(opened, control=control))
    assert found.self_test != ""
    if control == "idle-check":
        assert found.false_alarms == found.clean_launches
    else:
        assert found.critical.caught < found.critical.tried


def guarded(bench: Bench, n: int, *, kernel_dir: Path | None = None, **changes: object) -> Measurement:
    """A guarded measurement."""
    guard = GuardRequest.model_validate(changes)
    return bench.measure("auto_t5_guarded", (n, n, n), iterations=6, guard=guard, kernel_dir=kernel_dir)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_guarded_measurement_carries_its_evidence(benches: Open, platform: str) -> None:
    """Every launch checked, the guard tested once per session, its cost told per launch."""
    answer = guarded(benches(platform), 130)
    assert answer.status is MeasurementStatus.OK, answer.reason
    assert answer.guard is not None
    assert answer.guard.checks == len(answer.guard.check_ns) == 6
    assert (answer.guard.self_tests, answer.guard.false_alarms, answer.guard.disable_events) == (1, 0, 0)
    assert answer.guard.overhead_percent > 0


def test_a_period_checks_every_so_manyth_launch(benches: Open) -> None:
    """Sampling costs a share of the overhead."""
    answer = guarded(benches("pocl"), 130, period=3)
    assert answer.guard is not None
    assert answer.guard.checks == 2
    assert answer.guard.overhead_per_check_percent == pytest.approx(3 * answer.guard.overhead_percent)


def own_kernels(tmp_path: Path, old: str, new: str) -> Path:
    """The shipped kernels with a fault in the scalar variant, which is then the only one."""
    for file in data_dir("kernels").iterdir():
        text = file.read_text(encoding="utf-8")
        if file.name == "gemm_scalar.cl":
            assert old in text
            text = text.replace(old, new)
        if file.name == "catalog.yaml":
            text = text[: text.index("  gemm_tile20:")]
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_wrong_row_is_named_with_its_value_and_bits(benches: Open, tmp_path: Path) -> None:
    """Row, column, value, what is right, threshold, bits, and that a relaunch repeats it."""
    wrong = own_kernels(tmp_path, "? alpha * sum", "? (i == 17 && j == 5 ? 2.0f : 1.0f) * alpha * sum")
    answer = guarded(benches("pocl"), 64, kernel_dir=wrong)
    assert answer.status is MeasurementStatus.WRONG
    for words in ("row 17, column 5", "thresholds", "bits", "the same rows: deterministic"):
        assert words in answer.reason, answer.reason


def test_the_command_prints_and_exits_by_what_was_found(tmp_path: Path, need_platform: Callable[[str], str]) -> None:
    """A campaign too small to show what is asked ends with 1 and says why; its JSON and picture are written."""
    campaign = ("inject", "--platforms", need_platform("pocl"))
    small = ["--sizes", "64", "--flips", "2", "--faults", "2", "--clean", "4"]
    files = [
        "--output",
        str(tmp_path / "found.json"),
        "--plot",
        str(tmp_path / "found.png"),
        "--report-dir",
        str(tmp_path),
    ]
    done = weekops(*campaign, *small, *files)
    assert done.returncode == 1, done.stderr
    assert "NOT ENOUGH" in done.stdout
    assert "critical flips are needed" not in done.stdout
    document = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert document["suffices"] is False
    assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")
    assert weekops(*campaign, "--flips", "-1").returncode == 4


def test_a_flat_product_is_no_false_alarm(benches: Callable[[str], Bench]) -> None:
    """Where k is small the bound is tight: the sum of the rest that no vector takes must not exceed it by rounding."""
    answer = benches("pocl").measure("auto_t5_guarded", (4000, 831, 16), iterations=20, guard=GuardRequest())
    assert answer.status is MeasurementStatus.OK, answer.reason
    assert answer.guard is not None
    assert answer.guard.false_alarms == 0
