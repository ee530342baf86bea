"""Level 0 as a bound: what may become one, of whom it speaks, and that it only ever takes room away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pytest_weekops.core.measurement.peak import ITEMS, PeakResult, found, without_number
from pytest_weekops.core.measurement.peak_bound import (
    MEMORY,
    PeakRecord,
    most_beyond_peak,
    not_of,
    peak_record,
)
from pytest_weekops.core.units import RESULTS_ONLY, SHIPPED_UNITS
from tests.support.examples import examples
from tests.support.synthetic import make_identity

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ME = make_identity("pocl")
FLOAT = found(ITEMS["arithmetic_float"], [2.0, 1.0], 100.0, "", 50.0)
COPY = found(ITEMS["memory_copy"], [1.0], 20.0, "", 64e6)
TRIAD = found(ITEMS["memory_triad"], [1.0], 25.0, "", 96e6)


def make_peak(**changes: Any) -> PeakRecord:
    """100 GFLOPS and 25 GB/s on arrays of 96 MB in all, measured just now."""
    return peak_record(ME, (FLOAT, COPY, TRIAD), NOW, 3.0).model_copy(update=changes)


def test_the_fastest_of_each_kind_is_kept() -> None:
    """The best batch, and the largest launch of the memory items; of a GPU the host's load says nothing."""
    peak = make_peak()
    assert (peak.gflops, peak.gbs, peak.nbytes, peak.others_percent) == (100.0, 25.0, 96e6, 3.0)
    assert (peak.platform, peak.host, peak.library_sha256) == ("pocl", "host", "0" * 64)
    gpu = ME.model_copy(update={"device_type": "gpu"})
    assert peak_record(gpu, (FLOAT,), NOW, 90.0).others_percent is None
    alone = peak_record(ME, (COPY,), NOW, 0.0)
    assert (alone.gflops, alone.gbs, alone.nbytes) == (None, 20.0, 64e6)


@pytest.mark.parametrize(
    ("items", "others", "words"),
    [
        ((FLOAT,), None, "how much is not known"),
        ((FLOAT,), 20.5, "20 % of the CPUs, and 20 % are the most"),
        ((), 0.0, "neither arithmetic_float nor any of memory_copy"),
        ((without_number(ITEMS["arithmetic_float"], "wrong", "item 3"),), 0.0, "was measured and right"),
        ((FLOAT.model_copy(update={"reason": "it went down over wider vectors"}),), 0.0, "was measured and right"),
    ],
)
def test_what_is_no_peak_bounds_nothing(items: tuple[PeakResult, ...], others: float | None, words: str) -> None:
    """A busy host's, and one of which nothing was right."""
    with pytest.raises(ValueError, match=words):
        peak_record(ME, items, NOW, others)


def test_a_driver_that_did_not_come_up_bounds_nothing() -> None:
    """Whoever it was."""
    with pytest.raises(ValueError, match="did not come up"):
        peak_record(None, (FLOAT,), NOW, 0.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gflops": None, "gbs": None}, "neither arithmetic nor memory"),
        ({"nbytes": 0.0}, "how much a launch moved"),
        ({"gflops": float("inf")}, "finite"),
        ({"gflops": -1.0}, "greater than 0"),
        ({"made_at": "2026-11-24T12:00:00"}, "no time zone"),
        ({"library_sha256": "x"}, "pattern"),
    ],
)
def test_a_record_that_says_nothing_is_none(changes: dict[str, Any], words: str) -> None:
    """Read back from a file it is as strict."""
    with pytest.raises(ValidationError, match=words):
        PeakRecord.model_validate({**make_peak().model_dump(mode="json"), **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"host": "other"}, "on another device, pocl device in other"),
        ({"hardware": "a processor x 4"}, "on another device"),
        ({"device_name": "pthread"}, "on another device, pthread"),
        ({"library_sha256": "1" * 64}, "with another driver, 1"),
        ({"library_sha256": "1" * 64, "driver_version": ""}, "with another driver, 111111111111"),
        ({"compute_units": 1}, "set up otherwise"),
        ({"environment": {"POCL_MAX_PTHREAD_COUNT": "1"}}, "set up otherwise"),
        ({"environment": {"OCL_ICD_VENDORS": "/here/pocl.icd"}}, ""),
        ({"made_at": NOW - timedelta(days=90)}, ""),
        ({"made_at": NOW - timedelta(days=91)}, "91 days old, and 90 are the most"),
        ({"made_at": NOW + timedelta(hours=23)}, ""),
        ({"made_at": NOW + timedelta(days=2)}, "is yet to come"),
        ({"made_at": datetime.fromisoformat("0001-01-01T00:00:00+14:00")}, "days old"),
    ],
)
def test_it_speaks_of_one_device_and_driver_for_a_time(changes: dict[str, Any], words: str) -> None:
    """Another one's would be a false alarm, or none."""
    said = not_of(make_peak(**changes), ME, NOW)
    assert words in said if words else said == ""


def test_a_run_without_a_date_is_bounded_all_the_same() -> None:
    """Else the way around it would be to take the date out."""
    assert not_of(make_peak(made_at=NOW - timedelta(days=400)), ME, None) == ""


@pytest.mark.parametrize(
    ("operation", "moved", "is_cpu", "most"),
    [
        ("gemm", 1e9, True, (400.0, None)),
        ("gemm", 1e9, False, (800.0, None)),
        ("triad", 192e6, True, (None, 100.0)),
        ("triad", 191e6, True, (None, None)),  # may lie in a cache
        ("triad", float("nan"), True, (None, None)),
        ("mine", 1e12, True, (None, None)),
        ("queue", 1e12, True, (None, None)),
    ],
)
def test_what_no_healthy_driver_goes_beyond(
    operation: str, moved: float, is_cpu: bool, most: tuple[float | None, float | None]
) -> None:
    """In the operation's own unit, and of shipped ones alone."""
    assert most_beyond_peak(make_peak(), operation, moved, is_cpu=is_cpu) == most


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from([*SHIPPED_UNITS, "mine"]),
    st.floats(),
    st.none() | st.floats(1e-6, 1e9),
    st.none() | st.floats(1e-6, 1e9),
    st.booleans(),
)
def test_a_bound_is_never_below_what_was_measured(
    operation: str, moved: float, gflops: float | None, gbs: float | None, is_cpu: bool
) -> None:
    """A device that reaches its own level 0 again, a driver that serves a kernel a little better: no alarm."""
    peak = make_peak().model_copy(update={"gflops": gflops, "gbs": gbs})
    flops, nbytes = most_beyond_peak(peak, operation, moved, is_cpu=is_cpu)
    assert flops is None or (gflops is not None and flops >= 4.0 * gflops)
    assert nbytes is None or (gbs is not None and nbytes >= 4.0 * gbs and moved >= 2 * peak.nbytes)
    if operation in RESULTS_ONLY:
        assert (flops, nbytes) == (None, None)


def test_the_items_are_those_of_level_0() -> None:
    """By their names and units."""
    assert {ITEMS[name].unit for name in MEMORY} == {"GB/s"}
