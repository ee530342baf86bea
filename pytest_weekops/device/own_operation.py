"""An operation of the user's own, loaded from its Python file in this worker; nothing that it answers is believed.

The file runs here and in the host worker, never in the pytest process. What it gives is held against what it declares,
and every refusal is one sentence that names the file, the method and the value.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pytest_weekops.core.errors import InputError, SourceChanged
from pytest_weekops.core.measurement.kernel_operation import OperationFile
from pytest_weekops.core.measurement.launch import Launch, launch_problem
from pytest_weekops.core.units import UNITS, Unit
from pytest_weekops.device.operation import Array, Shape, as_matrix

METHODS = ("inputs", "reference", "error_unit", "flops", "bytes_moved", "launch")
_loaded: dict[tuple[str, str], OwnOperation] = {}


def load_own(name: str, file: OperationFile) -> OwnOperation:
    """The operation in a file, loaded once per content. Raises ``InputError``: what, where, and what to do.

    The file is read and hashed each time: it must still be what the run began with.
    """
    path = Path(file.path)
    where = f"Operation {name} ({path.parent.name}/{path.name})"
    data = _source(where, file)
    key = (where, file.sha256)
    if key not in _loaded:
        _loaded[key] = OwnOperation(_instance(where, data, file), where)
    return _loaded[key]


def _source(where: str, file: OperationFile) -> bytes:
    try:
        data = Path(file.path).read_bytes()
    except OSError as error:
        raise InputError(
            f"{where} cannot be read: {error.strerror}. Without it nothing of its kernels can be verified. Put it "
            "beside the catalogue."
        ) from error
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise SourceChanged(
            f"{where} is not the file it was when the run began. Results before and after would be held against two "
            "references. Leave it alone during a run, and run again.",
            name=f"operation {Path(file.path).name}",
        )
    return data


def _instance(where: str, data: bytes, file: OperationFile) -> Any:
    module = ModuleType(f"weekops_operation_{file.sha256[:16]}")
    module.__file__ = file.path
    sys.modules[module.__name__] = module  # dataclasses and pickling look their module up by name
    try:
        exec(compile(data, file.path, "exec"), module.__dict__)  # noqa: S102 - the user's own file, as pytest runs tests
        found = module.Operation() if hasattr(module, "Operation") else None
    except (Exception, SystemExit) as error:
        raise InputError(
            f"{where} does not load: {_story(error)}. Nothing of it can be measured. Correct the file; "
            "docs/explanation/kernels.md has one to copy."
        ) from error
    if found is None:
        raise InputError(
            f"{where} defines no class Operation. Nothing of it can be measured. Define one; "
            "docs/explanation/kernels.md has one to copy."
        )
    exact = getattr(found, "exact", False)
    if not isinstance(exact, bool):
        raise InputError(
            f"{where}: Operation.exact is {exact!r:.40}; it must be True or False. Where it is True any difference is "
            "wrong. Say whether the result has no rounding at all."
        )
    asked = [method for method in METHODS if not (exact and method == "error_unit")]
    if lacking := [method for method in asked if not callable(getattr(found, method, None))]:
        raise InputError(
            f"{where}: class Operation lacks {', '.join(lacking)}. What it does not say could not be verified. "
            "Add the method; docs/explanation/kernels.md lists them."
        )
    if getattr(found, "unit", None) not in UNITS:
        raise InputError(
            f"{where}: Operation.unit is {getattr(found, 'unit', None)!r:.40}; it must be 'GFLOPS' or 'GB/s'. Floors "
            "are stated in that unit. Say which bounds the operation, arithmetic or memory."
        )
    return found


def _story(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


class OwnOperation:
    """A user's operation behind the checks; ``shape.n`` is its size.

    One that says ``exact = True`` has no rounding, and any difference from its reference is wrong: it needs no
    ``error_unit``. Whole numbers as output have to be exact.
    """

    def __init__(self, found: Any, where: str) -> None:
        self._found = found
        self._where = where
        self.unit: Unit = found.unit
        self._exact = bool(getattr(found, "exact", False))

    def _refusal(self, method: str, n: int, problem: str) -> InputError:
        return InputError(
            f"{self._where}: {method} at n = {n} {problem}. Nothing could be verified against it. Correct it."
        )

    def _ask(self, method: str, n: int, *arguments: object) -> Any:
        try:
            return getattr(self._found, method)(n, *arguments)
        except (Exception, SystemExit) as error:
            raise self._refusal(method, n, f"raised {_story(error)}") from error

    def launch(self, shape: Shape) -> Launch:
        """How the kernel is launched."""
        launch = self._ask("launch", shape.n)
        if problem := launch_problem(launch):
            raise self._refusal("launch", shape.n, problem)
        assert isinstance(launch, Launch)
        if launch.output_dtype != "float32" and not self._exact:
            problem = f"gives its output as {launch.output_dtype}, which has no rounding, and exact is not True"
            raise self._refusal("launch", shape.n, problem)
        return launch

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """Exactly the declared inputs, of the declared shape and dtype, and finite."""
        declared = self.launch(shape).inputs
        given = self._ask("inputs", shape.n, seed, session)
        if not isinstance(given, Mapping) or set(given) != set(declared):
            names = sorted(map(str, given)) if isinstance(given, Mapping) else type(given).__name__
            raise self._refusal("inputs", shape.n, f"gives {names}, launch declares {sorted(declared)}")
        for name, buffer in declared.items():
            self._refuse_array("inputs", shape.n, name, given[name], buffer.shape, buffer.dtype)
        return dict(given)

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """The float64 result as a matrix, finite."""
        result = self._ask("reference", shape.n, inputs)
        launch = self.launch(shape)
        self._refuse_array("reference", shape.n, "result", result, launch.output_shape, "float64")
        if launch.output in launch.zeroed and not result.any():
            problem = (
                "gives nothing but zeros, which is what filling its output leaves: a kernel without work would pass"
            )
            raise self._refusal("reference", shape.n, problem)
        return as_matrix(result)

    def _refuse_array(self, method: str, n: int, name: str, array: object, shape: tuple[int, ...], dtype: str) -> None:
        if not isinstance(array, np.ndarray) or array.dtype != np.dtype(dtype) or array.shape != shape:
            is_array = isinstance(array, np.ndarray)
            what = f"{array.dtype} {array.shape}" if is_array else type(array).__name__  # type: ignore[attr-defined]
            raise self._refusal(method, n, f"gives {name} as {what}, where {dtype} {shape} is declared")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            bad = int(array.size - np.count_nonzero(np.isfinite(array)))
            raise self._refusal(method, n, f"gives {name} with {bad} of {array.size} elements not finite")

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:
        """One rounding unit of the result, positive and finite; 0 of an exact one."""
        if self._exact:
            return 0.0
        return self._positive("error_unit", shape.n, inputs)

    def flops(self, shape: Shape) -> float:
        """Floating point operations of one launch, above 0."""
        return self._positive("flops", shape.n)

    def bytes_moved(self, shape: Shape) -> float:
        """Bytes that one launch must at least move, above 0."""
        return self._positive("bytes_moved", shape.n)

    def _positive(self, method: str, n: int, *arguments: object) -> float:
        value = self._ask(method, n, *arguments)
        try:
            number = math.nan if isinstance(value, bool | str | bytes) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not (math.isfinite(number) and number > 0):
            raise self._refusal(method, n, f"is {value!r:.60}; it must be a finite number above 0")
        return number
