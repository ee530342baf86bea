"""Operations beside GEMM through the whole gate: triad, and one of a user's own on the built wheel."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.evidence import baselines
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.week.pins import pin_run
from tests.support.gates import POLICY, SMALL, GateResult, run_gate

pytestmark = pytest.mark.device
Gate = Callable[..., GateResult]
Need = Callable[[str], str]
ROW = "rows:\n  triad:96: {%s}\n"


def policy_with(directory: Path, rows: str) -> tuple[str, str]:
    """A policy file with these rows, as options."""
    (directory / "rows.yaml").write_text(POLICY.replace("inherits", rows + "inherits"), encoding="utf-8")
    return "--policy", "rows.yaml"


def once_the_host_is_still(run: Callable[[], GateResult]) -> GateResult:
    """The first of three runs that the host did not make inconclusive: these tests claim nothing about the host."""
    for attempt in range(3):
        result = run()
        if attempt == 2 or result.status != 11 or result.finding("host_stable")["status"] == "pass":
            break
        shutil.rmtree(result.directory / "reports")
    return result


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, repository: Path, need_platform: Need) -> GateResult:
    """One run of GEMM and triad side by side, with a floor in GB/s."""
    directory = tmp_path_factory.mktemp("both")
    options = ("--platforms", need_platform("pocl"), *SMALL, "--kernels", "auto", "triad", "--junitxml=junit.xml")
    rows = policy_with(directory, ROW % "min_avg_gbs: 0.0001, max_p95_time_ms: 100000")
    return once_the_host_is_still(lambda: run_gate(directory, repository / "suites" / "weekly", *options, *rows))


def test_gemm_and_triad_are_promoted_side_by_side(both: GateResult) -> None:
    """Both are gated, measured and verified; each is told in its own unit, in every place."""
    assert both.status == 0, both.output
    measured = [m for m in read_run(both.run_dirs[0]).records if isinstance(m, Measurement) and not m.void]
    assert {(m.case.kernel, m.operation, m.unit) for m in measured} == {
        ("auto", "gemm", "GFLOPS"),
        ("triad", "triad", "GB/s"),
    }
    assert all(session.verified for m in measured for session in m.sessions)
    rows = {row["kernel"]: row for row in both.decision["verdict"]["rows"]}
    assert rows["auto"]["mean_gbs"] is None
    assert rows["triad"]["mean_gbs"] == pytest.approx(6 * rows["triad"]["mean_gflops"])
    assert "floor 0.0001 GB/s" in rows["triad"]["limits"]
    summary = (both.run_dirs[0] / "summary.md").read_text(encoding="utf-8")
    for unit, kernel in (("GB/s", "triad"), ("GFLOPS", "auto")):
        assert re.search(rf"cell +{unit} .*\n-.*\npocl {kernel} 96 +\d", both.output)
        assert re.search(rf"\| cell \| {unit} \| .*\n\| --- \| .*\n\| pocl {kernel} 96 \| \d", summary)
    assert re.search(r"s1 pocl triad 96 +\d+\.\d GB/s", both.output)
    assert 'name="weekops_gbs"' in (both.directory / "junit.xml").read_text(encoding="utf-8")


def test_a_baseline_pinned_from_it_bounds_triad(
    both: GateResult, repository: Path, need_platform: Need, tmp_path: Path
) -> None:
    """Its row is in GB/s; a hundred times faster, it blocks the next run of triad alone."""
    (path,) = pin_run(both.run_dirs[0], tmp_path / "pinned")
    document = json.loads(path.read_text(encoding="utf-8"))
    (row,) = [row for row in document["baseline"]["rows"] if row["kernel"] == "triad"]
    assert row["unit"] == "GB/s"
    row["mean_gbs"] *= 100
    document["sha256"] = baselines._digest(document["baseline"])
    (tmp_path / "high.json").write_text(json.dumps(document), encoding="utf-8")
    options = ("--platforms", need_platform("pocl"), *SMALL, "--kernels", "triad", "--baseline=high.json")
    result = once_the_host_is_still(lambda: run_gate(tmp_path, repository / "suites" / "weekly", *options))
    assert result.status == 1, result.output
    assert "GB/s" in result.output
    assert "of the baseline's throughput" in result.finding("per_kernel_size_slo")["message"]


@pytest.mark.parametrize(
    ("kernel", "row", "words"),
    [
        ("triad", ROW % "min_avg_gflops: 0.001", "this operation is judged in GB/s"),
        ("auto", "rows:\n  auto:96: {min_avg_gbs: 0.001}\n", "this operation is judged in GFLOPS"),
        ("triad", ROW % "min_avg_gbs: -1", "must be above 0"),
        ("triad", ROW % "min_avg_gbs: 1, min_avg_gflops: 1", "judged in one unit"),
        ("triad", ROW % "min_avg_gb: 1", "Did you mean min_avg_gbs?"),
    ],
)
def test_a_floor_that_would_bound_nothing_is_refused(
    gate: Gate, need_platform: Need, tmp_path: Path, kernel: str, row: str, words: str
) -> None:
    """Status 4, a sentence, and no run directory: nothing was measured."""
    options = ("--platforms", need_platform("pocl"), *SMALL, "--kernels", kernel, *policy_with(tmp_path, row))
    result = gate(*options)
    assert result.status == 4, result.output
    assert words in result.output
    assert not result.run_dirs


# -- a user's own ------------------------------------------------------------------------------------------------


def documented_files(repository: Path) -> dict[str, str]:
    """The files that docs/explanation/kernels.md writes down: a name in backticks, then a fenced block."""
    text = (repository / "docs" / "explanation" / "kernels.md").read_text(encoding="utf-8")
    part = text[text.index("## Adding an operation of your own") :]
    return dict(re.findall(r"^`([\w./-]+)`[^\n]*:\n\n```\w+\n(.*?)^```", part, flags=re.MULTILINE | re.DOTALL))


def write_project(directory: Path, repository: Path, **changes: tuple[str, str]) -> Path:
    """The documented project, each named file with one text replaced; ``axpy_py=(old, new)`` changes ``axpy.py``."""
    files = documented_files(repository)
    assert sorted(files) == ["my-kernels/axpy.cl", "my-kernels/axpy.py", "my-kernels/catalog.yaml", "pytest.ini"]
    for name, text in files.items():
        old, new = changes.get(Path(name).name.replace(".", "_"), ("", ""))
        assert old in text
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """The built wheel, unpacked into a directory of its own."""
    built, site = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    _run([*pip, "wheel", "--no-deps", "--wheel-dir", str(built), str(repository)])
    (file,) = built.glob("*.whl")
    _run([*pip, "install", "--no-deps", "--target", str(site), str(file)])
    return site


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-2000:]}"


def run_on_wheel(directory: Path, wheel: Path, platform: str) -> GateResult:
    """The documented command on the wheel, with the weekly suite that it carries; a spy says what was loaded."""
    (directory / "spy.py").write_text(
        "import sys, pytest_weekops\n"
        "def pytest_unconfigure():\n"
        "    own = [m for m in sys.modules if 'axpy' in m or m.startswith('weekops_operation')]\n"
        "    print('SPY', pytest_weekops.__file__, own, 'pyopencl' in sys.modules)\n",
        encoding="utf-8",
    )
    suite = wheel / "pytest_weekops" / "_data" / "suites" / "weekly"
    environment = {"PYTHONPATH": os.pathsep.join((str(wheel), str(directory)))}
    options = ("-p", "spy", "-c", "pytest.ini", "--platforms", platform, *SMALL, "--kernels", "axpy")
    return run_gate(directory, suite, *options, **environment)


@pytest.mark.long
def test_the_documented_operation_is_promoted_on_the_wheel(
    wheel: Path, repository: Path, need_platform: Need, tmp_path: Path
) -> None:
    """Four files in an empty project: gate, measurement, verdict; and the pytest process never loads the file."""
    guarded = "import sys\nassert 'pytest' not in sys.modules\nimport numpy"
    write_project(tmp_path, repository, axpy_py=("import numpy", guarded))
    result = once_the_host_is_still(lambda: run_on_wheel(tmp_path, wheel, need_platform("pocl")))
    assert result.status == 0, result.output
    assert f"SPY {wheel}/pytest_weekops/__init__.py [] False" in result.output
    (row,) = result.decision["verdict"]["rows"]
    assert (row["kernel"], row["unit"], row["status"]) == ("axpy", "GB/s", "pass")
    assert row["mean_gbs"] > 0
    digest = hashlib.sha256((tmp_path / "my-kernels" / "axpy.py").read_bytes()).hexdigest()
    assert result.decision["kernels"]["my-kernels/axpy.py"] == digest


@pytest.mark.long
def test_a_wrong_kernel_of_ones_own_ends_in_iterate(
    wheel: Path, repository: Path, need_platform: Need, tmp_path: Path
) -> None:
    """A factor that is left out fails the opening gate; nothing is measured after it."""
    write_project(tmp_path, repository, axpy_cl=("factor * x[i]", "x[i]"))
    result = run_on_wheel(tmp_path, wheel, need_platform("pocl"))
    assert result.status == 10, result.output
    assert result.decision["decision"] == "iterate"
    assert "rounding units exceeds 12" in result.finding("canonical_gate")["message"]
    assert result.decision["counts"]["verified_launches"] == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"catalog_yaml": ("axpy.py", "other.py")}, "names other.py, which is not beside it"),
        ({"catalog_yaml": ("operation_file: axpy.py, ", "")}, "name its file as operation_file"),
        ({"axpy_py": ("def reference", "def result")}, "lacks reference"),
        ({"axpy_py": ("return 2.0 * n * n", "return 0.0")}, "flops at n = 96 is 0.0"),
        ({"axpy_py": ("return float(FACTOR)", 'return float("nan")')}, "elements not finite"),
    ],
    ids=["no file", "no file named", "no reference", "no flops", "nan reference"],
)
def test_an_operation_that_cannot_be_used_is_refused(
    gate: Gate, repository: Path, need_platform: Need, tmp_path: Path, change: dict[str, tuple[str, str]], words: str
) -> None:
    """Status 4 and one sentence, and no run directory is left."""
    write_project(tmp_path, repository, **change)
    result = gate("-c", "pytest.ini", "--platforms", need_platform("pocl"), *SMALL, "--kernels", "axpy")
    assert result.status == 4, result.output
    assert words in " ".join(result.output.split())
    assert not result.run_dirs


def test_a_reference_that_fails_late_says_nothing_of_the_driver(
    gate: Gate, repository: Path, need_platform: Need, tmp_path: Path
) -> None:
    """A reference that is NaN at the measured size only: nothing is measured, and no driver is blamed for that."""
    nan = "return (float('nan') if n == 96 else 1.0) * float(FACTOR)"
    write_project(tmp_path, repository, axpy_py=("return float(FACTOR)", nan))
    result = gate("-c", "pytest.ini", "--platforms", need_platform("pocl"), *SMALL, "--kernels", "axpy")
    assert result.status == 11, result.output
    finding = result.finding("all_runs_success")
    assert (finding["status"], finding["reason_code"]) == ("no_data", "skipped")
    assert "not finite" in finding["message"]
    assert "UNVERIFIABLE" in result.output
    assert result.decision["counts"]["unverifiable"] == 2
    assert result.decision["counts"]["verified_launches"] == 0


def test_the_canonical_gate_covers_every_operation(
    gate: Gate, repository: Path, need_platform: Need, tmp_path: Path
) -> None:
    """A wrong triad fails it, named with its size."""
    kernels = tmp_path / "kernels"
    kernels.mkdir()
    text = (repository / "kernels" / "triad.cl").read_text(encoding="utf-8")
    (kernels / "triad.cl").write_text(text.replace("b[i] + s", "b[i] - s"), encoding="utf-8")
    entry = "{mode: triad, operation: triad, file: triad.cl, layout: vector}"
    (kernels / "catalog.yaml").write_text(f"version: 1\nkernels:\n  triad: {entry}\n", encoding="utf-8")
    result = gate("--platforms", need_platform("pocl"), "-k", "odd_shapes", suite="canonical")
    assert result.status in (1, 10), result.output
    assert "triad on pocl at 1x1x1" in result.finding("canonical_gate")["message"]


def test_the_absolute_bound_is_no_bound_of_ones_own(
    gate: Gate, repository: Path, need_platform: Need, tmp_path: Path
) -> None:
    """Results of a million are rounded by more than GEMM may err; the operation's own unit passes them."""
    write_project(tmp_path, repository, axpy_py=("np.float32(2.5)", "np.float32(1e6)"))
    options = (*SMALL, "--kernels", "axpy", "-k", "gate")
    result = gate("-c", "pytest.ini", "--platforms", need_platform("pocl"), *options)
    assert result.finding("canonical_gate")["status"] == "pass", result.output
    assert result.status == 11, "the cases were left out"
