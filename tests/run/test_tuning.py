"""Tuned build parameters in a run: what cannot be read is ignored aloud."""

from __future__ import annotations

from pathlib import Path

from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.evidence.journal import Journal
from pytest_weekops.evidence.tunings import PlatformTuning
from pytest_weekops.run.live import Platform, Run
from pytest_weekops.run.tuning import put_in_force
from tests.support.synthetic import make_identity, make_plan


def make_run(directory: Path) -> Run:
    """A run whose workers are never asked."""
    platforms = {"pocl": Platform("pocl", None, make_identity("pocl"))}  # type: ignore[arg-type]
    journal = Journal(directory / "journal.jsonl")
    policy = Policy(policy_id="t")
    return Run(make_plan(), policy, platforms, None, journal, memory_dir=directory)  # type: ignore[arg-type]


def test_kernels_that_cannot_be_read_do_not_stop_a_run(tmp_path: Path) -> None:
    """An include that is missing is each case's failure; the tuning is ignored aloud."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.cl").write_text('#include "gone.clh"\n', encoding="utf-8")
    (own / "catalog.yaml").write_text(
        "version: 1\nkernels:\n  mine: {mode: mine, file: mine.cl, layout: elementwise}\n", encoding="utf-8"
    )
    run = make_run(tmp_path)
    run.kernel_dirs = (str(own),)
    put_in_force(run, tmp_path)
    run.journal.close()
    assert run.tunings == {}
    assert "Every tuning is ignored" in run.notes[0]
    assert '"type":"note"' in run.journal.path.read_text(encoding="utf-8")


def test_a_run_asks_with_the_tuning_that_was_put_in_force(tmp_path: Path) -> None:
    """Tunings come after the run was made; its requests follow."""
    run = make_run(tmp_path)
    assert run.requests.tunings == {}
    run.tunings = {"pocl": PlatformTuning(file="here.json")}
    run.journal.close()
    assert run.requests.tunings["pocl"].file == "here.json"
