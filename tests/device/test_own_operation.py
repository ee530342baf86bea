"""A user's operation in real workers: what its file gets wrong is a sentence, and never a number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError, WorkerError
from pytest_weekops.core.measurement.kernel_operation import KernelOperation, OperationFile
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import Described, DescribeRequest
from tests.support.benches import Bench

pytestmark = pytest.mark.device
Open = Callable[[str], Bench]

SOURCE = """\
import numpy as np
from pytest_weekops.operation import Buffer, Launch

class Operation:
    unit = "GFLOPS"

    def launch(self, n):
        return Launch(
            kernel="scale",
            arguments=("x", "offsets", "tmp", "out", np.int32(n), np.float32(0.5)),
            inputs={"x": Buffer((n,)), "offsets": Buffer((n,), "int32")},
            output="out",
            output_shape=(n,),
            global_size=(n,),
            scratch={"tmp": 4 * n},
        )

    def inputs(self, n, seed, session):
        random = np.random.default_rng([seed, session])
        x = random.standard_normal(n, dtype=np.float32)
        return {"x": x, "offsets": np.arange(n, dtype=np.int32)}

    def reference(self, n, inputs):
        return 0.5 * inputs["x"].astype(np.float64) + inputs["offsets"] + 1.0

    def error_unit(self, n, inputs):
        return 2.0**-24 * (n + 2)

    def flops(self, n):
        return 3.0 * n

    def bytes_moved(self, n):
        return 12.0 * n
"""
KERNEL = """\
__kernel void scale(__global const float *x, __global const int *offsets, __global float *tmp, __global float *out,
                    const int n, const float factor)
{
    const int i = get_global_id(0);
    tmp[i] = factor * x[i];
    out[i] = tmp[i] + offsets[i] + 1.0f;
}
"""
CATALOG = """\
version: 1
kernels:
  mine: {mode: mine, operation: mine, operation_file: mine.py, file: mine.cl, layout: own}
"""


def write(directory: Path, source: str = SOURCE, kernel: str = KERNEL) -> KernelOperation:
    """A kernel directory with one operation of its own, as the controller knows it."""
    for name, text in (("mine.py", source), ("mine.cl", kernel), ("catalog.yaml", CATALOG)):
        (directory / name).write_text(text, encoding="utf-8")
    return KernelOperation(name="mine", file=file_of(directory))


def file_of(directory: Path) -> OperationFile:
    """The operation's file with the hash it has now."""
    path = directory / "mine.py"
    return OperationFile(path=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def describe(host: HostWorker, operation: KernelOperation, *sizes: int) -> Described:
    """What the host worker says of an operation."""
    request = DescribeRequest(operation=operation.name, operation_file=operation.file, sizes=sizes or (64,))
    return host.describe(request)


def measure(bench: Bench, directory: Path, operation: KernelOperation, n: int = 61) -> Measurement:
    """One measurement of the operation."""
    return bench.measure("mine", (n, n, n), operation=operation, kernel_dir=directory)


@pytest.mark.parametrize("platform", ["pocl", "rusticl", "clover"])
def test_an_operation_of_ones_own_is_measured(benches: Open, tmp_path: Path, platform: str) -> None:
    """Integer input, scratch, one dimension: verified element by element, in its own unit."""
    operation = write(tmp_path)
    for n in (1, 7, 61, 1000):
        answer = measure(benches(platform), tmp_path, operation, n)
        assert answer.status is MeasurementStatus.OK, answer.reason
        assert (answer.operation, answer.unit, answer.flops, answer.bytes_moved) == (
            "mine",
            "GFLOPS",
            3.0 * n,
            12.0 * n,
        )


def test_the_host_says_what_an_operation_needs(host: HostWorker, tmp_path: Path) -> None:
    """Unit, and bytes per size: x and offsets twice, tmp and out of n floats each, and two float64 references."""
    described = describe(host, write(tmp_path), 10, 20)
    assert described.unit == "GFLOPS"
    assert [(s.size, s.largest, s.total, s.reference) for s in described.needs] == [
        (10, 40, 240, 160),
        (20, 80, 480, 320),
    ]


COUNTS = """\
import numpy as np
from pytest_weekops.operation import Buffer, Launch, Local, Step

class Operation:
    unit = "GB/s"
    exact = True

    def launch(self, n):
        groups = -(-n // 4)
        return Launch(
            kernel="tally",
            arguments=("x", "parts", Local(16), np.int32(n)),
            inputs={"x": Buffer((n,), "int32")},
            output="out",
            output_shape=(2,),
            output_dtype="int32",
            global_size=(4 * groups,),
            local_size=(4,),
            scratch={"parts": 4 * groups},
            zeroed=("out",),
            then=(Step("add", ("parts", "out", np.int32(groups)), (1,)),),
        )

    def inputs(self, n, seed, session):
        return {"x": np.random.default_rng([seed, session]).integers(1, 2**20, n, dtype=np.int32)}

    def reference(self, n, inputs):
        return np.array([inputs["x"].sum(), -1.0], dtype=np.float64)

    def flops(self, n):
        return n

    def bytes_moved(self, n):
        return 4.0 * n
"""
TALLY = """\
__kernel void tally(__global const int *x, __global int *parts, __local int *four, const int n)
{
    const int i = get_global_id(0), item = get_local_id(0);
    four[item] = i < n ? x[i] : 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item == 0)
        parts[get_group_id(0)] = four[0] + four[1] + four[2] + four[3];
}

__kernel void add(__global const int *parts, __global int *out, const int groups)
{
    for (int i = 0; i < groups; ++i)
        out[0] += parts[i];
    out[1] -= 1;
}
"""


@pytest.mark.parametrize("platform", ["pocl", "rusticl", "clover"])
def test_a_launch_may_be_several_kernels_that_count(benches: Open, tmp_path: Path, platform: str) -> None:
    """Whole numbers, exactly: two kernels, local memory, and an output that is filled before each launch."""
    operation = write(tmp_path, COUNTS, TALLY)
    for n in (1, 7, 1000):
        answer = measure(benches(platform), tmp_path, operation, n)
        assert answer.status is MeasurementStatus.OK, answer.reason
        assert {(s.max_abs_error, s.k_scaled_error, s.error_scale) for s in answer.sessions} == {(0.0, 0.0, 0.0)}


@pytest.mark.parametrize(
    ("old", "new"),
    [("i < groups", "i < groups - 1"), ("out[0] +=", "out[0] = 1 +"), ("out[1] -= 1;", "out[1] = 0;")],
)
def test_whole_numbers_that_are_off_by_one_are_wrong(benches: Open, tmp_path: Path, old: str, new: str) -> None:
    """No bound of a policy lets a difference through, and what is said of it are the two numbers."""
    assert old in TALLY
    operation = write(tmp_path, COUNTS, TALLY.replace(old, new))
    answer = measure(benches("pocl"), tmp_path, operation, 4)
    assert answer.status is MeasurementStatus.WRONG
    assert "exceeds 0, which is the bound of an exact result; row 0, column " in answer.reason


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    exact = True\n", "", "lacks error_unit"),
        ("exact = True", "exact = 1", "Operation.exact is 1"),
        ("    exact = True\n", "    def error_unit(self, n, inputs):\n        return 0.1\n\n", "exact is not True"),
        ("[inputs", "0.0 * np.array([inputs", "gives nothing but zeros"),
    ],
)
def test_what_counts_has_to_be_exact(host: HostWorker, tmp_path: Path, old: str, new: str, words: str) -> None:
    """Nobody gets a bound on whole numbers, and none a reference that filling alone would meet."""
    assert old in COUNTS
    source = COUNTS.replace(old, new).replace("-1.0], dtype=np.float64)", "-1.0])" + (")" if "0.0 *" in new else ""))
    with pytest.raises((InputError, WorkerError), match=words):
        describe(host, write(tmp_path, source, TALLY))


BAD: list[tuple[str, str, str, str]] = [
    ("no class", "class Operation", "class Other", "defines no class Operation"),
    ("syntax", "def flops", "def def flops", "does not load: SyntaxError"),
    ("import", "import numpy as np", "import no_such_module", "does not load: ModuleNotFoundError"),
    ("exit on load", "import numpy as np", "import sys; sys.exit(0)", "does not load: SystemExit"),
    ("no reference", "def reference", "def other", "lacks reference"),
    ("no launch", "def launch", "def other", "lacks launch"),
    ("no unit", 'unit = "GFLOPS"', "", "Operation.unit is None"),
    ("unit", '"GFLOPS"', '"FLOPS"', "Operation.unit is 'FLOPS'"),
    ("raises", "return 3.0 * n", "return 1 / 0", "flops at n = 64 raised ZeroDivisionError"),
    ("exits", "return 3.0 * n", "raise SystemExit(0)", "flops at n = 64 raised SystemExit"),
    ("no flops", "return 3.0 * n", "return 0", "flops at n = 64 is 0"),
    ("bytes nan", "return 12.0 * n", "return float('nan')", "bytes_moved at n = 64 is nan"),
    ("bytes text", "return 12.0 * n", "return '12'", "bytes_moved at n = 64 is '12'"),
    ("error zero", "return 2.0**-24 * (n + 2)", "return 0.0", "error_unit at n = 3 is 0.0"),
    ("error inf", "return 2.0**-24 * (n + 2)", "return float('inf')", "error_unit at n = 3 is inf"),
    ("error negative", "return 2.0**-24 * (n + 2)", "return -1e-7", "error_unit at n = 3 is -1e-07"),
    ("nan", "return 0.5 *", "return np.nan *", "3 of 3 elements not finite"),
    (
        "reference float32",
        "+ 1.0\n\n    def error",
        '+ np.float32(1) if n < 0 else inputs["x"]\n\n    def error',
        "float32",
    ),
    ("reference shape", 'inputs["offsets"] + 1.0', 'inputs["offsets"][:1, None]', "float64 (3,) is declared"),
    ("input dtype", "dtype=np.int32)", "dtype=np.int64)", "offsets as int64 (3,), where int32 (3,) is declared"),
    ("input shape", "np.arange(n,", "np.arange(n + 1,", "offsets as int32 (4,)"),
    ("input missing", '"x": x, "offsets"', '"offsets"', "gives ['offsets'], launch declares"),
    ("input nan", '{"x": x', '{"x": x * np.float32("nan")', "x with 3 of 3 elements not finite"),
    ("no array", '{"x": x', '{"x": [1.0] * n', "x as list"),
    ("plain number", "np.int32(n)", "n", "write np.int32"),
    ("no launch object", "return Launch(", "return dict(", "is dict, not a Launch"),
]


@pytest.mark.parametrize(("old", "new", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(
    host: HostWorker, tmp_path: Path, old: str, new: str, words: str
) -> None:
    """The host worker names the file, the method, the size and the value, before any driver is started."""
    assert old in SOURCE
    operation = write(tmp_path, SOURCE.replace(old, new))
    with pytest.raises(InputError) as caught:
        describe(host, operation)
    message = str(caught.value)
    assert words in message
    assert f"({tmp_path.name}/mine.py)" in message
    assert message.endswith((".", "copy."))
    assert "Traceback" not in message


def test_a_file_that_is_gone_is_refused_in_a_sentence(host: HostWorker, tmp_path: Path) -> None:
    """Between the catalogue and the worker a file may vanish."""
    operation = write(tmp_path)
    (tmp_path / "mine.py").unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        describe(host, operation)


def test_an_operation_that_takes_its_worker_down_is_refused(host: HostWorker, tmp_path: Path) -> None:
    """`os._exit` in a user's file ends a worker, and the next operation finds a fresh one."""
    with pytest.raises(InputError, match="took down the worker that loaded it"):
        describe(host, write(tmp_path, "import os\nos._exit(0)\n"))
    assert describe(host, write(tmp_path)).unit == "GFLOPS"


def test_a_fault_that_shows_at_size_only_is_no_reference(host: HostWorker, benches: Open, tmp_path: Path) -> None:
    """A reference that is NaN from 50 on passes the small problem and gives no reference for the large one."""
    operation = write(tmp_path, SOURCE.replace("return 0.5 *", "return (np.nan if n > 50 else 0.5) *"))
    assert describe(host, operation).unit == "GFLOPS"
    with pytest.raises(WorkerError, match="61 of 61 elements not finite"):
        measure(benches("pocl"), tmp_path, operation)


def test_a_file_that_changes_during_the_run_is_refused(benches: Open, tmp_path: Path) -> None:
    """The hash that the run began with is what the workers accept."""
    operation = write(tmp_path)
    assert measure(benches("pocl"), tmp_path, operation).status is MeasurementStatus.OK
    write(tmp_path, SOURCE + "# another content\n")
    answer = measure(benches("pocl"), tmp_path, operation)
    assert answer.status is MeasurementStatus.LAUNCH_FAILED
    assert "not the file it was when the run began" in answer.reason


def test_the_file_is_part_of_the_kernels_hash(benches: Open, tmp_path: Path) -> None:
    """Another reference is another kernel, even where the source is the same."""
    first = measure(benches("pocl"), tmp_path, write(tmp_path)).kernel_sha256
    second = measure(benches("pocl"), tmp_path, write(tmp_path, SOURCE + "# more\n")).kernel_sha256
    assert "" != first != second != ""


@pytest.mark.parametrize(
    ("source", "kernel", "status", "words"),
    [
        (SOURCE, KERNEL.replace("+ 1.0f", "+ 0.999f"), MeasurementStatus.WRONG, "rounding units"),
        (SOURCE, KERNEL.replace("    out[i]", "    if (i % 7) out[i]"), MeasurementStatus.WRONG, "not finite"),
        (SOURCE, KERNEL.replace("void scale", "void other"), MeasurementStatus.LAUNCH_FAILED, "no kernel named scale"),
        (SOURCE.replace(", np.float32(0.5)", ""), KERNEL, MeasurementStatus.LAUNCH_FAILED, "takes 6 arguments"),
        (SOURCE.replace("2.0**-24 * (n", "(n"), KERNEL, MeasurementStatus.LAUNCH_FAILED, "zeros would pass"),
        (SOURCE.replace("[seed, session]", ""), KERNEL, MeasurementStatus.WRONG, "rounding units"),
    ],
    ids=["wrong", "holes", "another name", "an argument short", "a bound without teeth", "data without a seed"],
)
def test_what_is_wrong_on_the_device_never_counts(
    benches: Open, tmp_path: Path, source: str, kernel: str, status: MeasurementStatus, words: str
) -> None:
    """A wrong kernel, and a file that would hide one, give no verified session."""
    answer = measure(benches("pocl"), tmp_path, write(tmp_path, source, kernel))
    assert answer.status is status, answer.reason
    assert words in answer.reason
    assert not any(session.verified for session in answer.sessions)
