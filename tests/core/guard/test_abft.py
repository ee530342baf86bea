"""The guard's algebra: sums that hold, thresholds by their formula, and evidence that cannot pass when bare."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.guard.abft import (
    column_sums,
    differing_bits,
    draw_lines,
    reference_sums,
    residual_sd,
    sampled_thresholds,
    sign_vector,
    thresholds,
    usable,
)
from pytest_weekops.core.guard.evidence import GuardTally
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.problem import gemm_inputs
from pytest_weekops.core.measurement.stats import median_interval


def test_the_sums_are_those_of_the_product() -> None:
    """A (B w) is (A B) w, in float64, at shapes beyond one block of rows."""
    a, b = gemm_inputs(m=300, n=41, k=277, seed=3)
    w = sign_vector(41, seed=3, session=1)
    exact = (a.astype(np.float64) @ b.astype(np.float64)) @ w.astype(np.float64)
    assert np.allclose(reference_sums(a, b, w), exact, rtol=0, atol=1e-10)


def test_sign_vectors_are_signs_and_differ_by_session() -> None:
    """About half of them are negative."""
    w = sign_vector(4096, seed=3, session=1)
    assert set(np.unique(w)) == {-1.0, 1.0}
    assert abs(float(w.sum())) < 6 * 64
    assert not np.array_equal(w, sign_vector(4096, seed=3, session=2))
    assert np.array_equal(w, sign_vector(4096, seed=3, session=1))


def test_thresholds_follow_the_formula_and_the_inputs_scale() -> None:
    """Z * 0.36 u k sqrt(n) rms(A_i) rms(B), per row."""
    a = np.array([[3.0, 3.0], [1.0, 1.0]], dtype=np.float32)
    b = np.full((2, 4), 2.0, dtype=np.float32)
    unit = 8.0 * 0.36 * 2.0**-24 * 2 * 2.0 * 2.0
    assert thresholds(a, b) == pytest.approx([3.0 * unit, unit])
    assert thresholds(a, b, z=4.0) == pytest.approx([1.5 * unit, 0.5 * unit])


@pytest.mark.parametrize("lanes", [4, 32, 64])
def test_the_checks_own_roundings_are_in_the_deviation(lanes: int) -> None:
    """At k = 16 most of a right row's residual is the check's: its partial sums, laid out as the kernel has them."""
    m, n, k = 2000, 831, 16
    a, b = gemm_inputs(m=m, n=n, k=k, seed=5)
    w = sign_vector(n, seed=5, session=1)
    signed = (a @ b) * w
    whole = n // lanes * lanes
    partial = np.zeros((m, lanes), dtype=np.float32)
    for first in range(0, whole, lanes):
        partial += signed[:, first : first + lanes]
    rest = np.zeros(m, dtype=np.float32)
    for column in range(whole, n):
        rest += signed[:, column]
    while partial.shape[1] > 1:
        half = partial.shape[1] // 2
        partial = partial[:, :half] + partial[:, half:]
    reference = reference_sums(a, b, w).astype(np.float32)
    residual = ((partial[:, 0] + rest) - reference).astype(np.float64)
    shares = residual / residual_sd(a, b, lanes=lanes)
    assert 0.5 < float(np.sqrt(np.mean(shares**2))) < 1.1
    assert float(np.max(np.abs(shares))) < 6.0
    assert float(np.sqrt(np.mean((residual / residual_sd(a, b)) ** 2))) > 1.2  # what a bound without it would see


def test_at_a_campaigns_sizes_the_check_adds_next_to_nothing() -> None:
    """Wider bounds would cost recall: at 1400 it is less than 2 % for the vectors of a CPU driver."""
    a, b = gemm_inputs(m=8, n=1400, k=1400, seed=5)
    wider = residual_sd(a, b, lanes=32) / residual_sd(a, b)
    assert 1.0 < float(np.max(wider)) < 1.02


def test_a_float32_product_stays_below_half_its_thresholds() -> None:
    """NumPy's own product is a good launch."""
    a, b = gemm_inputs(m=256, n=256, k=256, seed=5)
    w = sign_vector(256, seed=5, session=1)
    residual = np.abs((a @ b).astype(np.float64) @ w.astype(np.float64) - reference_sums(a, b, w))
    assert float(np.max(residual / thresholds(a, b))) < 0.5


def test_the_columns_sums_are_those_of_the_product() -> None:
    """(v^T A) B is v^T (A B), in float64."""
    a, b = gemm_inputs(m=300, n=277, k=41, seed=3)
    v = sign_vector(300, seed=3, session=1, columns=True)
    exact = v.astype(np.float64) @ (a.astype(np.float64) @ b.astype(np.float64))
    assert np.allclose(column_sums(a, b, v), exact, rtol=0, atol=1e-10)


def test_rows_and_columns_are_summed_with_different_signs() -> None:
    """On a square C the two sides would otherwise share their blind spots."""
    rows, columns = (sign_vector(512, seed=3, session=1, columns=side) for side in (False, True))
    assert 128 < int(np.count_nonzero(rows != columns)) < 384


@pytest.mark.parametrize(("n", "times"), [(1400, 44.4), (3072, 13.7)])
def test_the_older_numbers_give_their_floor(n: int, times: float) -> None:
    """Scale 5, margin 0.01 and floor 0.05 on N(0, 1) data: 0.05, these many standard deviations of a good row."""
    sd = np.array([0.36 * 2.0**-24 * n * math.sqrt(n)])
    (threshold,) = sampled_thresholds(sd, scale=5.0, margin=0.01, floor=0.05)
    assert threshold == 0.05
    assert threshold / sd[0] == pytest.approx(times, rel=0.01)


def test_beyond_the_floor_scale_and_margin_make_the_threshold() -> None:
    """max(floor, scale * sd + margin), line by line."""
    found = sampled_thresholds(np.array([0.001, 0.1]), scale=5.0, margin=0.01, floor=0.05)
    assert found == pytest.approx([0.05, 0.51])


def test_a_float32_product_stays_below_the_sampled_thresholds() -> None:
    """NumPy's own product, its columns with their own scale, by the full guard's 8 standard deviations."""
    a, b = gemm_inputs(m=200, n=256, k=256, seed=5)
    b[:, 3] *= np.float32(100)
    v = sign_vector(200, seed=5, session=1, columns=True)
    residual = np.abs(v.astype(np.float64) @ (a @ b).astype(np.float64) - column_sums(a, b, v))
    limits = sampled_thresholds(residual_sd(b.T, a.T), scale=8.0, margin=0.0, floor=0.0)
    assert float(np.max(residual / limits)) < 0.5
    assert limits[3] > 50 * limits[4]


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0, -1.0, 1e-60, 1e60])
def test_a_threshold_that_tells_nothing_is_refused(value: float) -> None:
    """Not a number above 0 and below infinity in float32: with the line and the value."""
    with pytest.raises(DeviceError, match=r"threshold of line 1 is .*tells no right result from a wrong one"):
        usable(np.array([1.0, value]))


def test_every_float32_above_zero_is_a_threshold() -> None:
    """From the least to the largest; the bounds come back as they were, in float64."""
    limits = np.finfo(np.float32)
    bounds = np.array([float(limits.smallest_subnormal), 0.1, float(limits.max)])
    assert usable(bounds) is bounds


def test_lines_are_drawn_without_repetition_and_the_same_everywhere() -> None:
    """A function of seed, draw, launch and side; every line has its turn."""
    facts: dict[str, Any] = {"seed": 11, "draw": 1, "launch": 7}
    assert draw_lines(100, 5, **facts) == draw_lines(100, 5, **facts)
    others = [{**facts, name: value + 1} for name, value in facts.items()]
    assert all(draw_lines(100, 5, **other) != draw_lines(100, 5, **facts) for other in others)
    assert draw_lines(100, 5, **facts, columns=True) != draw_lines(100, 5, **facts)
    assert draw_lines(4, 9, **facts) == (0, 1, 2, 3)
    counts = np.zeros(50)
    for launch in range(1000):
        found = draw_lines(50, 5, seed=11, draw=1, launch=launch)
        assert len(set(found)) == 5
        counts[list(found)] += 1
    assert counts.min() > 60, "a hundred each, give or take ten"
    assert counts.max() < 140


def test_differing_bits_are_numbered_from_the_sign() -> None:
    """Sign 31, exponent 30 to 23."""
    assert differing_bits(1.0, 1.0) == ()
    assert differing_bits(-1.0, 1.0) == (31,)
    assert differing_bits(math.nan, 0.0)[0] == 30


def test_overhead_does_not_depend_on_the_number_of_launches() -> None:
    """4, 8 or 40 launches at the same cost give the same figure; one spike moves the worst and not the median."""
    for count in (4, 8, 40):
        tally = GuardTally()
        tally.tested("", 0.2)
        for _ in range(count):
            tally.checked(1_000_000, 20_000)
        tally.checked(1_000_000, 900_000)
        evidence = tally.evidence()
        assert evidence.overhead_percent == pytest.approx(2.0)
        assert evidence.overhead_worst_percent == pytest.approx(90.0)
        assert evidence.spikes == 1
        assert evidence.checks == count + 1


def test_a_period_amortises_the_overhead() -> None:
    """Every twentieth launch is checked: a twentieth of the cost, and the cost per check beside it."""
    tally = GuardTally(GuardSettings(period=20))
    tally.tested("", 0.2)
    tally.checked(1_000_000, 200_000)
    evidence = tally.evidence()
    assert evidence.overhead_percent == pytest.approx(1.0)
    assert evidence.overhead_per_check_percent == pytest.approx(20.0)


def test_a_guard_that_was_never_tested_or_never_checked_cannot_pass() -> None:
    """No self-test is a disabled guard; no check has no overhead that a bound could accept."""
    bare = GuardTally().evidence()
    assert bare.disable_events == 1
    assert math.isnan(bare.overhead_percent)
    assert math.isnan(bare.false_positive_rate)
    failed = GuardTally()
    failed.tested("no row was found", 0.1)
    assert failed.evidence().disable_reason == "no row was found"


def test_false_alarms_and_detections_are_told_apart() -> None:
    """The rate counts false alarms only."""
    tally = GuardTally()
    tally.tested("", 0.2)
    for _ in range(10):
        tally.checked(100, 1)
    tally.alarmed(real=False, text="nothing")
    tally.alarmed(real=True, text="row 3")
    evidence = tally.evidence()
    assert evidence.false_positive_rate == pytest.approx(0.1)
    assert evidence.detections == ("row 3",)


def test_the_medians_interval_covers_it() -> None:
    """About 95 % of samples of 41 from a known distribution."""
    generator = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        low, high = median_interval(generator.standard_normal(41).tolist())
        hits += low <= 0.0 <= high
    assert hits >= 370
    assert all(math.isnan(edge) for edge in median_interval([]))
