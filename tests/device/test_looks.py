"""What is compared when, with results and digests made of numbers; and the digest kernel against numpy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_weekops.device.looks import LOOK_EVERY, MOST_KINDS, Data, Looks, session_data
from pytest_weekops.device.operation import Gemm, Operation, Shape, Triad
from pytest_weekops.device.verify import Comparison
from pytest_weekops.drivers.platforms import resolve_platforms

REFERENCE = np.arange(12, dtype=np.float64).reshape(3, 4)


@dataclass
class Device:
    """A result that is looked at, and how often it was read."""

    result: NDArray[np.float32] = field(default_factory=lambda: REFERENCE.astype(np.float32))
    reads: int = 0

    def read(self) -> NDArray[np.float32]:
        """Counted."""
        self.reads += 1
        return self.result

    def digest(self) -> bytes:
        """The result itself."""
        return self.result.tobytes()

    def launched(self, slot: int, error: float = 0.0, *, at: tuple[int, int] = (1, 1)) -> None:
        """The result of a launch on inputs ``slot``, off by ``error`` at one place."""
        self.result = np.roll(REFERENCE, (slot, slot), (0, 1)).astype(np.float32)
        self.result[at] += error


def looks_at(device: Device) -> Looks:
    """Looks with a bound of 0.5."""
    data = Data(({}, {}), (REFERENCE,), (1.0, 1.0), rolled=True)

    def judge(found: Comparison, scaled: float) -> str:
        return "" if found.max_abs_error <= 0.5 and scaled <= 0.5 else f"off by {found.max_abs_error:g}"

    return Looks(device, data, device.digest, judge, lambda _phase: None)


def test_results_with_the_same_bits_are_compared_once_per_set() -> None:
    """Two reads keep the first of each set; one comparison of each confirms them."""
    device = Device()
    looks = looks_at(device)
    for number in range(10):
        device.launched(number % 2)
        assert looks.after(number % 2, f"launch {number}", whole=number == 9) == ""
    assert looks.settle() == ""
    assert (looks.looked_at, looks.same_bits, looks.compared, device.reads) == (10, 8, 2, 3)


@pytest.mark.parametrize("wrong", range(10))
def test_one_wrong_launch_of_ten_is_found_wherever_it_is(wrong: int) -> None:
    """At once, or at the end where it was the first of its set, which is kept until then."""
    device = Device()
    looks = looks_at(device)
    found = []
    for number in range(10):
        device.launched(number % 2, 1.0 if number == wrong else 0.0)
        found.append(looks.after(number % 2, f"launch {number}", whole=number == 9))
    found.append(looks.settle())
    assert [words for words in found if words] == [f"launch {wrong}: off by 1"]


def test_a_launch_that_did_nothing_is_told_as_such() -> None:
    """What it left is right for the other inputs."""
    device = Device()
    looks = looks_at(device)
    device.launched(0)
    assert looks.after(0, "launch 1", whole=True) == ""
    assert looks.after(1, "launch 2", whole=True) == (
        "launch 2 did no work: what it left is the result of other inputs, which a launch before it gave"
    )


def test_results_that_never_repeat_are_compared_now_and_then() -> None:
    """Each at first, until so many kinds of right results are known; then every eighth, a wrong one among them."""
    device = Device()
    looks = looks_at(device)
    launches = 2 + 2 * MOST_KINDS + 4 * LOOK_EVERY
    for number in range(launches):
        device.launched(number % 2, 1e-3 * number)
        assert looks.after(number % 2, f"launch {number}") == ""
    assert looks.varies
    assert MOST_KINDS < looks.compared < launches / 2
    found = []
    for number in range(LOOK_EVERY):
        device.launched(number % 2, 1.0 + 1e-3 * number)
        found.append(looks.after(number % 2, f"wrong {number}"))
    assert sum(map(bool, found)) == 1


def test_the_place_of_an_error_is_that_of_the_launch() -> None:
    """The rolled result is rolled back for the comparison, and its place is not."""
    device = Device()
    device.launched(1, 1.0, at=(0, 0))
    found = looks_at(device).data.compare(device.result, 1)
    assert (found.row, found.column, found.max_abs_error) == (0, 0, 1.0)


@pytest.mark.parametrize(
    ("operation", "shape"),
    [
        (Gemm(), Shape(5, 7, 3)),
        (Gemm(), Shape(5, 7, 3, alpha=1.5, beta=-0.5)),
        (Gemm(), Shape(1, 4, 1)),
        (Triad(), Shape(6, 6, 6, alpha=3.0)),
    ],
    ids=["gemm", "gemm with C", "one row", "triad"],
)
def test_rolled_inputs_have_the_rolled_result(operation: Operation, shape: Shape, tmp_path: Path) -> None:
    """Whatever the second inputs give is what the first reference says, rolled."""
    path = tmp_path / "reference.npy"
    first = operation.inputs(shape, 5, 1)
    np.save(path, operation.reference(shape, first))
    data = session_data(operation, shape, 5, [1], [str(path)])
    assert data.takes_turns
    second = operation.reference(shape, data.inputs[1])
    assert data.compare(second.astype(np.float32), 1).max_abs_error < 1e-5
    assert data.compare(second.astype(np.float32), 0).max_abs_error > 1e-3


def test_one_element_has_no_second_inputs(tmp_path: Path) -> None:
    """Rolled, it is the same."""
    np.save(tmp_path / "one.npy", np.ones((1, 1)))
    assert not session_data(Gemm(), Shape(1, 1, 1), 5, [1], [str(tmp_path / "one.npy")]).takes_turns


ORACLE = """\
import numpy as np, pyopencl as cl, sys
from pytest_weekops.device.digest import Area, Digest
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.worker.protocol import OpenRequest
device = OpenDevice(OpenRequest.model_validate_json(sys.argv[1]), lambda phase: None)
def expected(words, area):
    sums = []
    for i in range(area.rows):
        row = words[i * area.pitch : min(i * area.pitch + area.columns, area.count)].astype(np.uint64)
        x = (row ^ (np.arange(row.size, dtype=np.uint64) * 0x9E3779B9 % 2**32)) * 0x85EBCA6B % 2**32
        x ^= x >> np.uint64(13)
        sums.append(int((x * 0xC2B2AE35 % 2**32).sum() % 2**32))
    return np.array(sums, dtype=np.uint32).tobytes()
for area in (Area(3, 5, 16, 48), Area(1, 7, 7, 7), Area(3, 2048, 2048, 4100), Area(33, 40, 64, 33 * 64)):
    words = np.random.default_rng(1).integers(0, 2**32, area.count, dtype=np.uint32)
    flags = cl.mem_flags
    buffer = cl.Buffer(device.context, flags.READ_WRITE | flags.COPY_HOST_PTR, hostbuf=words)
    digest = Digest(device.queue, device.programs, device.identity, buffer, area)
    first, second = digest.take(), digest.take()
    assert first == second == expected(words, area), area
    words[area.count - 1 if area.pitch == area.columns else area.columns - 1] ^= 1
    cl.enqueue_copy(device.queue, buffer, words, is_blocking=True)
    assert digest.take() == expected(words, area) != first, area
    built = len(device.programs._checks)
    Digest(device.queue, device.programs, device.identity, buffer, area)
    assert len(device.programs._checks) == built, "built twice"
print("all as numpy has it")
"""


@pytest.mark.device
@pytest.mark.parametrize("platform", ["pocl", "rusticl", "clover"])
def test_the_digest_kernel_is_what_its_header_says(
    need_platform: Callable[[str], str], tmp_path: Path, platform: str
) -> None:
    """Padded, flat and cut off rows; one bit more or less is another digest, and a second look is the same."""
    (launch,) = resolve_platforms([need_platform(platform)], scratch=tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", ORACLE, launch.open.model_dump_json()],
        env={**os.environ, **launch.environment, "PYOPENCL_NO_CACHE": "1", "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == "all as numpy has it\n", done.stderr
