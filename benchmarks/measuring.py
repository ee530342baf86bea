"""What the benchmarks share: one verified measurement of one kernel, or the end of the program with its reason."""

from __future__ import annotations

import sys
from typing import Any

from pytest_weekops.core.measurement.records import Case, Measurement
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import MeasureRequest, ReferenceRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor

SEED = 3


def measure(supervisor: PlatformSupervisor, host: HostWorker, kernel: str, size: int, **facts: Any) -> Measurement:
    """One session at size x size x size, bounded by the K-scaled error alone; ``facts`` are the request's others."""
    reference = host.reference(ReferenceRequest(m=size, n=size, k=size, seed=SEED, session=1, path=""))
    request = MeasureRequest(
        kernel=kernel,
        m=size,
        n=size,
        k=size,
        seed=SEED,
        sessions=1,
        references={1: str(reference)},
        kernel_dirs=(str(data_dir("kernels")),),
        k_scaled_bound=12.0,
        **facts,
    )
    answer = supervisor.measure(Case(platform="b", kernel=kernel, size=size, seed=SEED, snapshot=1), request)
    if answer.status != "ok":
        sys.exit(f"{kernel} at {size}: {answer.status}: {answer.reason}")
    return answer
