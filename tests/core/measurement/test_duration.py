"""How long the rest of a run takes: real runs replayed, and what the first cases may not do to the estimate."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.measurement.duration import Duration, Spent, spent_on
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.plan import CampaignPlan, PressurePlan
from pytest_weekops.core.measurement.records import Case, Measurement, MeasurementStatus, SessionSamples
from pytest_weekops.core.measurement.schedule import measuring_order

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("durations.json").read_text(encoding="utf-8"))
RUNS = {run["name"]: run for run in RECORDED["runs"]}
# Other programs left the machine during the last case of this run, and it took 0.7 of its time before: nobody can know.
CALMED_DOWN = {"grow": 3}


def case(size: int = 256, *, platform: str = "pocl", kernel: str = "auto", seed: int = 11, snapshot: int = 1) -> Case:
    """One case."""
    return Case(platform=platform, kernel=kernel, size=size, seed=seed, snapshot=snapshot)


def plan(sizes: Sequence[int] = (256,), **changes: Any) -> CampaignPlan:
    """A weekly plan of one kernel without pressure."""
    fields = {"platforms": ("pocl",), "kernels": ("auto",), "seeds": (11,), "session_ms": 1000.0} | changes
    return CampaignPlan(kind="weekly", sizes=tuple(sizes), pressure=PressurePlan(pulses=0), **fields)


def replayed(run: dict[str, Any]) -> Iterator[tuple[int, float, float]]:
    """After each case of a recorded run: its number, the estimate of what is left, and what was left in truth."""
    probes = {(label, name): ms * 1e-3 for label, each in run["probe_ms"].items() for name, ms in each.items()}
    duration = Duration(CampaignPlan.model_validate(run["plan"]), probe_s=probes)
    rows = [dict(zip(RECORDED["columns"], values, strict=True)) for values in run["cases"]]
    cases = [Case.model_validate({name: row[name] for name in Case.model_fields}) for row in rows]
    snapshot = 0
    for number, (row, now) in enumerate(zip(rows, cases, strict=True), start=1):
        if now.snapshot != snapshot:
            snapshot = now.snapshot
            duration.begin_snapshot(snapshot, row["began_s"] - run["snapshots_began_s"][snapshot - 1])
        parts = ("device_s", "build_s", "warm_up_s", "timed_s", "launch_s", "anchor_s", "attempts")
        duration.add(Spent(now, row["ended_s"] - row["began_s"], **{part: row[part] for part in parts}))
        yield number, duration.left_s(cases[number:]), rows[-1]["ended_s"] - row["ended_s"]


@pytest.mark.parametrize("name", RUNS)
def test_the_estimate_is_within_a_third_of_the_truth_from_the_second_case_on(name: str) -> None:
    """Weekly runs of real drivers on a machine with other work, as they were recorded."""
    found = list(replayed(RUNS[name]))
    assert found[-1][1] == 0.0
    asked = found[1 : len(found) - CALMED_DOWN.get(name, 0)]
    far = [(number, round(left, 1), round(truth, 1)) for number, left, truth in asked if abs(left - truth) > truth / 3]
    assert not far, f"case, estimate, truth: {far}"


@pytest.mark.parametrize("name", RUNS)
def test_the_first_case_does_not_speak_for_all(name: str) -> None:
    """It includes the compiler's start, trials and a reference: after it alone, the estimate is within a half."""
    _number, left, truth = next(replayed(RUNS[name]))
    assert truth / 2 < left < truth * 1.5


def test_the_recordings_would_show_a_bad_estimate() -> None:
    """What is measured so far, carried on by nominal work, is the estimate that once said 31 minutes for five."""
    bad = 0
    for run in RUNS.values():
        rows = [dict(zip(RECORDED["columns"], values, strict=True)) for values in run["cases"]]
        work = [KernelOperation().nominal_s(row["size"]) for row in rows]
        for number in range(2, len(rows)):
            passed, left = (
                rows[number - 1]["ended_s"] - rows[0]["began_s"],
                rows[-1]["ended_s"] - rows[number - 1]["ended_s"],
            )
            bad += abs(passed * sum(work[number:]) / sum(work[:number]) - left) > left / 3
    assert bad > len(RUNS)


def test_a_larger_size_is_reckoned_before_it_is_measured() -> None:
    """Eight launches of a size eight times as large take 512 times as long, once the session is full."""
    order = list(measuring_order(plan((512, 4096), snapshots=2)))
    duration = Duration(plan((512, 4096), snapshots=2))
    duration.begin_snapshot(1, 0.0)
    duration.add(Spent(order[0], 3.0, 2.7, timed_s=2.0, launch_s=0.01))
    launches = 2 * 2 * (8 + 2) * 0.01 * 512  # snapshots, sessions, timed and warm-up
    assert launches < duration.left_s(order[1:]) < 1.5 * launches


def test_attempts_that_were_void_are_no_habit() -> None:
    """The first case was measured five times while the host settled; the others are not charged the same."""
    order = list(measuring_order(plan((256, 512), snapshots=6)))
    duration = Duration(plan((256, 512), snapshots=6))
    duration.begin_snapshot(1, 0.0)
    duration.add(Spent(order[0], 113.0, 2.7, timed_s=2.0, launch_s=0.01, attempts=5))
    assert duration.left_s(order[1:]) < 11 * (3.0 + 0.25 * 110)
    calm = duration.left_s(order[1:2])
    for now in order[1:6]:
        duration.add(Spent(now, 3.0, 2.7, timed_s=2.0, launch_s=0.01))
    assert duration.left_s(order[6:7]) < calm


def test_a_platform_that_is_left_out_takes_no_time() -> None:
    """After a failed opening gate its cases are skipped, and nobody is told to wait for them."""
    two = plan(platforms=("pocl", "clover"), snapshots=3)
    order = list(measuring_order(two))
    duration = Duration(two)
    duration.begin_snapshot(1, 0.0)
    for now in order[:2]:
        gone = now.platform == "clover"
        duration.add(Spent(now, 0.0 if gone else 3.0, 0.0 if gone else 2.7, timed_s=2.0, launch_s=0.01, skipped=gone))
    assert duration.left_s([now for now in order[2:] if now.platform == "clover"]) == 0.0
    assert duration.left_s(order[2:]) == pytest.approx(6.0, rel=0.2)


def test_the_snapshot_interval_is_waited_for() -> None:
    """Three snapshots 600 s apart: what is left of this one's interval, the next one's, and the last one's case."""
    slow = plan(snapshots=3, snapshot_interval_s=600.0)
    order = list(measuring_order(slow))
    duration = Duration(slow)
    assert duration.left_s(order) == pytest.approx(1200, rel=0.02)
    duration.begin_snapshot(1, 1.0)
    duration.add(Spent(order[0], 3.0, 2.7, timed_s=2.0, launch_s=0.01))
    assert duration.left_s(order[1:]) == pytest.approx(596 + 600 + 3, abs=2)


def test_a_size_of_a_platform_that_is_left_out_takes_no_time_either() -> None:
    """Its first case was skipped at another size."""
    two = plan((96, 512), platforms=("clover",))
    duration = Duration(two)
    duration.add(Spent(case(96, platform="clover"), 0.0, 0.0, skipped=True))
    assert duration.left_s([case(512, platform="clover")]) < 0.1


def test_what_a_measurement_took_is_read_from_its_phases() -> None:
    """The last attempt's phases, the median of its launches, and the host's anchor; parts are never above the whole."""
    session = SessionSamples(
        session=1, wall_ns=(2_000_000, 9_000_000, 3_000_000), verified=True, max_abs_error=0.0, k_scaled_error=0.0
    )
    answer = Measurement(
        case=case(),
        status=MeasurementStatus.OK,
        sessions=(session,),
        phase_s={"build": 0.5, "warm-up": 0.25, "launch": 0.014, "verify": 1.0},
        host=HostCondition(anchor_before_ms=30.0),
        attempt=2,
        elapsed_s=4.0,
    )
    found = spent_on(answer, 9.0)
    assert found == Spent(case(), 9.0, 4.0, 0.5, 0.25, 0.014, 0.003, 0.03, attempts=2)
    bare = spent_on(Measurement(case=case(), status=MeasurementStatus.SKIPPED, elapsed_s=4.0), 1.0)
    assert (bare.device_s, bare.launch_s, bare.skipped) == (1.0, 0.0, True)


@given(
    st.lists(
        st.tuples(st.sampled_from((1, 96, 8192)), st.integers(0, 3), *[st.floats(0, 1e4) for _ in range(5)]),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_was_measured_the_estimate_is_a_time(
    rows: list[tuple[int, int, float, float, float, float, float]],
) -> None:
    """Zeros, parts larger than the whole, retries: never negative, never endless; fewer cases never take longer."""
    duration = Duration(plan((1, 96, 8192)))
    duration.begin_snapshot(1, 0.0)
    for size, attempts, total, build, warm_up, timed, launch in rows:
        duration.add(Spent(case(size), total, total / 2, build, warm_up, timed, launch, attempts=attempts))
    coming = [case(size, snapshot=snapshot) for snapshot in (2, 3) for size in (1, 96, 8192)]
    times = [duration.left_s(coming[:count]) for count in range(7)]
    assert times[0] == 0.0
    assert times == sorted(times)
    assert math.isfinite(times[-1])
