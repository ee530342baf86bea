"""The guards of workloads: references satisfy their invariants, planted faults break them, and a watch says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.guard.injection import Injection, control_problem
from pytest_weekops.core.guard.invariants import GUARDED, as_words, multiset_hash, stretch_sums, word_sums
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.device.invariant import Draw, Guarded, Ordered, Sums, Words, rows_of
from pytest_weekops.device.operation import Shape
from pytest_weekops.device.watch import WatchedInvariant
from pytest_weekops.device.workloads import WORKLOADS
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.protocol import InjectRequest
from tests.support.benches import Bench

Open = Callable[[str], Bench]
KINDS = ("scan", "sort", "stencil2d")  # a workload for each of the three kernels that check


def test_the_guarded_are_those_that_say_an_invariant() -> None:
    """The judge knows them by name, and the worker by what they are."""
    assert {name for name, operation in WORKLOADS.items() if isinstance(operation, Guarded)} == set(GUARDED)


@pytest.mark.parametrize("n", [1, 2, 7, 61, 130])
@pytest.mark.parametrize("name", GUARDED)
def test_a_reference_satisfies_its_invariant(name: str, n: int) -> None:
    """To the last word, or to float64's rounding: what was worked out from the inputs is what the result gives."""
    operation, shape = WORKLOADS[name], Shape(n, n, n)
    assert isinstance(operation, Guarded)
    inputs = operation.inputs(shape, 5, 1)
    result = np.asarray(operation.reference(shape, inputs)).reshape(-1)
    held = operation.invariant(shape, inputs, result, Draw(5, 1))
    assert held.count == result.size
    if isinstance(held, Sums):
        sums, rms = stretch_sums(result, held.signs.astype(np.float64))
        assert np.allclose(sums, held.expected, rtol=1e-9, atol=1e-9)
        assert bool(np.all(rms <= held.rms * (1.0 + 1e-9)))
        assert rows_of(held) == sums.size == held.rms.size
        return
    words = as_words(result.astype(operation.launch(shape).output_dtype))
    if isinstance(held, Words):
        assert np.array_equal(word_sums(words, held.weights), held.expected)
    else:
        assert multiset_hash(words) == held.expected


def test_a_long_sorted_result_has_longer_rows() -> None:
    """So that one work-item can add up their parts of the hash."""
    assert Ordered(2**22, 0).columns == 2048
    assert rows_of(Ordered(2**31 - 2**16, 0)) < 65_535


def request_of(kernel: str, **facts: object) -> InjectRequest:
    """A small campaign."""
    amounts = {"size": 61, "flips_per_bit": 3, "faults": 2, "clean_launches": 4}
    whole = {**amounts, "kernel": kernel, "kernel_dirs": (str(data_dir("kernels")),), **facts}
    return InjectRequest.model_validate(whole)


def hold(found: Injection, kernel: str) -> None:
    """All that is critical was caught, and no good launch."""
    assert found.self_test == ""
    assert 0 < found.critical.tried == found.critical.caught
    assert (found.variant, [fault.caught for fault in found.faults]) == (kernel, [2] * 5)
    assert (found.false_alarms, found.clean_launches) == (0, 4)
    assert found.largest_residual_share < 0.5
    if kernel != "stencil2d":
        assert found.uniform.caught == found.uniform.tried == 96, "where nothing is rounded, no flip is missed"


@pytest.mark.device
@pytest.mark.parametrize("kernel", KINDS)
def test_faults_are_caught_and_good_launches_are_not(benches: Open, kernel: str) -> None:
    """Every critical flip, every stale or damaged result, at a size that nothing divides."""
    hold(benches("pocl").supervisor.inject(request_of(kernel)), kernel)


@pytest.mark.device
@pytest.mark.long
@pytest.mark.parametrize("platform", ["pocl", "rusticl", "clover"])
@pytest.mark.parametrize("kernel", GUARDED)
def test_faults_are_caught_on_every_driver(benches: Open, kernel: str, platform: str) -> None:
    """Where the workload is built at all."""
    if (platform, kernel) == ("clover", "histogram"):
        pytest.skip("Clover's compiler aborts on its atomics")
    found = benches(platform).supervisor.inject(request_of(kernel, size=130))
    assert 0 < found.critical.tried == found.critical.caught
    assert [fault.caught for fault in found.faults] == [2] * 5
    assert found.false_alarms == 0


@pytest.mark.device
@pytest.mark.parametrize("control", ["infinite-threshold", "idle-check"])
def test_a_broken_guard_fails_the_campaign(benches: Open, control: str) -> None:
    """One that finds everything good, and one that answers nothing: silence is no good result."""
    found = benches("pocl").supervisor.inject(request_of("sort", control=control))
    assert control_problem(found) == ""
    assert found.false_alarms == (4 if control == "idle-check" else 0)


@pytest.mark.device
def test_a_workload_without_a_guard_has_no_campaign(benches: Open) -> None:
    """It is refused by name, not measured as if it had one."""
    with pytest.raises(WeekopsError, match="nbody, which has no guard"):
        benches("pocl").supervisor.inject(request_of("nbody"))


# In a process of its own, as a worker would: the driver is taken for a GPU's by the guard, and by nothing else.
CHILD = """
import sys
from pytest_weekops.device import guard, inject, invariant_guard, opened
from pytest_weekops.worker.protocol import InjectRequest, OpenRequest
guard.device_class = lambda identity: "gpu"
device = opened.OpenDevice(OpenRequest.model_validate_json(sys.argv[1]), lambda phase: None)
assert invariant_guard.row_defines(device.identity, 64)["ITEMS"] == 64
for request in sys.argv[2:]:
    found = inject.inject(device, InjectRequest.model_validate_json(request), lambda phase: None)
    print(found.model_dump_json(exclude={"type"}))
"""


@pytest.mark.device
def test_the_gpu_variant_catches_the_same(need_platform: Callable[[str], str], tmp_path: Path) -> None:
    """64 work-items to a row."""
    (launch,) = resolve_platforms([need_platform("pocl")], scratch=tmp_path)
    requests = [request_of(kernel, flips_per_bit=1).model_dump_json() for kernel in KINDS]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, launch.open.model_dump_json(), *requests],
        env={**os.environ, **launch.environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for kernel, line in zip(KINDS, done.stdout.splitlines()[-len(KINDS) :], strict=True):
        found = Injection.model_validate(json.loads(line))
        assert (found.self_test, found.variant, found.false_alarms) == ("", kernel, 0)
        assert 0 < found.critical.tried == found.critical.caught


@pytest.fixture
def never_the_same(tmp_path: Path) -> Callable[[int], Path]:
    """``never_the_same(launch)``: kernels whose stencil2d counts its launches in the lowest bits of one element.

    Within the bound, so that no two results have the same bits; in that launch its exponent is wrong too.
    """

    def write(launch: int) -> Path:
        for file in data_dir("kernels").iterdir():
            (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        path = tmp_path / "stencil2d.cl"
        text = path.read_text(encoding="utf-8")
        begin, end = "    if (column + WIDTH <= n)\n", text.rstrip()[-1]
        assert text.count(begin) == 1
        assert end == "}"
        text = text.replace(
            begin,
            "    const int mine = column == 0 && first == 0;\n"
            "    const int count = mine ? (as_int(out[0]) + 1) & 31 : 0;\n" + begin,
        )
        counted = f"    if (mine) out[0] = as_float((as_int(out[0]) & ~31 | count) ^ (count == {launch}) << 23);\n"
        path.write_text(text.rstrip()[:-1] + counted + "}\n", encoding="utf-8")
        return tmp_path

    return write


@pytest.mark.device
def test_a_wrong_launch_among_results_that_never_repeat_is_found_by_the_guard(
    benches: Open, never_the_same: Callable[[int], Path]
) -> None:
    """Of such a kernel only some launches are compared with the reference, and the gate's own look misses this one."""
    facts: dict[str, Any] = {"iterations": 24, "operation": KernelOperation(name="stencil2d")}
    kernel_dir, shape = never_the_same(20), (40, 40, 40)
    unseen = benches("pocl").measure("stencil2d", shape, kernel_dir=kernel_dir, **facts)
    assert unseen.status is MeasurementStatus.OK, unseen.reason
    answer = benches("pocl").measure("stencil2d", shape, kernel_dir=kernel_dir, guard=GuardSettings(), **facts)
    assert answer.status is MeasurementStatus.WRONG
    said = "from launch 19 on, the sum of 1 of 13 rows of 128 (0) is not what the inputs make it"
    assert answer.reason == f"session 1: the guard found that {said}"  # the first launch was the warm-up's
    assert answer.guard is not None
    assert (answer.guard.detections[0], answer.guard.false_alarms) == (said, 0)
    assert not answer.sessions[0].verified


@dataclass
class Chain:
    """A guard without a device, whose rows were good up to a check."""

    first_bad: int = 0
    z: float = 8.0

    def prepare(self, _held: Any) -> None:
        """Nothing to prepare."""

    def check(self, _slot: int) -> int:
        """A check of no cost."""
        return 10

    def bad(self) -> tuple[int, ...]:
        """The row that was bad, if any."""
        return (3,) if self.first_bad else ()

    def say(self, _bad: Any) -> str:
        """What it is."""
        return "the sum of row 3"


def watched(chain: Chain, launches: int) -> WatchedInvariant:
    """A watch behind so many launches of its second session; the first had two."""
    watch = WatchedInvariant(chain, WORKLOADS["scan"], Shape(8, 8, 8))  # type: ignore[arg-type]
    nothing: Any = type("Data", (), {"inputs": (), "references": ()})()
    for count in (2, launches):
        watch.begin(nothing, seed=5, session=1)
        for _ in range(count):
            assert watch.after(100) == "", "nothing is read back behind a launch"
    watch._tally.tested("", 0.0)
    return watch


def test_a_launch_that_broke_its_invariant_is_wrong_and_named() -> None:
    """Counted across sessions; every check from there on proved nothing."""
    watch = watched(Chain(first_bad=2), 5)
    said = watch.settle(are_right=False)
    assert said == "the guard found that from launch 4 on, the sum of row 3 is not what the inputs make it"
    evidence = watch.evidence()
    assert evidence is not None
    assert (evidence.checks, len(evidence.detections), evidence.false_alarms) == (7, 4, 0)


def test_where_every_bit_is_known_to_be_right_it_is_a_false_alarm() -> None:
    """Of each check that the broken chain made worthless: their rate is what the policy bounds."""
    watch = watched(Chain(first_bad=2), 5)
    assert watch.settle(are_right=True) == ""
    evidence = watch.evidence()
    assert evidence is not None
    assert (evidence.detections, evidence.false_alarms) == ((), 4)
    assert evidence.false_positive_rate == pytest.approx(4 / 7)


def test_a_session_that_launched_nothing_has_nothing_to_settle() -> None:
    """What the chain holds is then another session's."""
    assert watched(Chain(first_bad=1), 0).settle(are_right=False) == ""
    assert watched(Chain(), 3).settle(are_right=False) == ""
