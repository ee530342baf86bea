"""Kernels under Oclgrind: what is wrong with one is found, what ended early or is not there is no clean bill."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.judge.campaign import live_campaign
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.microscope import CHECK_OPTIONS, Defect, Looked, check_looks, close_looks
from pytest_weekops.core.measurement.records import GateRecord
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.files.catalog import kernel_operations, variant_names
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.policies.files import default_policy
from pytest_weekops.run import microscope
from pytest_weekops.run.microscope import gate_of, look_closely
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest
from tests.support.synthetic import make_identity, make_plan

CATALOG = """\
version: 1
kernels:
  {name}: {{mode: {name}, operation: gemm, file: {name}.cl, layout: elementwise, needs: {{}}}}
"""
KERNEL = """\
__kernel void gemm(__global const float *A, __global const float *B, __global float *C, const int m, const int n,
                   const int k, const int lda, const int ldc, const float alpha, const float beta)
{
    const int col = get_global_id(0), row = get_global_id(1);
    if (row >= m || col >= n) return;
    float sum = 0.0f;
    for (int l = 0; l < k; ++l)
        sum += A[row * k + l] * B[l * lda + col];
    BODY
    C[row * ldc + col] = beta == 0.0f ? alpha * sum : alpha * sum + beta * C[row * ldc + col];
}
"""
WRONG = {
    "beyond": ("sum += 0.0f * A[m * k + 3];", "invalid access"),
    "race": ("C[0] = sum;", "data race"),
    "unwritten": ("__local float t[4]; t[0] = sum; if (col & 1) sum += t[m & 3];", "uninitialised value"),
}
WRONG_CHECKS = {
    "abft_check.cl": ("j < n; j += ITEMS)\n            rest", "j <= n; j += ITEMS)\n            rest"),
    "group_sum.clh": ("barrier(CLK_LOCAL_MEM_FENCE);", ""),
    "digest.cl": ("out[i * ITEMS + item] = sum;", "out[i * ITEMS + item] = sum; out[rows * ITEMS] = sum;"),
}
SHIPPED = (str(data_dir("kernels")),)
DEFECT = Defect(kind="data race", launch="mine at 5 x 3 x 1", kernel="gemm", place="3 mine.cl", words="Write-write")


@pytest.mark.long
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_kernel_is_found(name: str, tmp_path: Path, need_platform: Callable[[str], str]) -> None:
    """The results may be right; what the work-items do is not."""
    body, kind = WRONG[name]
    (tmp_path / "catalog.yaml").write_text(CATALOG.format(name=name), encoding="utf-8")
    (tmp_path / f"{name}.cl").write_text(KERNEL.replace("BODY", body), encoding="utf-8")
    (launch,) = resolve_platforms([need_platform("oclgrind")], scratch=tmp_path)
    looks = close_looks(kernel_operations((str(tmp_path),)), (str(tmp_path),))[1:2]
    found = look_closely(launch, looks, tmp_path)
    assert found.broken_off == ""
    assert kind in {defect.kind for defect in found.defects}
    record = gate_of(found, "pocl")
    assert not record.passed
    assert f"{kind} in kernel gemm" in record.reason


@pytest.mark.long
def test_nothing_is_wrong_with_the_kernels_that_check_others(
    tmp_path: Path, need_platform: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As CPU drivers get them and as GPUs do; and what is wrong with one is found, whatever it answers."""
    (launch,) = resolve_platforms([need_platform("oclgrind")], scratch=tmp_path)
    looks = check_looks()
    found = look_closely(launch, looks, tmp_path)
    assert (found.broken_off, found.defects) == ("", ())
    assert set(found.blind) == {look.name for look in looks if not {"-DVW=16", "-DVW=4"}.isdisjoint(look.options)}
    assert list(found.launches) == [look.name for look in looks]
    assert {look.variant for look in looks} == set(CHECK_OPTIONS)
    shipped = tmp_path / "share"
    shutil.copytree(data_dir("kernels"), shipped / "kernels")
    for file, (right, wrong) in WRONG_CHECKS.items():
        text = (shipped / "kernels" / file).read_text(encoding="utf-8")
        assert right in text
        (shipped / "kernels" / file).write_text(text.replace(right, wrong), encoding="utf-8")
    monkeypatch.setattr(microscope, "PROGRAM", "tests.support.close_checks")
    monkeypatch.setenv("CLOSE_CHECKS_OF", str(shipped / "kernels"))
    found = look_closely(launch, [look for look in looks if look.m == 11 and "-DITEMS=8" in look.options], tmp_path)
    assert {(defect.kind, defect.kernel) for defect in found.defects} >= {
        ("invalid access", "abft_check"),
        ("data race", "abft_sample"),
        ("invalid access", "digest"),
    }


@pytest.mark.long
def test_nothing_is_wrong_with_the_shipped_kernels(tmp_path: Path, need_platform: Callable[[str], str]) -> None:
    """Each variant at each shape; of one the simulator cannot follow which values were written."""
    (launch,) = resolve_platforms([need_platform("oclgrind")], scratch=tmp_path)
    operations = kernel_operations(SHIPPED)
    looks = close_looks({name: operations[name] for name in variant_names(SHIPPED)}, SHIPPED)
    found = look_closely(launch, looks, tmp_path)
    assert (found.broken_off, found.defects) == ("", ())
    assert {name.split(" at ")[0] for name in found.blind} <= {"regtile"}
    assert list(found.launches) == [look.name for look in looks]


def _of(*records: GateRecord) -> Finding:
    plan = make_plan("canonical").model_copy(update={"gates": ("canonical/microscope/pocl",)})
    campaign = live_campaign(plan, records, identities={"pocl": make_identity("pocl")})
    verdict = judge(default_policy(), campaign)
    return next(finding for finding in verdict.findings if finding.check == "canonical_gate")


def test_a_simulator_that_is_not_there_leaves_no_data_and_says_what_to_install() -> None:
    """Never green; and no fault of any kernel."""
    finding = _of(gate_of(None, "pocl", "kernels were not looked at: Install Debian's package oclgrind."))
    assert (finding.status.value, finding.reason_code) == ("no_data", "undone")
    assert "Install Debian's package oclgrind" in finding.message
    assert _of().status.value == "no_data"


def test_one_that_broke_off_leaves_no_data_and_defects_fail() -> None:
    """What it had found before counts all the same."""
    assert _of(gate_of(Looked(broken_off="it took more than 1 s"), "pocl")).reason_code == "undone"
    for found in (Looked(defects=(DEFECT,)), Looked(defects=(DEFECT,), broken_off="it ended")):
        finding = _of(gate_of(found, "pocl"))
        assert (finding.status.value, finding.reason_code) == ("fail", "failed")
        assert "data race in kernel gemm, line 3 of mine.cl" in finding.message
    assert _of(gate_of(Looked(launches=("a",)), "pocl")).status.value == "pass"


@pytest.mark.parametrize(
    ("program", "limit", "why"),
    [
        ("import time; time.sleep(60)", 0.5, "it took more than 0.5 s"),
        ("import os; os.abort()", 60.0, "it was ended by signal 6"),
        ("raise SystemExit(0)", 60.0, "it ended before its last launch was over"),
    ],
)
def test_a_simulator_that_hangs_dies_or_leaves_is_broken_off(
    program: str, limit: float, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is ended at its time, with all that it started."""
    (tmp_path / "no_simulator.py").write_text(program, encoding="utf-8")
    monkeypatch.setattr(microscope, "PROGRAM", "no_simulator")
    launch = Launch(
        label="oclgrind",
        profile="oclgrind",
        environment={"PYTHONPATH": str(tmp_path)},
        open=OpenRequest(profile="oclgrind"),
    )
    found = look_closely(launch, (), tmp_path, longest_s=limit)
    assert found.broken_off.startswith(why)
    assert sys.modules.get("no_simulator") is None


DIES = """\
import os, sys
from pathlib import Path
from pytest_weekops.core.measurement.microscope import DONE_MARK, LAUNCH_MARK, CloseLook

for line in Path(sys.argv[1]).read_bytes().splitlines()[1:]:
    look = CloseLook.model_validate_json(line)
    sys.stderr.write(f"\\n{LAUNCH_MARK}{look.name}\\n")
    sys.stderr.flush()
    if look.variant == "scan" and WHEN:
        os.abort()
sys.stderr.write(f"\\n{DONE_MARK}\\n")
"""


@pytest.mark.parametrize(
    ("when", "why"),
    [("'OCLGRIND_UNINITIALIZED' in os.environ", ""), ("True", "it was ended by signal 6")],
    ids=["while it watches", "always"],
)
def test_what_the_simulator_dies_of_is_looked_at_without_its_watch(
    when: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variants before and behind it are looked at as ever; where it dies all the same, nothing is clean."""
    (tmp_path / "dies.py").write_text(DIES.replace("WHEN", when), encoding="utf-8")
    monkeypatch.setattr(microscope, "PROGRAM", "dies")
    operations = kernel_operations(SHIPPED)
    looks = close_looks({name: operations[name] for name in ("triad", "scan", "sort")}, SHIPPED)
    launch = Launch(
        label="oclgrind",
        profile="oclgrind",
        environment={"PYTHONPATH": str(tmp_path), "OCLGRIND_UNINITIALIZED": "1"},
        open=OpenRequest(profile="oclgrind"),
    )
    found = look_closely(launch, looks, tmp_path)
    assert found.launches == tuple(look.name for look in looks)
    assert found.blind == tuple(look.name for look in looks if look.variant == "scan")
    assert found.broken_off.startswith(why)
    assert bool(found.broken_off) == bool(why)
