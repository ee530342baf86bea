"""A kernel that turns wrong after some good launches: the guard catches that launch, and its words are complete.

The kernel counts its launches in the padding of C, which is NaN before a session and no part of the result; the
work-item that counts is the one that goes wrong, so that nothing depends on the order of work-items.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.guard.abft import thresholds
from pytest_weekops.core.guard.coverage import CostRule, is_drawn
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.problem import gemm_inputs
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from tests.device.test_misbehaviour import HEAD
from tests.support.benches import Bench

Open = Callable[[str], Bench]
Write = Callable[..., Path]
pytestmark = pytest.mark.device
N, ROW, COLUMN, SEED = 60, 17, 5, 5
WARM = 9  # the first launches take longer, and only short ones tell a check's cost
TRIES = 24  # launches that do, with each verdict read back and in a chain


def counting(condition: str) -> str:
    """A kernel whose element (17, 5) has its lowest exponent bit flipped where ``launch`` fulfils the condition."""
    return (
        HEAD
        + f"""
    if (i == {ROW} && j == {COLUMN}) {{
        __global int *count = (__global int *)&C[i * ldc + n];
        const int launch = ++*count & 63;
        if ({condition}) sum = as_float(as_int(sum) ^ (1 << 23));
    }}
    C[i * ldc + j] = sum;
}}"""
    )


def measured(bench: Bench, kernel_dir: Path, cost: CostRule | None = None, **settings: object) -> Measurement:
    """Six timed launches behind one of warm-up: the kernel's launch number is the guard's plus 1.

    With a cost there are ``WARM`` and ``TRIES`` before them.
    """
    guard = GuardSettings.model_validate(settings)
    facts: dict[str, Any] = {"guard_cost": cost, "warmups": WARM} if cost else {}
    return bench.measure("mine", (N, N, N), iterations=6, guard=guard, kernel_dir=kernel_dir, **facts)


def test_a_kernel_that_only_counts_is_right(benches: Open, own_kernels: Write) -> None:
    """The counter by itself moves nothing beyond a bound."""
    answer = measured(benches("pocl"), own_kernels(counting("0"), "block"))
    assert answer.status is MeasurementStatus.OK, answer.reason
    assert answer.guard is not None
    assert (answer.guard.checks, answer.guard.detections, answer.guard.false_alarms) == (6, (), 0)


@pytest.mark.parametrize(
    ("condition", "repeats"),
    [
        ("launch >= 5", "a relaunch gave the same rows: deterministic"),
        ("launch == 5", "a relaunch gave 0 bad rows: transient"),
    ],
    ids=["deterministic", "transient"],
)
def test_a_launch_that_turns_wrong_is_caught_with_all_its_facts(
    benches: Open, own_kernels: Write, condition: str, repeats: str
) -> None:
    """Launch, row, column, value, what is right, the size of the error, threshold, bits, and whether it repeats."""
    answer = measured(benches("pocl"), own_kernels(counting(condition), "block"))
    assert answer.status is MeasurementStatus.WRONG
    assert answer.guard is not None
    assert answer.guard.checked_launches == (1, 2, 3, 4)
    assert not answer.sessions[0].verified
    words = (
        r"session 1: the guard caught launch 4: 1 bad rows, the first 17; row 17, column 5: (\S+) where (\S+) is right,"
        r" off by (\S+), (\S+) thresholds of (\S+), bits 23(?:, \d)*; " + re.escape(repeats)
    )
    found = re.fullmatch(words, answer.reason)
    assert found, answer.reason
    value, right, size, times, bound = map(float, found.groups())
    assert abs(value) == pytest.approx(2 * abs(right), rel=1e-4) or abs(value) == pytest.approx(
        abs(right) / 2, rel=1e-4
    )
    assert size == pytest.approx(abs(value - right), rel=1e-2)
    assert times == pytest.approx(size / bound, rel=1e-2)
    a, _b = gemm_inputs(m=N, n=N, k=N, seed=SEED, session=1)
    partial_sums = (16, 32, 64)  # four vectors of the width that this CPU has
    likely = [float(thresholds(a, a, lanes=lanes)[ROW]) for lanes in partial_sums]
    assert any(bound == pytest.approx(each, rel=0.05) for each in likely), "B's own scale is that of A"


def test_launches_after_the_first_are_checked_where_the_period_says(benches: Open, own_kernels: Write) -> None:
    """Launch 4 alone is wrong, and every third is checked: the first is good, the fourth is caught."""
    answer = measured(benches("pocl"), own_kernels(counting("launch == 5"), "block"), period=3)
    assert answer.status is MeasurementStatus.WRONG
    assert "the guard caught launch 4" in answer.reason
    assert answer.guard is not None
    assert answer.guard.checked_launches == (1, 4)


def test_a_transient_fault_between_checks_is_not_seen_by_the_guard(benches: Open, own_kernels: Write) -> None:
    """What a period costs: launch 2 alone was wrong, and only the gate's own look at every result saw it."""
    answer = measured(benches("pocl"), own_kernels(counting("launch == 3"), "block"), period=3)
    assert answer.status is MeasurementStatus.WRONG
    assert re.match(r"session 1: launch 2: error \S+ exceeds 0.001; row 17, column 5: ", answer.reason), answer.reason
    assert answer.guard is not None
    assert (answer.guard.checked_launches, answer.guard.detections) == ((1,), ())
    assert answer.guard.coverage_percent == pytest.approx(100 / 3)


TOO_MUCH = CostRule(most_percent=1e-9, longest_period=2)


def test_a_chain_tells_behind_the_session_which_launch_was_wrong(benches: Open, own_kernels: Write) -> None:
    """The look at its bits ends the session and has the element; the chain, read then, has the launch and the row."""
    launch = next(number for number in range(2, 7) if is_drawn(number - 1, 2, seed=SEED, draw=0))
    answer = measured(benches("pocl"), own_kernels(counting(f"launch == {WARM + TRIES + launch}"), "block"), TOO_MUCH)
    assert answer.status is MeasurementStatus.WRONG
    assert re.match(rf"session 1: launch {launch}: error \S+ exceeds 0.001; row 17, column 5: ", answer.reason)
    assert answer.guard is not None
    assert answer.guard.chained
    words = f"from launch {launch} on, the sums of 1 rows (17) are not what the inputs make them"
    assert (answer.guard.detections, answer.guard.false_alarms) == ((words,), 0)


@pytest.mark.parametrize(("launch", "known"), [(TRIES // 2, 0), (TRIES, 12)], ids=["read back", "chained"])
def test_a_launch_that_is_wrong_while_a_checks_cost_is_told_is_caught(
    benches: Open, own_kernels: Write, launch: int, known: int
) -> None:
    """No look sees those launches; the guard itself says so, either way."""
    answer = measured(benches("pocl"), own_kernels(counting(f"launch == {WARM + launch}"), "block"), TOO_MUCH)
    assert answer.status is MeasurementStatus.WRONG
    what = r"from try 12 on, the sums of 1 rows \(17\)" if known else "1 bad rows, the first 17; row 17, column 5"
    words = f"session 1: the guard caught a launch that was to tell a check's cost: {what}"
    assert re.match(words, answer.reason), answer.reason


def test_a_sampled_guard_that_draws_every_line_catches_it_too(benches: Open, own_kernels: Write) -> None:
    """By its row and by its column."""
    kernels = own_kernels(counting("launch == 5"), "block")
    answer = measured(benches("pocl"), kernels, row_samples=N, col_samples=N)
    assert answer.status is MeasurementStatus.WRONG
    assert "1 bad rows, the first 17 and 1 bad columns, the first 5; row 17, column 5" in answer.reason
    assert "a relaunch gave 0 bad rows and columns: transient" in answer.reason
