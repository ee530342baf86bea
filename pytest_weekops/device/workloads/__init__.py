"""Shipped operations of what programs do (SHOC's level 1), one file each: inputs, launch, reference, error unit.

Sizes mean what they mean for triad: ``n`` is an edge, and the data are n x n elements, or of that order where an
operation has another shape. All of them take two sets of inputs in turn, each with a reference of its own.
"""

from __future__ import annotations

from pytest_weekops.device.operation import LaunchedOperation
from pytest_weekops.device.workloads.histogram import Histogram
from pytest_weekops.device.workloads.reduce import Reduce
from pytest_weekops.device.workloads.scan import Scan
from pytest_weekops.device.workloads.sort import Sort

WORKLOADS: dict[str, LaunchedOperation] = {
    "reduce": Reduce(),
    "scan": Scan(),
    "sort": Sort(),
    "histogram": Histogram(),
}
