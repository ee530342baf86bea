"""Host calls that go wrong on purpose: each is caught, by what the table beside it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pytest_weekops.core.units import QUEUE
from pytest_weekops.device.operation import Shape
from pytest_weekops.device.workloads.queues.operation import QUEUES
from pytest_weekops.device.workloads.queues.patterns import PATTERNS
from pytest_weekops.drivers.platforms import resolve_platforms

N = 17
CALLS: list[dict[str, str]] = yaml.safe_load(
    (Path(__file__).parents[2] / "docs" / "wrong-kernels.yaml").read_text(encoding="utf-8")
)["calls"]
# What PoCL fails in by itself, and Intel's runtime does not.
ON_INTEL = ("queue_sub_rectangles", "queue_user_events")
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
@pytest.mark.parametrize("platform", ["pocl", pytest.param("intel", marks=pytest.mark.long)])
def test_each_faulty_call_is_caught_and_the_right_ones_are_not(
    need_platform: Callable[[str], str], tmp_path: Path, platform: str
) -> None:
    """In one process of their own, with one call of pyopencl replaced at a time; the table says what catches it."""
    (launch,) = resolve_platforms([need_platform(platform)], scratch=tmp_path)
    mine = [call for call in CALLS if call.get("platform", "pocl") == platform]
    right = ON_INTEL if platform == "intel" else tuple(name for name in QUEUE if name != ON_INTEL[0])
    words = [*(f"{name}:" for name in right), *(f"{call['mode']}:{call['fault']}" for call in mine)]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(N), *words],
        env={**os.environ, **launch.environment},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert {name: said[f"{name}:"] for name in right} == dict.fromkeys(right, "right")
    for call in mine:
        found = said[f"{call['mode']}:{call['fault']}"]
        assert SAID[call["caught"]](found), (call["what"], found)


def test_no_call_is_wrong_in_two_ways_at_once() -> None:
    """Each fault of the table is one that the program knows, and has words of its own."""
    assert len({call["what"] for call in CALLS}) == len({(c["mode"], c["fault"]) for c in CALLS}) == len(CALLS) >= 15
    assert {call["caught"] for call in CALLS} == set(SAID)
    assert {call["mode"] for call in CALLS} == set(QUEUE)


SAID: dict[str, Callable[[str], bool]] = {
    "comparison": lambda said: said == "wrong",
    "callback": lambda said: said.startswith("DeviceError: The callback of a complete event"),
    "either": lambda said: said != "right",
}
