"""What the benchmarks share: platforms one after the other, and one verified measurement, or an end with its cause."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import MeasureRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor
from pytest_weekops.worker.verified import measure_verified

SEED = 3


def each(names: Sequence[str], scratch: Path) -> Iterator[PlatformSupervisor]:
    """The platforms' supervisors, each started for its turn and closed before the next one's."""
    for launch in resolve_platforms(names, scratch=scratch):
        supervisor = PlatformSupervisor(launch, Deadlines(), scratch)
        supervisor.start()
        yield supervisor
        supervisor.close()


def measure(supervisor: PlatformSupervisor, host: HostWorker, kernel: str, size: int, **facts: Any) -> Measurement:
    """One session at size x size x size, bounded by the K-scaled error alone; ``facts`` are the request's others."""
    request = MeasureRequest(
        kernel=kernel,
        m=size,
        n=size,
        k=size,
        seed=SEED,
        sessions=1,
        kernel_dirs=(str(data_dir("kernels")),),
        k_scaled_bound=12.0,
        **facts,
    )
    answer = measure_verified(supervisor, host, request)
    if answer.status != "ok":
        sys.exit(f"{kernel} at {size}: {answer.status}: {answer.reason}")
    return answer
