"""A guard that catches something in a live run: the measurement is wrong, the verdict SEV1, the guard disabled."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.evidence.journal import read_journal
from pytest_weekops.evidence.stored_run import read_run
from tests.device.test_wrong_in_mid_session import counting
from tests.support.gates import SMALL, GateResult, run_gate

pytestmark = pytest.mark.device

Gate = Callable[..., GateResult]
Need = Callable[[str], str]
# Behind 5 to 20 launches of warm-up, so that a session begins well and its 40th launch is one that is timed.
# Rows of 100 floats are padded to 112, and the kernel counts in the padding.
OPTIONS = (*SMALL, "--sizes", "100", "--iterations", "40", "--kernels", "auto_t5_guarded", "--rollback", "never")


def own_packed(directory: Path, condition: str) -> None:
    """A project whose own ``packed``, which auto takes at 100, counts its launches and is wrong where that says."""
    kernels = directory / "kernels"
    kernels.mkdir()
    source = counting(condition).replace("= sum;\n}", "= alpha * sum;\n}")
    (kernels / "mine.cl").write_text(source, encoding="utf-8")
    facts = "mode: packed, file: mine.cl, layout: block, defines: {MR: 1, NV: 1, VW: 1}"
    catalog = f"version: 1\nkernels:\n  mine: {{{facts}}}\n"
    (kernels / "catalog.yaml").write_text(catalog, encoding="utf-8")


def events(run_dir: Path) -> list[dict[str, Any]]:
    """What the journal says of guards."""
    return [dict(event.data) for event in read_journal(run_dir / "journal.jsonl") if event.type == "guard"]


@pytest.fixture(scope="module")
def disabled(tmp_path_factory: pytest.TempPathFactory, repository: Path, need_platform: Need) -> GateResult:
    """A run whose kernel stays wrong from its fortieth launch on."""
    directory = tmp_path_factory.mktemp("disabled")
    own_packed(directory, "launch >= 40")
    return run_gate(directory, repository / "suites" / "weekly", "--platforms", need_platform("pocl"), *OPTIONS)


def is_sev1_with_all_its_facts(result: GateResult, repeats: str) -> None:
    """Good at the opening gate and in the warm-up; launch, row, column, values, threshold and bits are named."""
    assert result.status == 10, result.output
    assert result.finding("canonical_gate")["status"] == "pass"
    found = result.finding("all_runs_success")
    assert (found["status"], result.decision["verdict"]["severity"]) == ("fail", 1)
    measured = [r for r in read_run(result.run_dirs[0]).records if isinstance(r, Measurement)]
    reasons = [m.reason for m in measured if m.status == "wrong"]
    assert len(reasons) == 2
    for words in (
        "the guard caught launch",
        "row 17, column 5",
        "is right, off by",
        "thresholds of",
        "bits 23",
        repeats,
    ):
        assert all(words in reason for reason in reasons), reasons


def test_a_launch_that_turns_wrong_is_sev1_with_all_its_facts(disabled: GateResult) -> None:
    """One that stays wrong is deterministic."""
    is_sev1_with_all_its_facts(disabled, ": deterministic")


def test_a_launch_that_is_wrong_once_is_transient(gate: Gate, need_platform: Need, tmp_path: Path) -> None:
    """And no less grave."""
    own_packed(tmp_path, "launch == 40")
    is_sev1_with_all_its_facts(gate("--platforms", need_platform("pocl"), *OPTIONS), ": transient")


def test_a_guard_that_was_disabled_blocks_the_next_run_of_a_good_kernel(
    gate: Gate, need_platform: Need, disabled: GateResult, tmp_path: Path
) -> None:
    """The disable is an event in the first run's journal, and outlives its process."""
    (event,) = events(disabled.run_dirs[0])
    assert event["event"] == "disabled"
    assert "a wrong result: 1 bad rows, the first 17" in event["reason"]
    shutil.copytree(disabled.directory, tmp_path, dirs_exist_ok=True)
    (first,) = (path.name for path in disabled.run_dirs)
    shutil.rmtree(tmp_path / "kernels")
    second = gate("--platforms", need_platform("pocl"), *OPTIONS)
    assert second.status == 10, second.output
    run_dir = next(path for path in second.run_dirs if path.name != first)
    document = json.loads((run_dir / "decision.json").read_text(encoding="utf-8"))
    failed = {f["check"] for f in document["verdict"]["findings"] if f["status"] == "fail"}
    assert "t5_disable_events_total_bound" in failed
    assert "all_runs_success" not in failed
