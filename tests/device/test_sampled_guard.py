"""The sampled guard on real drivers: silent on good launches, sure on the lines it draws, and no more than that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.guard.abft import draw_lines
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.protocol import InjectRequest
from tests.device.test_misbehaviour import HEAD
from tests.support.benches import Bench

Open = Callable[[str], Bench]
pytestmark = pytest.mark.device
PLATFORMS = ("pocl", "rusticl", "clover")
FEW = GuardSettings(row_samples=3, col_samples=4, projections=2)
OLDER = GuardSettings(
    period=20,
    row_samples=3,
    col_samples=3,
    projections=2,
    residual_scale=5.0,
    residual_margin=0.01,
    residual_floor=0.05,
)
SEED = 5  # the bench's


def inject(bench: Bench, guard: GuardSettings, **changes: object) -> InjectRequest:
    """A small campaign at a size that no tile divides."""
    facts = {"size": 61, "flips_per_bit": 6, "faults": 3, "clean_launches": 12, "guard": guard}
    return InjectRequest.model_validate({**facts, "kernel_dirs": (str(data_dir("kernels")),), **changes})


@pytest.mark.parametrize("platform", PLATFORMS)
def test_flips_on_drawn_lines_are_caught_and_others_are_not(benches: Open, platform: str) -> None:
    """Each critical flip that a check looks at, no other, and no good launch; a dropped launch spoils every line."""
    opened = benches(platform)
    found = opened.supervisor.inject(inject(opened, FEW))
    assert found.self_test == ""
    assert found.looked_at is not None
    assert 0 < found.looked_at.tried == found.looked_at.caught
    assert found.critical.caught == found.looked_at.caught < found.critical.tried
    assert [fault.caught for fault in found.faults if fault.name == "a launch dropped"] == [3]
    assert (found.false_alarms, found.clean_launches) == (0, 12)
    assert 0.0 < found.largest_residual_share < 0.5
    assert found.settings == FEW


@pytest.mark.parametrize("guard", [FEW, OLDER], ids=["own", "older"])
@pytest.mark.parametrize("control", ["infinite-threshold", "idle-check"])
def test_a_broken_sampled_guard_fails_its_self_test(benches: Open, control: str, guard: GuardSettings) -> None:
    """With the older thresholds as with our own."""
    opened = benches("pocl")
    assert opened.supervisor.inject(inject(opened, guard, control=control)).self_test != ""


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_evidence_says_that_it_was_sampled_and_where(benches: Open, platform: str) -> None:
    """Mode, lines, the chance of seeing a single fault, and the drawn lines, which follow from seed and launch."""
    answer = benches(platform).measure("auto_t5_guarded", (61, 61, 61), iterations=5, guard=FEW, guard_draw=2)
    assert answer.status is MeasurementStatus.OK, answer.reason
    guard = answer.guard
    assert guard is not None
    assert (guard.mode, guard.row_samples, guard.col_samples, guard.projections) == ("sampled", 3, 4, 2)
    assert guard.coverage_percent == pytest.approx(100 * (1 - 58 / 61 * 57 / 61))
    assert guard.checked_launches == (1, 2, 3, 4, 5)
    assert (guard.self_tests, guard.disable_events, guard.false_alarms) == (1, 0, 0)
    for launch, rows, columns in zip(guard.checked_launches, guard.drawn_rows, guard.drawn_columns, strict=True):
        assert rows == draw_lines(61, 3, seed=SEED, draw=2, launch=launch)
        assert columns == draw_lines(61, 4, seed=SEED, draw=2, launch=launch, columns=True)
    assert len(set(guard.drawn_rows)) > 1


def test_a_threshold_that_vanishes_ends_the_measurement(benches: Open) -> None:
    """One that is 0 as float32 would call every launch bad; it is said what is wrong with it."""
    guard = GuardSettings(row_samples=3, residual_scale=1e-60)
    answer = benches("pocl").measure("auto_t5_guarded", (20, 20, 20), guard=guard)
    assert answer.status is MeasurementStatus.LAUNCH_FAILED
    assert "tells no right result from a wrong one" in answer.reason


def test_more_samples_than_lines_are_all_lines(benches: Open) -> None:
    """And the evidence names how many there were."""
    every = GuardSettings(row_samples=1000, col_samples=1000)
    guard = benches("pocl").measure("auto_t5_guarded", (20, 30, 8), guard=every).guard
    assert guard is not None
    assert (guard.row_samples, guard.col_samples, guard.coverage_percent) == (20, 30, 100.0)


WRONG = HEAD + "C[i * ldc + j] = i == 17 && j == 5 ? 2.0f * sum : sum; }"


@pytest.mark.parametrize(
    ("guard", "kind"),
    [
        (GuardSettings(row_samples=40), "the same rows"),
        (GuardSettings(col_samples=40), "the same columns"),
        (GuardSettings(row_samples=40, col_samples=40, projections=3), "the same rows and columns"),
        (OLDER.model_copy(update={"row_samples": 40, "period": 1}), "the same rows"),
    ],
    ids=["rows", "columns", "both", "older"],
)
def test_a_wrong_element_is_named_by_row_or_by_column(
    benches: Open, own_kernels: Callable[[str], Path], guard: GuardSettings, kind: str
) -> None:
    """Whichever side looks at it: row, column, value, threshold, bits, and that a relaunch repeats it."""
    answer = benches("pocl").measure("mine", (40, 40, 40), iterations=4, guard=guard, kernel_dir=own_kernels(WRONG))
    assert answer.status is MeasurementStatus.WRONG
    for words in ("row 17, column 5", "thresholds of", "bits", kind, "deterministic"):
        assert words in answer.reason, answer.reason


def test_a_relaunch_is_checked_on_the_same_lines(benches: Open, own_kernels: Callable[[str], Path]) -> None:
    """Where every line is wrong, other lines would be other bad rows, and no word on whether the fault repeats."""
    source = HEAD + "C[i * ldc + j] = 2.0f * sum; }"
    answer = benches("pocl").measure("mine", (40, 40, 40), guard=FEW, kernel_dir=own_kernels(source))
    assert answer.status is MeasurementStatus.WRONG
    assert "3 bad rows" in answer.reason
    assert "4 bad columns" in answer.reason
    assert "a relaunch gave the same rows and columns: deterministic" in answer.reason


@pytest.mark.parametrize("guard", [GuardSettings(period=3), FEW.model_copy(update={"period": 3})], ids=["full", "few"])
def test_the_period_counts_launches_across_sessions(benches: Open, guard: GuardSettings) -> None:
    """Period 3 with 8 launches in each of 2 sessions: the second session goes on where the first ended."""
    answer = benches("pocl").measure("auto_t5_guarded", (64, 64, 64), iterations=8, sessions=2, guard=guard)
    assert answer.status is MeasurementStatus.OK, answer.reason
    assert [len(session.wall_ns) for session in answer.sessions] == [8, 8]
    assert answer.guard is not None
    assert answer.guard.checked_launches == (1, 4, 7, 10, 13, 16)
    assert answer.guard.checks == len(answer.guard.check_ns) == 6
