"""Every kernel of the set of wrong ones is caught, by what the table says; the shipped ones themselves are not."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.core.units import LEVEL1
from pytest_weekops.files.shipped import data_dir
from tests.support.benches import Bench

pytestmark = [pytest.mark.device, pytest.mark.long]
TABLE: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parents[2] / "docs" / "wrong-kernels.yaml").read_text(encoding="utf-8")
)
WRONG = TABLE["kernels"]
ITERATIONS = 8
_right: set[tuple[str, str]] = set()  # shipped variants and shapes that were measured, once for all that change them
SAID = {
    "comparison": r"session 1: (warm-up )?launch \d: error (of )?\S+ (rounding units )?exceeds ",
    "not finite": r"session 1: (warm-up )?launch \d: \d+ elements are not finite; ",
    "no work": r"session 1: launch \d did no work: what it left is the result of other inputs",
    "red zone": r"session 1: the kernel wrote outside of \w+: \d+ floats (behind its end|before its beginning), ",
    "limit": r"session 1: (warm-up )?launch \d: \w+\(.*\) is .* is right: .* ULP, \S+ are allowed; wrong for \d+ of",
    "bits": r"session 1: launch [2-7]: error \S+ exceeds ",
}


def changed(directory: Path, wrong: dict[str, Any]) -> Path:
    """The shipped kernels with one text replaced."""
    kernels = directory / "kernels"
    shutil.copytree(data_dir("kernels"), kernels)
    source = kernels / wrong["file"]
    text = source.read_text(encoding="utf-8")
    old, new = wrong["change"]
    assert old in text, f"{wrong['file']} has no {old!r} any more"
    source.write_text(text.replace(old, new), encoding="utf-8")
    catalog = yaml.safe_load((kernels / "catalog.yaml").read_text(encoding="utf-8"))
    (entry,) = (entry for entry in catalog["kernels"].values() if entry["mode"] == wrong["mode"])
    entry.update(wrong.get("entry", {}))
    (kernels / "catalog.yaml").write_text(yaml.safe_dump(catalog), encoding="utf-8")
    return kernels


def measure(bench: Bench, wrong: dict[str, Any], kernels: Path | None) -> Measurement:
    """One session of eight launches."""
    operation = KernelOperation(name=wrong["mode"] if wrong["mode"] in ("triad", *LEVEL1) else "gemm")
    m, n, k, alpha, beta = wrong.get("shape", (61, 61, 61, 3.0, 0.0) if not operation.is_gemm else (61, 67, 71, 1, 0))
    return bench.measure(
        wrong["mode"],
        (m, n, k),
        alpha=alpha,
        beta=beta,
        iterations=ITERATIONS,
        kernel_dir=kernels,
        operation=operation,
    )


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong['mode']}: {wrong['what']}")
def test_a_wrong_kernel_is_caught(benches: Callable[[str], Bench], tmp_path: Path, wrong: dict[str, Any]) -> None:
    """On one worker for all, none of which goes down; what it says is what the table tells."""
    bench = benches(wrong.get("platform", "pocl"))
    if (shipped := (wrong["mode"], str(wrong.get("shape")))) not in _right:
        good = measure(bench, wrong, None)
        assert good.status is MeasurementStatus.OK, good.reason
        _right.add(shipped)
    answer = measure(bench, wrong, changed(tmp_path, wrong))
    assert answer.status is MeasurementStatus.WRONG, (answer.status, answer.reason)
    assert re.match(SAID[wrong["caught"]], answer.reason), answer.reason


def test_the_set_is_large_and_each_of_another_kind() -> None:
    """At least 24, no two the same, and every way to catch one is in it."""
    assert len({wrong["what"] for wrong in WRONG}) == len(WRONG) >= 24
    assert {wrong["caught"] for wrong in WRONG} == set(SAID)


@pytest.mark.parametrize("name", LEVEL1)
def test_three_ways_to_be_wrong_are_known_of_each_workload(name: str) -> None:
    """At least; of queues they are wrong host calls for the greater part (test_queues.py)."""
    assert sum(wrong["mode"] == name for wrong in (*WRONG, *TABLE["calls"])) >= 3
