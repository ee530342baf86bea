"""What throughput is counted in: GFLOPS where an operation is bound by arithmetic, GB/s where memory bounds it."""

from __future__ import annotations

from typing import Literal

Unit = Literal["GFLOPS", "GB/s"]
UNITS: tuple[Unit, ...] = ("GFLOPS", "GB/s")
# Groups of built-in functions, built apart.
MATH = ("math_trig", "math_exp", "math_power", "math_exact", "math_pairs")
STRICT_MATH = "math_strict"  # what drivers fail in
# Host calls, one name per capability of a device, and per fault of a driver.
QUEUE = (
    "queue",
    "queue_sub_rectangles",
    "queue_user_events",
    "queue_out_of_order",
    "queue_fill",
    "queue_svm",
)
IMAGE = ("image2d", "image2d_linear")
WIDE_VECTORS = "vectors_wide"  # what a driver fails in
VECTOR = ("vectors", WIDE_VECTORS)  # moved by vload and vstore
# A launch is a row of host calls, of functions or of moves: no time is judged.
RESULTS_ONLY = (STRICT_MATH, *QUEUE, *IMAGE, *VECTOR)
LEVEL1: dict[str, Unit] = {  # what programs do (SHOC's name for it), one name per operation
    "reduce": "GB/s",
    "scan": "GB/s",
    "sort": "GB/s",
    "sort_pairs": "GB/s",
    "histogram": "GB/s",
    "transpose": "GB/s",
    "stencil2d": "GB/s",
    "stencil3d": "GB/s",
    "spmv": "GB/s",
    "fft": "GFLOPS",
    "nbody": "GFLOPS",
    "gather_scatter": "GB/s",
    "gather_scatter_long": "GB/s",
    "double": "GB/s",
    "double_fma": "GB/s",
    "whole": "GB/s",
    "whole_mad_sat": "GB/s",
    "whole_long": "GB/s",
    "convert": "GB/s",
    "convert_half": "GB/s",
    **dict.fromkeys((*MATH, *RESULTS_ONLY), "GB/s"),
}
LEVEL0: dict[str, Unit] = {  # what a device can do: items of ``weekops peak`` that are operations, too
    "memory_copy": "GB/s",
    "memory_strided": "GB/s",
    "memory_gather": "GB/s",
    "arithmetic_float": "GFLOPS",
    "arithmetic_float_dependent": "GFLOPS",
}
SHIPPED_UNITS: dict[str, Unit] = {"gemm": "GFLOPS", "triad": "GB/s", **LEVEL0, **LEVEL1}
FLOOR_OF_UNIT: dict[Unit, str] = {"GFLOPS": "min_avg_gflops", "GB/s": "min_avg_gbs"}


def amount(unit: Unit, flops: float, bytes_moved: float) -> float:
    """What one launch does in the unit's own terms: operations for GFLOPS, bytes for GB/s."""
    return bytes_moved if unit == "GB/s" else flops


def throughput(unit: Unit, flops: float, bytes_moved: float, ns: float) -> float:
    """Throughput of one launch of ``ns`` nanoseconds: 1e9 operations, or 1e9 bytes, per second."""
    return amount(unit, flops, bytes_moved) / ns
