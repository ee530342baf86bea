"""What the shipped workloads are, without a driver: launches, references by another way, and what counts as wrong."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.launch import count, launch_problem
from pytest_weekops.core.measurement.peak import ITEMS
from pytest_weekops.core.units import LEVEL0, LEVEL1
from pytest_weekops.device.host import describe
from pytest_weekops.device.level0.operations import GROUP, LEVEL0_OPERATIONS
from pytest_weekops.device.operation import Array, LaunchedAsBuilt, Shape
from pytest_weekops.device.workloads import WORKLOADS
from pytest_weekops.device.workloads.parts import MOST_ELEMENTS
from pytest_weekops.files.catalog import kernel_entries
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.protocol import DescribeRequest

OPERATIONS = {**LEVEL0_OPERATIONS, **WORKLOADS}
SIZES = (1, 3, 17, 61, 200)


def square(n: int) -> Shape:
    """A problem of one size."""
    return Shape(m=n, n=n, k=n)


def test_every_workload_has_a_unit_and_a_kernel() -> None:
    """The names of the core, of the device room and of the catalogue are the same ones."""
    entries = kernel_entries([str(data_dir("kernels"))])
    assert {name: operation.unit for name, operation in WORKLOADS.items()} == LEVEL1
    assert {name: operation.unit for name, operation in LEVEL0_OPERATIONS.items()} == LEVEL0
    assert {name: entries[name].operation for name in OPERATIONS} == {name: name for name in OPERATIONS}


def test_level_0_has_the_names_units_and_shapes_of_its_peak() -> None:
    """A row of a policy and a line of ``weekops peak`` mean the same kernel; what is launched is what was built."""
    assert {name: ITEMS[name].unit for name in LEVEL0} == LEVEL0
    entries = kernel_entries([str(data_dir("kernels"))])
    for name in ("arithmetic_float", "arithmetic_float_dependent"):
        width = entries[name].defines["WIDTH"]
        assert LEVEL0_OPERATIONS[name].launch(square(61)).inputs["ramp"].shape == (width,)
        chained = LEVEL0_OPERATIONS[name].flops(square(1)) / (GROUP * 2 * 4096)
        assert chained == width * entries[name].defines["CHAINS"]
    launch = LEVEL0_OPERATIONS["memory_copy"].launch(square(61))
    assert launch.global_size[0] * entries["memory_copy"].defines["WIDTH"] == count(launch.output_shape)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_launch_fits_its_inputs_and_its_reference(name: str) -> None:
    """Described without a fault, on data of the declared kind, the same each time and others in each session."""
    operation = OPERATIONS[name]
    for n in SIZES:
        shape = square(n)
        launch = operation.launch(shape)
        assert launch_problem(launch) == ""
        inputs, again, others = (operation.inputs(shape, 5, session) for session in (1, 1, 2))
        assert {key: (a.shape, str(a.dtype)) for key, a in inputs.items()} == {
            key: (buffer.shape, buffer.dtype) for key, buffer in launch.inputs.items()
        }
        assert all(np.array_equal(inputs[key], again[key], equal_nan=True) for key in inputs)
        assert n == 1 or any(not np.array_equal(inputs[key], others[key], equal_nan=True) for key in inputs)
        reference = operation.reference(shape, inputs)
        assert str(reference.dtype) == "float64"
        assert reference.size == count(launch.output_shape)
        assert reference.any()
        assert math.isfinite(operation.error_unit(shape, inputs))
        assert launch.output_dtype == "float32" or operation.error_unit(shape, inputs) == 0.0
        assert min(operation.flops(shape), operation.bytes_moved(shape)) > 0


def test_a_launch_for_another_device_fits_too_and_needs_no_more_memory() -> None:
    """On the same inputs and output; what does not know the device reckons with the one that needs the most."""
    entries = kernel_entries([str(data_dir("kernels"))])
    shaped = {name: operation for name, operation in OPERATIONS.items() if isinstance(operation, LaunchedAsBuilt)}
    assert set(shaped) == {"sort", "transpose", "spmv"}
    for name, operation in shaped.items():
        for n in (*SIZES, 2048):
            most = operation.launch(square(n))
            launches = [operation.launch_as(square(n), entries[name].defines_for(kind)) for kind in ("cpu", "gpu")]
            assert launches[0] != launches[1] == most
            for launch in launches:
                assert launch_problem(launch) == ""
                assert (launch.inputs, launch.output, launch.output_shape) == (
                    most.inputs,
                    most.output,
                    most.output_shape,
                )
                assert sum(launch.buffer_bytes.values()) <= sum(most.buffer_bytes.values())


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_size_beyond_what_kernels_count_is_refused(name: str) -> None:
    """Before anything is allocated, in a sentence."""
    with pytest.raises(DeviceError, match=f"^{name} at n = 46360 .*Give a smaller size"):
        OPERATIONS[name].launch(square(math.isqrt(MOST_ELEMENTS) + 20))


def data(name: str, n: int) -> tuple[dict[str, Array], Array]:
    """Inputs of a workload and its reference."""
    inputs = WORKLOADS[name].inputs(square(n), 11, 3)
    return inputs, WORKLOADS[name].reference(square(n), inputs)


def test_the_sum_is_the_exact_one() -> None:
    """In fractions; a sum that lost an end of its data, or a bit of each element, is far beyond twelve units."""
    for n in (3, 61, 200):
        inputs, reference = data("reduce", n)
        x = inputs["x"]
        exact = sum(map(Fraction, x.ravel().tolist()))
        assert float(abs(Fraction(reference.item()) - exact)) < 1e-9
        unit = WORKLOADS["reduce"].error_unit(square(n), inputs)
        assert 12 * unit < 0.05 < min(abs(x[0, 0]), abs(x[-1, -1]))
        assert abs(float(exact)) > 100 * unit, "the sum is nowhere near 0"
        assert abs(x.sum(dtype=np.float32) - reference.item()) < 2 * unit
    serial = np.cumsum(x.ravel(), dtype=np.float32)[-1]
    assert abs(serial - reference.item()) > 12 * unit, "who adds one by one loses more than a tree does"


def test_prefix_sums_are_what_a_loop_counts() -> None:
    """Row after row, far from the ends of an int."""
    inputs, reference = data("scan", 61)
    total, sums = 0, []
    for value in inputs["x"].ravel().tolist():
        total += value
        sums.append(float(total))
    assert reference.ravel().tolist() == sums
    assert np.abs(reference).max() < 2**31


def test_sorted_keys_are_what_python_sorts() -> None:
    """Among them 0, the largest one, and many that repeat."""
    inputs, reference = data("sort", 61)
    keys = inputs["x"].ravel().tolist()
    assert reference.ravel().tolist() == sorted(keys)
    assert {0, 2**32 - 1} <= set(keys)
    assert len(keys) - len(set(keys)) > len(keys) // 8


def test_counts_are_what_python_counts() -> None:
    """256 bins, one of them crowded."""
    inputs, reference = data("histogram", 61)
    bins = [0] * 256
    for key in inputs["x"].ravel().tolist():
        bins[key // 2**24] += 1
    assert reference.ravel().tolist() == bins
    assert max(bins) > 61 * 61 // 5


def test_what_a_size_needs_counts_every_buffer() -> None:
    """Sort at 512: keys twice as input, output and between, counts of 16 digits by 2048 items, sums of 16 blocks."""
    (need,) = describe(DescribeRequest(operation="sort", sizes=(512,))).needs
    keys, counts, sums = 4 * 512 * 512, 4 * 16 * 2048, 4 * 16
    assert (need.largest, need.total, need.reference) == (keys, 4 * keys + counts + sums, 2 * 8 * 512 * 512)
