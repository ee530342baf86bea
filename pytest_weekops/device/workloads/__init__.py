"""Shipped operations of what programs do (SHOC's level 1), one file each: inputs, launch, reference, error unit.

Sizes mean what they mean for triad: ``n`` is an edge, and the data are n x n elements, or of that order where an
operation has another shape. All of them take two sets of inputs in turn, each with a reference of its own.

Private: import from `pytest_weekops.api`.
"""

from __future__ import annotations

from pytest_weekops.device.operation import LaunchedOperation
from pytest_weekops.device.workloads.convert import IN_CONVERT
from pytest_weekops.device.workloads.double import IN_DOUBLE
from pytest_weekops.device.workloads.fft import Fft
from pytest_weekops.device.workloads.gather_scatter import GatherScatter
from pytest_weekops.device.workloads.histogram import Histogram
from pytest_weekops.device.workloads.images.operation import IMAGES
from pytest_weekops.device.workloads.maths.operation import MathFunctions
from pytest_weekops.device.workloads.maths.table import GROUPS
from pytest_weekops.device.workloads.nbody import Nbody
from pytest_weekops.device.workloads.queues.operation import QUEUES
from pytest_weekops.device.workloads.reduce import Reduce
from pytest_weekops.device.workloads.scan import Scan
from pytest_weekops.device.workloads.sort import Sort
from pytest_weekops.device.workloads.sort_pairs import SortPairs
from pytest_weekops.device.workloads.spmv import Spmv
from pytest_weekops.device.workloads.stencil2d import Stencil2d
from pytest_weekops.device.workloads.stencil3d import Stencil3d
from pytest_weekops.device.workloads.transpose import Transpose
from pytest_weekops.device.workloads.vectors import IN_VECTORS
from pytest_weekops.device.workloads.whole import IN_WHOLE

WORKLOADS: dict[str, LaunchedOperation] = {
    "reduce": Reduce(),
    "scan": Scan(),
    "sort": Sort(),
    "sort_pairs": SortPairs(),
    "histogram": Histogram(),
    "transpose": Transpose(),
    "stencil2d": Stencil2d(),
    "stencil3d": Stencil3d(),
    "spmv": Spmv(),
    "fft": Fft(),
    "nbody": Nbody(),
    "gather_scatter": GatherScatter(),
    "gather_scatter_long": GatherScatter("gather_scatter_long", wide=True),
    **IN_DOUBLE,
    **IN_WHOLE,
    **IN_CONVERT,
    **{name: MathFunctions(name, functions) for name, functions in GROUPS.items()},
    **QUEUES,
    **IMAGES,
    **IN_VECTORS,
}
