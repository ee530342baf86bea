"""The algebra of the workloads' guards: sums that hold, that no wrong word keeps, and bounds by their formula."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pytest_weekops.core.guard.invariants import (
    GUARDED,
    as_words,
    mixed,
    multiset_hash,
    odd_weights,
    scan_sums,
    stretch_bounds,
    stretch_sums,
    word_sums,
)
from pytest_weekops.core.units import LEVEL1

U = 2.0**-24
WORDS = np.random.default_rng(3).integers(0, 2**32, 1000, dtype=np.uint32)


def test_guarded_are_workloads_by_their_names() -> None:
    """What a policy or a journal calls them."""
    assert set(GUARDED) < set(LEVEL1)


def test_weights_are_odd_and_differ_by_session() -> None:
    """An even one would let a flip of the highest bit through."""
    weights = odd_weights(64, seed=3, session=1)
    assert (weights.dtype, int((weights & 1).sum())) == (np.dtype(np.uint32), 64)
    assert np.array_equal(weights, odd_weights(64, seed=3, session=1))
    assert not np.array_equal(weights, odd_weights(64, seed=3, session=2))


@pytest.mark.parametrize("columns", [1, 8, 300, 1000])
def test_sums_of_words_are_by_their_definition(columns: int) -> None:
    """Modulo 2**32, whether or not the last row is short."""
    weights = odd_weights(columns, seed=3, session=1)
    rows = [WORDS[first : first + columns].tolist() for first in range(0, WORDS.size, columns)]
    slow = [sum(w * x for w, x in zip(weights.tolist(), row, strict=False)) % 2**32 for row in rows]
    assert word_sums(WORDS, weights).tolist() == slow


@pytest.mark.parametrize("bit", range(32))
def test_a_flip_of_any_bit_changes_its_rows_sum_and_no_other(bit: int) -> None:
    """That is what an odd weight is for; and the hash of all, by its bijection."""
    weights = odd_weights(300, seed=3, session=1)
    flipped = WORDS.copy()
    flipped[450] ^= np.uint32(1 << bit)
    assert np.flatnonzero(word_sums(flipped, weights) != word_sums(WORDS, weights)).tolist() == [1]
    assert multiset_hash(flipped) != multiset_hash(WORDS)


@pytest.mark.parametrize("columns", [8, 300, 1000])
def test_sums_of_prefix_sums_need_no_prefix_sums(columns: int) -> None:
    """From the numbers alone, negative ones among them, and with a short last row."""
    x = np.random.default_rng(3).integers(-4096, 4096, 1000, dtype=np.int32)
    weights = odd_weights(columns, seed=3, session=1)
    right = np.cumsum(x, dtype=np.int32)
    assert np.array_equal(scan_sums(x, weights), word_sums(as_words(right), weights))


def test_a_hash_of_all_knows_no_order_and_counts_every_word() -> None:
    """Sorted, it is the same; one word for another of the two that are there, it is not."""
    assert multiset_hash(np.sort(WORDS)) == multiset_hash(WORDS)
    twice = WORDS.copy()
    twice[0] = twice[1]
    assert multiset_hash(twice) != multiset_hash(WORDS)
    low = np.arange(2**16, dtype=np.uint32)
    assert np.unique(np.concatenate([mixed(low), mixed(low << np.uint32(16))])).size == 2**17 - 1


def test_sums_of_stretches_are_signed_and_the_last_may_be_short() -> None:
    """What is missing is 0, in the sum and in the mean of squares."""
    signs = np.array([1.0, -1.0, 1.0, 1.0])
    sums, rms = stretch_sums(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 1.0]), signs)
    assert sums.tolist() == [6.0, 4.0]
    assert rms == pytest.approx([math.sqrt(30.0) / 2.0, math.sqrt(26.0) / 2.0])


def test_bounds_follow_the_formula() -> None:
    """Z * B * unit * sqrt(columns), B * unit of one element alone, and the check's own roundings beside it."""
    rms = np.array([1.0, 1e6])
    assert stretch_bounds(rms, 64, unit=U, bound_units=12.0, z=8.0).tolist() == [8.0 * 12.0 * U * 8.0] * 2
    assert stretch_bounds(rms, 1, unit=U, bound_units=12.0, z=8.0).tolist() == [12.0 * U] * 2
    wide = stretch_bounds(rms, 64, unit=U, bound_units=12.0, z=8.0, lanes=4)
    assert wide[0] < 1.02 * 8.0 * 12.0 * U * 8.0
    assert wide[1] > 1e6 * U


def test_errors_as_large_as_allowed_are_within_the_bound_whatever_they_are() -> None:
    """Hoeffding's inequality takes no distribution: all of one size and sign, and none beyond z = 8."""
    signs = 2.0 * np.random.default_rng(5).integers(0, 2, (20_000, 128)) - 1.0
    residuals = np.abs(signs.sum(axis=1)) * 12.0 * U
    (bound,) = stretch_bounds(np.ones(1), 128, unit=U, bound_units=12.0, z=8.0)
    assert residuals.max() < 0.75 * bound
    (tight,) = stretch_bounds(np.ones(1), 128, unit=U, bound_units=12.0, z=1.0)
    assert (residuals > tight).mean() > 0.2, "a bound of one deviation is exceeded often: the test can fail"
