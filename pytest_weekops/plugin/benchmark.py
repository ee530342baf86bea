"""What pytest-benchmark is told: the launch times that a worker measured, through a clock that only they advance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.records import Measurement


class DeviceClock:
    """A clock that only advances by what a worker measured; pytest-benchmark reads kernel times from it."""

    def __init__(self) -> None:
        self._ns = 0

    def advance(self, ns: int) -> None:
        """Move on by one launch."""
        self._ns += ns

    def now(self) -> float:
        """Seconds of device work so far."""
        return self._ns * 1e-9


CLOCK = DeviceClock()


def device_clock() -> float:
    """pytest-benchmark's timer for cases, in seconds."""
    return CLOCK.now()


def feed_benchmark(request: pytest.FixtureRequest, measurement: Measurement) -> None:
    """Replay a measurement's launch times through pytest-benchmark, where that plugin is on.

    Under ``--benchmark-skip`` its fixture would skip the rest of the test, which are the test's own assertions.
    """
    times = [ns for session in measurement.sessions for ns in session.wall_ns]
    if not times or not is_fed(request.config):
        return
    benchmark = request.getfixturevalue("benchmark")
    left = iter(times)
    benchmark.pedantic(lambda: CLOCK.advance(next(left, 0)), rounds=len(times), iterations=1)
    benchmark.extra_info.update(
        {
            "status": measurement.status.value,
            "variant": measurement.variant,
            "flops": measurement.flops,
            "bytes_moved": measurement.bytes_moved,
        }
    )


def is_fed(config: pytest.Config) -> bool:
    """Whether pytest-benchmark is loaded and wants benchmarks."""
    loaded = config.pluginmanager.hasplugin("benchmark")
    return loaded and not config.getoption("benchmark_skip", default=False)


def quiet_benchmark(config: pytest.Config) -> None:
    """Leave pytest-benchmark's wide table out, unless one of its options asks for its reports."""
    benchmark = getattr(config, "_benchmarksession", None)
    asked = any(str(word).startswith("--benchmark") for word in config.invocation_params.args)
    if benchmark is not None and not asked:
        benchmark.quiet = True
