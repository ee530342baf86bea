"""The program that launches kernels under Oclgrind: each once per shape, on exact buffers, and compares the result.

``python -m pytest_weekops.device.microscope FILE``, a request as JSON. It says on standard error which launch is next;
what the simulator has to say of it follows that line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyopencl as cl

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.measurement.microscope import CHECK, DONE_MARK, FAILED_MARK, LAUNCH_MARK, CloseLook
from pytest_weekops.device.close_checks import check_closely
from pytest_weekops.device.known_operations import find_operation
from pytest_weekops.device.launcher import make_launcher
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.operation import Shape
from pytest_weekops.device.verify import compare, scaled_error
from pytest_weekops.device.zones import exact_buffers
from pytest_weekops.files.kernel_sources import Source, load_sources
from pytest_weekops.worker.protocol import OpenRequest

SCALED_BOUND = 32.0  # rounding units; the gate's own bound is narrower, and another test's


def main(words: list[str]) -> int:
    """Launch what the request lists. Exit status 1 where that could not be done to its end."""
    request = Path(words[0]).read_bytes()
    opening, looks = request.split(b"\n", 1)
    launches = [CloseLook.model_validate_json(line) for line in looks.splitlines()]
    try:
        device = OpenDevice(OpenRequest.model_validate_json(opening), lambda _phase: None)
        sources: dict[tuple[str, ...], dict[str, Source]] = {}
        with exact_buffers():
            for launch in launches:
                if launch.operation == CHECK:
                    _tell(LAUNCH_MARK + launch.name)
                    _tell(check_closely(device, launch))
                    continue
                known = sources.setdefault(launch.kernel_dirs, load_sources(launch.kernel_dirs))
                _tell(LAUNCH_MARK + launch.name)
                _launch(device, known[launch.variant], launch)
    except (cl.Error, WeekopsError, LookupError, OSError, ValueError) as error:
        _tell(f"{FAILED_MARK}{type(error).__name__}: {' '.join(str(error).split())[:300]}")
        return 1
    _tell(DONE_MARK)
    return 0


def _launch(device: OpenDevice, source: Source, launch: CloseLook) -> None:
    operation = find_operation(launch.operation, launch.operation_file)
    shape = Shape(launch.m, launch.n, launch.k, launch.alpha, launch.beta)
    launcher = make_launcher(device.queue, device.programs, source, shape, operation)
    try:
        inputs = operation.inputs(shape, 1, 1)
        launcher.upload(inputs)
        launcher.poison()
        launcher.enqueue()
        device.queue.finish()
        found = compare(launcher.read(), operation.reference(shape, inputs))
    finally:
        launcher.release()
    scaled = scaled_error(found.max_abs_error, operation.error_unit(shape, inputs))
    if found.nonfinite or not scaled <= SCALED_BOUND:
        _tell(f"Wrong result: {scaled:.3g} rounding units, {found.nonfinite} not finite")


def _tell(line: str) -> None:
    """A line of its own: the simulator may have left one without its end."""
    sys.stderr.write(f"\n{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
