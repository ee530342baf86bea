"""Host calls that go wrong on purpose: each is caught, by what the table beside it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_weekops.core.units import QUEUE
from pytest_weekops.device.operation import Shape
from pytest_weekops.device.workloads.queues.operation import QUEUES
from pytest_weekops.device.workloads.queues.patterns import PATTERNS

N = 17
# A fault of a driver: what stands in place of a call of pyopencl, and the operation that has to notice.
FAULTS = {
    "a rectangle is copied without its pitch": ("queue", "rectangle"),
    "a sub-buffer begins where its parent does": ("queue", "sub-buffer"),
    "what is written through a map is something else": ("queue", "map"),
    "a callback never comes": ("queue", "callback"),
    "a wait list is ignored": ("queue_user_events", "wait"),
    "a chain loses a link": ("queue_out_of_order", "link"),
    "the third kernel reads what the second has not written": ("queue_out_of_order", "early"),
    "a launch is dropped": ("queue_out_of_order", "dropped"),
    "a fill takes the first byte of its pattern": ("queue_fill", "pattern"),
    "a fill begins at the start of the buffer": ("queue_fill", "offset"),
    "a fill stops short": ("queue_fill", "short"),
    "the host's writes to shared memory are not seen": ("queue_svm", "unseen"),
    "the device's writes to shared memory are not seen": ("queue_svm", "stale"),
    "the kernel on shared memory is dropped": ("queue_svm", "swapped"),
}
PROGRAM = Path(__file__).with_name("faulty_calls.py")


def test_references_are_made_without_a_driver() -> None:
    """What is expected of each call, on numbers; whoever makes it loads no OpenCL."""
    x = QUEUES["queue"].inputs(Shape(N, N, N), 5, 1)["x"]
    shape = Shape(N, N, N)
    for name in QUEUE:
        assert QUEUES[name].reference(shape, {"x": x}).shape == (QUEUES[name].parts * N, N)
    rolled = QUEUES["queue"].reference(shape, {"x": x})[:N]
    assert rolled[N // 3, N // 2] == x[0, 0]
    fills = QUEUES["queue_fill"].reference(shape, {"x": x})
    assert fills[N, 0] == 0x1F2E1F2E
    assert fills[4 * N, 3] == PATTERNS[4][3]
    assert fills[-N:].reshape(-1)[N * N // 2] == PATTERNS[2][0]
    words = "import sys; import pytest_weekops.device.host; assert 'pyopencl' not in sys.modules"
    subprocess.run([sys.executable, "-c", words], check=True)


@pytest.mark.device
def test_each_faulty_call_is_caught_and_the_right_ones_are_not() -> None:
    """On PoCL in one process of their own, with one call of pyopencl replaced at a time."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(N), *(f"{name}:{fault}" for name, fault in FAULTS.values())],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = dict(line.split("=", 1) for line in done.stdout.splitlines())
    right = [name for name in QUEUE if name != "queue_sub_rectangles"]
    assert {name: said[f"{name}:"] for name in right} == dict.fromkeys(right, "right")
    caught = {what: said[f"{name}:{fault}"] for what, (name, fault) in FAULTS.items()}
    assert caught.pop("a callback never comes").startswith("DeviceError: The callback of a complete event")
    assert caught.pop("a wait list is ignored") != "right"  # said by name, or by what it left, as it is scheduled
    assert set(caught.values()) == {"wrong"}
