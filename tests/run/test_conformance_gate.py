"""A whole split over results that were kept, by a stand-in for piglit and by piglit itself where it is installed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.evidence.conformance.store import all_kept, keep
from tests.support.gates import POLICY, SMALL, GateResult
from tests.support.stand_in_piglit import stand_in

pytestmark = pytest.mark.long
POCL = "Portable Computing Language"
WIDE = "split: {min_ratio: 0.02, max_latency_ratio: 90}\n"
DRIVERS = ("old=pocl-embedded", "pocl-system")
ASKED = ("--baseline-platform", DRIVERS[0], "--candidate-platform", DRIVERS[1], "--min-rusticl-ratio", "0.02")


def test_a_split_takes_in_what_was_kept_of_its_drivers(
    gate: Callable[..., GateResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept by the command for two real drivers, found by their files, and held against each other."""
    stand_in(tmp_path / "bin", {"api@a": ["pass"], "api@b": ["fail"], "api@c": ["pass"]}, platform=POCL)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    store = tmp_path / "reports" / "conformance"
    kept = ["--report-dir", str(store.parent), "--reruns", "0"]
    assert main(["conformance", "piglit", *kept, "--platforms", *DRIVERS]) == 0
    (mine,) = (one for one in all_kept(store, "piglit") if one.identity.profile == "pocl-system")
    for path in store.glob("piglit-pocl-system-*"):
        path.unlink()
    worse = tuple(one.model_copy(update={"status": "crash"}) if one.test == "api@a" else one for one in mine.tests)
    keep(store, mine.model_copy(update={"tests": worse}))

    (tmp_path / "wide.yaml").write_text(POLICY + WIDE, encoding="utf-8")
    done = gate(*ASKED, *SMALL, "--policy", "wide.yaml", "--evidence", "piglit", suite="split")
    found = done.finding("conformance_evidence")
    assert found["status"] == "pass", found["message"]
    assert "1 failed before as well" in found["message"]
    assert [name for name in done.decision["failed_checks"] if "conformance" in name] == ["conformance_crashes"]
    assert done.status == 10
    assert "## What others have tested" in (done.run_dirs[0] / "summary.md").read_text(encoding="utf-8")
    assert "1 of piglit on pocl-system crash and did not before: api@a" in done.output
    assert main(["judge", str(done.run_dirs[0])]) == 10


@pytest.mark.skipif(shutil.which("piglit") is None, reason="piglit is not installed: 2 GB, so it is not in CI")
def test_piglit_itself_is_run_on_a_driver(tmp_path: Path) -> None:
    """Three of its tests, on Debian's PoCL: listed, run, read and kept with the driver's files."""
    words = ["-t", "api@clget(context|kernel|program)info$", "--reruns", "0", "--platforms", "pocl-system"]
    assert main(["conformance", "piglit", "--report-dir", str(tmp_path), *words]) == 0
    (found,) = all_kept(tmp_path / "conformance", "piglit")
    ended = {one.test: one.status for one in found.tests if one.test.count("@") == 1}
    assert ended == {"api@clgetcontextinfo": "pass", "api@clgetkernelinfo": "fail", "api@clgetprograminfo": "pass"}
    assert found.left_out_share > 0.9
    assert any(file.name.startswith("libpocl") for file in found.files)
