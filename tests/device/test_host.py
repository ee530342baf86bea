"""The host worker's anchor, a time that a still host repeats, and the quanta that run beside a measurement."""

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


QUANTA = """\
import json, time
from pytest_weekops.device.host import answer
from pytest_weekops.worker.protocol import QuantaRequest
unasked = answer(QuantaRequest(run=False))
answer(QuantaRequest(run=True))
answer(QuantaRequest(run=True))
began = time.perf_counter_ns()
while time.perf_counter_ns() < began + 10**9:
    pass
ended = time.perf_counter_ns()
found = answer(QuantaRequest(run=False))
again = answer(QuantaRequest(run=False))
print(json.dumps({"unasked": len(unasked.start_ns), "again": len(again.start_ns), "began": began,
                  "ended": ended, "start": found.start_ns, "cpu": found.cpu_ns}))
"""


def test_quanta_run_from_the_request_to_the_next() -> None:
    """About twenty a second with a busy process beside them, and none unasked for."""
    done = subprocess.run([sys.executable, "-c", QUANTA], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert (found["unasked"], found["again"]) == (0, 0)
    assert 3 <= len(found["start"]) == len(found["cpu"]) <= 30
    assert all(found["began"] - 10**8 < start < found["ended"] + 10**8 for start in found["start"])
    assert all(0 < cpu < 10**8 for cpu in found["cpu"])
