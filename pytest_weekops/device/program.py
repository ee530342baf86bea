"""Programs, built once per worker and variant; a compiler's refusal keeps its log."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pyopencl as cl

from pytest_weekops.core.errors import BuildError
from pytest_weekops.core.measurement.catalog import device_class
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.selection.tuning_space import complete_defines
from pytest_weekops.files.kernel_sources import Source

_LONGEST_LOG = 8000


class Programs:
    """Built programs by variant and defines."""

    def __init__(self, context: Any, device: Any, identity: DeviceIdentity) -> None:
        self._context = context
        self._device = device
        self._class = device_class(identity)
        self._built: dict[tuple[str, str, tuple[str, ...]], Any] = {}
        self._checks: dict[tuple[str, tuple[str, ...]], Any] = {}

    def defines(self, source: Source) -> dict[str, int]:
        """The ``-D`` values of a variant on this device."""
        return complete_defines(source.entry, self._class)

    def options(self, source: Source) -> tuple[str, ...]:
        """Build options of a variant on this device."""
        return (*(f"-D{name}={value}" for name, value in self.defines(source).items()), *source.entry.options)

    def get(self, source: Source) -> Any:
        """The built program. Raises ``BuildError`` with the compiler's log, file and line."""
        options = self.options(source)
        key = (source.entry.mode, source.sha256, options)  # one source is built with other values while it is tuned
        if key not in self._built:
            self._built[key] = build(self._context, self._device, source.text, options, source.path.name)
        return self._built[key]

    def check(self, text: str, options: tuple[str, ...], name: str) -> Any:
        """The built program of a check's own kernels, ``name`` for the compiler's log. Raises ``BuildError``."""
        if (text, options) not in self._checks:
            self._checks[text, options] = build(self._context, self._device, text, options, name)
        return self._checks[text, options]


def build(context: Any, device: Any, text: str, options: tuple[str, ...], name: str) -> Any:
    """Build one program text. Raises ``BuildError``."""
    program = cl.Program(context, text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # CompilerWarning: a log that is not empty is no failure
            return program.build(options=list(options), devices=[device])
    except cl.Error as error:
        log = _log(program, device) or str(error)
        raise BuildError(
            f"{name} does not compile with {' '.join(options) or 'no options'}:\n{log[:_LONGEST_LOG]}",
            options=options,
            log=log,
            source=name,
        ) from error


def _log(program: Any, device: Any) -> str:
    try:
        return str(program.get_build_info(device, cl.program_build_info.LOG)).strip()
    except (cl.Error, UnicodeDecodeError, AttributeError):  # a driver may not even give its log
        return ""


def kernels_of(program: Any) -> Mapping[str, Any]:
    """Kernels of a program by name."""
    return {kernel.function_name: kernel for kernel in program.all_kernels()}
