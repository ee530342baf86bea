"""The math functions' references and ULP against exact arithmetic, what counts as wrong, and real faults of drivers."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml

from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.core.units import MATH, STRICT_MATH
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.verify import Comparison
from pytest_weekops.device.workloads.maths import references as of
from pytest_weekops.device.workloads.maths.arguments import GRID, SPECIAL, arguments
from pytest_weekops.device.workloads.maths.operation import MathFunctions, right
from pytest_weekops.device.workloads.maths.table import EXACT, GROUPS, Function
from pytest_weekops.device.workloads.maths.ulp import errors, ulp_of
from pytest_weekops.files.shipped import data_dir
from tests.support.benches import Bench

SHAPE = Shape(61, 61, 61)
INF, NAN = math.inf, math.nan
LEAST, SUBNORMAL = 2.0**-126, 2.0**-130


def f64(*values: float) -> Array:
    """Numbers as float64."""
    return np.array(values, dtype=np.float64)


def test_a_ulp_is_the_distance_of_neighbours() -> None:
    """Of a power of two the nearer one, of 0 and of subnormals the least float there is."""
    assert ulp_of(f64(1.0, 1.25, -1.5, 2.0**127)).tolist() == [2.0**-24, 2.0**-23, 2.0**-23, 2.0**103]
    assert ulp_of(f64(0.0, 2.0**-149, 2.0**-127, LEAST)).tolist() == [2.0**-149] * 4


@np.errstate(all="ignore")
def test_errors_know_infinities_zeros_and_numbers_that_are_none() -> None:
    """A finite place has a finite error, and what overflows may do so a few ULP early."""
    largest = 2.0**128 - 2.0**104
    result = f64(1.0 + 2.0**-23, NAN, NAN, 1.0, INF, INF, -INF, INF, largest, -0.0, 2.0**-149)
    wanted = f64(1.25, NAN, 1.0, NAN, INF, 2.0**130, INF, largest, INF, 0.0, 0.0)
    off = errors(result, wanted, signs=True).tolist()
    assert off == [2.0**21 - 1.0, 0.0, INF, INF, 0.0, 0.0, INF, 1.0, INF, INF, 1.0]
    assert errors(f64(-0.0), f64(0.0), signs=False).tolist() == [0.0]


def exact_float(value: Fraction) -> float:
    """A fraction rounded to float32, ties to even, by whole numbers alone."""
    if value == 0:
        return 0.0
    size = abs(value)
    exponent = max(math.floor(math.log2(size.numerator) - math.log2(size.denominator)), -126) - 24
    steps = round(size / Fraction(2) ** exponent)  # a bit more than a float has, so that the next line rounds once
    while steps >= 2**24:
        exponent += 1
        steps = round(size / Fraction(2) ** exponent)
    steps = round(size / Fraction(2) ** max(exponent, -149))
    return math.copysign(float(steps * Fraction(2) ** max(exponent, -149)), value)


@np.errstate(all="ignore")
def test_what_is_exact_is_what_fractions_say() -> None:
    """fma, remainder and its quotient, on arguments of all kinds, near ties and among subnormals."""
    given = arguments(40, 3, 1)
    x, y, z = (given[name].astype(np.float64) for name in "xyz")
    finite = np.isfinite(x) & np.isfinite(y) & np.isfinite(z) & (np.abs(x) < 2**60) & (np.abs(y) < 2**60)
    finite &= (np.abs(z) < 2**60) & (y != 0)
    x, y, z = x[finite], y[finite], z[finite]
    x = np.concatenate([x, f64(1.0 - 2.0**-24, 1.0 + 2.0**-12)])
    y = np.concatenate([y, f64(LEAST, 1.0 + 2.0**-12)])
    z = np.concatenate([z, f64(0.0, 2.0**-60)])
    assert x.size > 1000
    sums, rests, quotients = of.fma(x, y, z), of.remainder(x, y), of.remquo_quotient(x, y)
    for place, (a, b, c) in enumerate(zip(map(Fraction, x), map(Fraction, y), map(Fraction, z), strict=True)):
        assert sums[place] == exact_float(a * b + c), (x[place], y[place], z[place])
        steps = round(a / b)
        assert Fraction(rests[place]) == a - steps * b, (x[place], y[place])
        assert quotients[place] == (1 if steps >= 0 else -1) * (abs(steps) % 128)


@np.errstate(all="ignore")
def test_edges_are_those_of_the_specification() -> None:
    """OpenCL C 1.2, section 7.5.1, sign by sign; repr tells -0.0 from 0.0."""

    def said(values: Array) -> str:
        return " ".join(f"{float(value):g}" for value in values)

    assert said(of.sinpi(f64(0.0, -0.0, 1.0, -1.0, 2.0, INF))) == "0 -0 0 -0 0 nan"
    assert said(of.cospi(f64(0.5, -1.5, 0.0, 1.0, INF))) == "0 0 1 -1 nan"
    assert (
        said(of.tanpi(f64(0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 1.5, -0.5, INF))) == "0 -0 -0 0 0 -0 inf -inf -inf nan"
    )
    assert (
        said(of.powr(f64(-1.0, 0.0, INF, 1.0, -0.0, 2.0), f64(1.0, 0.0, 0.0, INF, -1.0, 3.0)))
        == "nan nan nan nan inf 8"
    )
    whole = np.array([3, 2, -3, -2, 0, 2, 3], dtype=np.int64)
    assert said(of.rootn(f64(-0.0, -0.0, -0.0, -0.0, 1.0, -4.0, -8.0), whole)) == "-0 0 -inf inf nan nan -2"
    assert said(of.pown(f64(NAN, -0.0, -0.0), np.array([0, -3, 2], dtype=np.int64))) == "1 -inf 0"
    assert said(of.tgamma(f64(0.0, -0.0, -1.0, -INF, INF, 5.0, -0.5))) == "inf -inf nan nan inf 24 -3.54491"
    assert said(of.fract(f64(-0.0, -INF, -(2.0**-40), 1.5, NAN))) == "-0 -0 1 0.5 nan"
    assert of.fract(f64(-(2.0**-40)))[0] == 1.0 - 2.0**-24
    assert said(of.round_away(f64(0.5, -0.5, 2.5, -0.25))) == "1 -1 3 -0"
    assert said(of.maxmag(f64(-3.0, 2.0, NAN), f64(2.0, -2.0, 1.0))) == "-3 2 1"
    assert said(of.minmag(f64(-3.0, 2.0, NAN), f64(2.0, -2.0, 1.0))) == "2 -2 1"
    assert said(of.fdim(f64(3.0, 2.0, NAN, INF), f64(2.0, 3.0, 1.0, INF))) == "1 0 nan 0"
    assert said(of.logb(f64(0.0, INF, 2.0**-149, -8.0))) == "-inf inf -149 3"
    assert said(of.remainder(f64(1.0, 5.0, -3.0, INF), f64(INF, 0.0, 2.0, 2.0))) == "1 nan 1 nan"
    assert of.ldexp(f64(1.0 + 2.0**-23), np.array([-150]))[0] == 2.0**-149
    assert of.frexp_exponent(f64(INF, 0.0, 8.0)).tolist() == [0, 0, 4]


def test_arguments_are_of_all_kinds() -> None:
    """Each special one with each, subnormals and whatever bits give, the same each time, with floats' own NaN only."""
    given = arguments(61, 3, 1)
    x, y = given["x"], given["y"]
    pairs = set(zip(x[:GRID].view(np.uint32).tolist(), y[:GRID].view(np.uint32).tolist(), strict=True))
    assert len(pairs) == len(SPECIAL) ** 2
    for array in (x[GRID:], y[GRID:], given["z"][GRID:]):
        assert np.count_nonzero((np.abs(array) < LEAST) & (array != 0)) > 20
        assert np.count_nonzero(np.abs(array) > 2.0**64) > 5
    assert {0, -1, 2**31 - 1, -(2**31)} <= set(given["n"].tolist())


@np.errstate(all="ignore")
def compared(function: Function, changes: dict[int, float], *, flushes: bool = False) -> Comparison:
    """The comparison of a right result in which some elements are changed."""
    operation = MathFunctions("math_one", [function])
    inputs = operation.inputs(SHAPE, 5, 1)
    reference = operation.reference(SHAPE, inputs)
    result = reference.astype(np.float32)
    for place, value in changes.items():
        result[0, place] = value
    return operation.compare(inputs, reference, result, flushes_subnormals=flushes)


def place_of(value: float) -> int:
    """Where x is that, and y is 0."""
    (found,) = np.flatnonzero(np.float32(value) == SPECIAL)[:1]
    return int(found) * len(SPECIAL)


def test_a_finding_names_function_argument_and_ulp() -> None:
    """What came, what is right, how far off, and for how many arguments."""
    exp = Function("exp", 3, np.exp)
    good = compared(exp, {})
    assert good.said == ""
    assert good.max_abs_error <= 0.5 / 3
    found = compared(exp, {place_of(1.0): float(np.float32(math.e)) + 5 * 2.0**-22})
    assert found.said.startswith("exp(x = 1.0) is 2.718283 where 2.7182817 is right: 4.65 ULP, 3 are")
    assert found.said.endswith(" ULP, 3 are allowed; wrong for 1 of 2769 arguments")
    assert (found.row, found.column) == (0, place_of(1.0))
    two = MathFunctions("math_two", [exp, *EXACT[4:11]])
    inputs = two.inputs(SHAPE, 5, 1)
    reference = two.reference(SHAPE, inputs)
    found = two.compare(inputs, reference, np.full_like(reference, 7.0, dtype=np.float32), flushes_subnormals=False)
    assert "wrong are" in found.said
    assert found.said.endswith(" and 3 more, too")


def test_a_flushed_subnormal_is_right_only_where_the_device_flushes() -> None:
    """Of a result, and of an operand: 1 / 0 for 1 / subnormal; but no normal result may be lost."""
    fabs, whole = Function("fabs", 0, np.abs), Function("ceil", 0, np.ceil)
    small = place_of(2.0**-149)
    assert compared(fabs, {small: 0.0}).said
    assert not compared(fabs, {small: 0.0}, flushes=True).said
    assert compared(fabs, {place_of(2.0**-25): 0.0}, flushes=True).said
    assert compared(whole, {small: 0.0}).said
    assert not compared(whole, {small: -0.0}, flushes=True).said
    assert compared(whole, {small: 0.5}, flushes=True).said
    following = Function("nextafter", 0, of.nextafter, "xy", signs=False, flushed=of.nextafter_normal)
    assert compared(following, {1: LEAST}).said, "from 0 towards the least subnormal"
    assert not compared(following, {3: LEAST}, flushes=True).said, "from 0 towards the least normal float"


def test_every_function_of_a_group_has_its_kernel() -> None:
    """By name and in order; a limit of 0 or more, and a reference that is made of what it takes."""
    text = (data_dir("kernels") / "math.cl").read_text(encoding="utf-8")
    assert list(GROUPS) == [*MATH, STRICT_MATH]
    inputs = arguments(1, 1, 1)
    for functions in GROUPS.values():
        for function in functions:
            assert f"({function.name}_," in text
            assert function.limit >= 0
            assert right(function, inputs).shape == inputs["x"].shape


@pytest.mark.device
@pytest.mark.long
@pytest.mark.parametrize("platform", ["pocl", "pocl-embedded", "rusticl"])
def test_what_drivers_are_known_to_fail_in_they_fail_in(
    benches: Callable[[str], Bench], tmp_path: Path, platform: str
) -> None:
    """A quirk of a version leaves math_strict out there: it would be found, by name, and the quirk is needed."""
    kernels = tmp_path / "kernels"
    shutil.copytree(data_dir("kernels"), kernels)
    catalog = yaml.safe_load((kernels / "catalog.yaml").read_text(encoding="utf-8"))
    catalog["kernels"][STRICT_MATH]["needs"] = {}
    (kernels / "catalog.yaml").write_text(yaml.safe_dump(catalog), encoding="utf-8")
    answer = benches(platform).measure(
        STRICT_MATH, (61, 61, 61), operation=KernelOperation(name=STRICT_MATH), kernel_dir=kernels
    )
    assert answer.status is MeasurementStatus.WRONG, answer.reason
    assert {"rusticl": "tgamma("}.get(platform, "sinpi_zero(") in answer.reason
