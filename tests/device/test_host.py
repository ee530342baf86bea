"""The host worker's anchor: a time that a still host repeats."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """\
import json, os
from pytest_weekops.device.host import anchor
from pytest_weekops.worker.protocol import AnchorRequest
found = anchor(AnchorRequest(min_ms=20.0, size=512))
tasks = [sorted(os.sched_getaffinity(int(task))) for task in os.listdir("/proc/self/task")]
print(json.dumps({"ms": found.median_ms, "calls": found.calls, "tasks": tasks}))
"""


def test_the_anchors_threads_have_a_cpu_each() -> None:
    """No two of them share one as long as there are CPUs, and the process keeps to those it was given."""
    given = sorted(os.sched_getaffinity(0))
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": str(len(given))}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["ms"] > 0
    assert found["calls"] >= 5
    if len(found["tasks"]) > len(given):
        pytest.skip(f"{len(found['tasks'])} threads on {len(given)} CPUs: there are more of them than CPUs")
    assert all(len(cpus) == 1 for cpus in found["tasks"]), found
    assert sorted(cpu for (cpu,) in found["tasks"]) == given[: len(found["tasks"])]
