"""The line of a case: at most 79 columns whatever the names are, and what came of the case always whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case, Measurement, MeasurementStatus, SessionSamples
from pytest_weekops.report.case_line import case_line, clock, result_words

PLAN = CampaignPlan(kind="weekly", platforms=("pocl",), kernels=("auto",), sizes=(1400,), seeds=(4711,))
SEEDS = PLAN.model_copy(update={"seeds": (4711, 4712)})


def measured(
    *, platform: str = "pocl", kernel: str = "auto_t3_controlled", size: int = 1400, ms: float = 40.0, **fields: Any
) -> Measurement:
    """The answer to one case: one session with one launch of so many milliseconds."""
    session = SessionSamples(
        session=1, wall_ns=(round(ms * 1e6),), verified=True, max_abs_error=0.0, k_scaled_error=0.0
    )
    answer = {"status": MeasurementStatus.OK, "flops": 2.0 * size**3, "sessions": (session,)} | fields
    return Measurement(case=Case(platform=platform, kernel=kernel, size=size, seed=4711, snapshot=3), **answer)


def test_a_line_says_place_case_result_and_what_is_left() -> None:
    """All in 79 columns, the columns below each other from line to line."""
    first = case_line(measured(), PLAN, done=9, cases=12, left_s=200)
    assert first == f" 9/12 s3 pocl auto_t3_controlled 1400{'137.2 GFLOPS  ~3m20s left':>42}"
    last = case_line(measured(kernel="triad", ms=0.2), PLAN, done=12, cases=12, left_s=0)
    assert last.startswith("12/12 s3 pocl triad 1400  ")
    assert last.endswith(" GFLOPS         done")
    assert len(first) == 79


def test_the_seed_stands_there_where_there_are_several() -> None:
    """Otherwise it would be the same in every line."""
    assert "seed 4711" in case_line(measured(), SEEDS, done=1, cases=9, left_s=1)
    assert "seed" not in case_line(measured(), PLAN, done=1, cases=9, left_s=1)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": MeasurementStatus.LAUNCH_FAILED}, "LAUNCH_FAILED"),
        ({"void": True}, "VOID 137.2 GFLOPS"),
        ({"flaky": True, "void": True}, "VOID FLAKY 137.2 GFLOPS"),
        ({"sessions": ()}, "ok"),
        ({"unit": "GB/s", "bytes_moved": 4e8}, "10.0 GB/s"),
    ],
)
def test_how_a_case_ended_is_never_cut(fields: dict[str, Any], words: str) -> None:
    """However long the names are."""
    answer = measured(platform="p" * 90, **fields)
    assert result_words(answer, PLAN) == words
    line = case_line(answer, SEEDS, done=99999, cases=100000, left_s=359999)
    assert f"{words} " in line
    assert line.endswith("~99h59m left")
    assert ".." in line
    assert len(line) <= 79


def test_the_throughput_is_that_of_the_launches_that_count() -> None:
    """As the table has it; where other programs disturbed every launch, of all of them, and the case is void."""
    plan = PLAN.model_copy(update={"max_run_delay_percent": 5.0})
    watched: dict[str, Any] = {"session": 1, "verified": True, "max_abs_error": 0.0, "k_scaled_error": 0.0}
    late = 60_000_000  # ns of run delay, of a launch that would have taken 40 ms
    for delays, words in (((0, late), "137.2 GFLOPS"), ((late, late), "78.4 GFLOPS")):
        session = SessionSamples(wall_ns=(40_000_000, 100_000_000), delay_ns=delays, **watched)
        answer = measured(sessions=(session,), host=HostCondition(others_percent=40.0))
        assert result_words(answer, plan) == words


def test_of_a_long_name_both_ends_are_kept() -> None:
    """The snapshot and the size tell the cases of one kernel apart."""
    line = case_line(measured(kernel="own_kernel_" * 9), PLAN, done=1, cases=24, left_s=60)
    assert line.startswith(" 1/24 s3 pocl own_")
    assert "own_kernel_ 1400 " in line


@given(st.text(max_size=80), st.text(max_size=80), st.integers(1, 10**7))
def test_no_name_makes_a_line_too_wide(platform: str, kernel: str, cases: int) -> None:
    """Wide letters, control characters, joined emojis: one printable line that fits."""
    answer = measured(platform=platform, kernel=kernel, void=True)
    line = case_line(answer, SEEDS, done=cases, cases=cases, left_s=1)
    assert cell_len(line) <= 79
    assert line.isprintable()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0s"), (59.4, "59s"), (59.6, "1m00s"), (3599.6, "1h00m"), (7260, "2h01m"), (-3, "0s")]
)
def test_a_time_is_short(seconds: float, words: str) -> None:
    """Two units at most."""
    assert clock(seconds) == words
