"""Finding an operation by name: a shipped one, or the one in a user's file."""

from __future__ import annotations

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.kernel_operation import OperationFile
from pytest_weekops.device.level0.operations import LEVEL0_OPERATIONS
from pytest_weekops.device.operation import Gemm, Operation, Triad
from pytest_weekops.device.own_operation import load_own
from pytest_weekops.device.workloads import WORKLOADS

OPERATIONS: dict[str, Operation] = {"gemm": Gemm(), "triad": Triad(), **LEVEL0_OPERATIONS, **WORKLOADS}


def find_operation(name: str, file: OperationFile | None) -> Operation:
    """The operation. Raises ``DeviceError`` for an unknown name, ``InputError`` for a file that cannot be used."""
    if file is not None:
        return load_own(name, file)
    if name not in OPERATIONS:
        raise DeviceError(
            f"No operation {name} is shipped; known are {', '.join(OPERATIONS)}. Name its operation_file."
        )
    return OPERATIONS[name]
