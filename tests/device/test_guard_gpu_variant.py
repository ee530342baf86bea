"""The checks' variant for GPUs, 64 work-items to a row or line, on the drivers that are here: right, and buildable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.guard.injection import Injection
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.protocol import InjectRequest

pytestmark = pytest.mark.device

# In a process of its own, as a worker would: the driver is taken for a GPU's by the guard, and by nothing else.
CHILD = """
import sys
from pytest_weekops.device import guard, inject, opened, sampled
from pytest_weekops.worker.protocol import InjectRequest, OpenRequest
guard.device_class = sampled.device_class = lambda identity: "gpu"
device = opened.OpenDevice(OpenRequest.model_validate_json(sys.argv[1]), lambda phase: None)
found = inject.inject(device, InjectRequest.model_validate_json(sys.argv[2]), lambda phase: None)
print(found.model_dump_json(exclude={"type"}))
"""


@pytest.mark.parametrize("platform", ["pocl", "rusticl"])
@pytest.mark.parametrize(
    "guard", [GuardSettings(), GuardSettings(row_samples=40, col_samples=30, projections=2)], ids=["full", "sampled"]
)
def test_the_gpu_variant_catches_what_it_looks_at(
    need_platform: Callable[[str], str], tmp_path: Path, platform: str, guard: GuardSettings
) -> None:
    """Every critical flip on a line that is looked at, no good launch; at a size that 4 x 64 does not divide."""
    (launch,) = resolve_platforms([need_platform(platform)], scratch=tmp_path)
    request = InjectRequest(
        size=301,
        flips_per_bit=4,
        faults=2,
        clean_launches=6,
        guard=guard,
        kernel_dirs=(str(data_dir("kernels")),),
    )
    done = subprocess.run(
        [sys.executable, "-c", CHILD, launch.open.model_dump_json(), request.model_dump_json()],
        env={**os.environ, **launch.environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = Injection.model_validate(json.loads(done.stdout.splitlines()[-1]))
    assert found.self_test == ""
    looked_at = found.looked_at or found.critical
    assert 0 < looked_at.tried == looked_at.caught
    assert found.false_alarms == 0
