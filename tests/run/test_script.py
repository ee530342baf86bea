"""A run without pytest: opened, measured and concluded from a script of a few lines."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.week.entry import run_entries
from pytest_weekops.week.ledger import Ledger, open_ledger
from pytest_weekops.week.ledger_sharing import join_ledger
from tests.support.gates import POLICY
from tests.support.postgres import PASSWORD, Server

pytestmark = pytest.mark.device

SCRIPT = """\
import tempfile
from pathlib import Path

from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.policies.files import load_policy
from pytest_weekops.run.conclusion import conclude, end_suite
from pytest_weekops.run.opening import open_run
from pytest_weekops.run.request import RunRequest
from pytest_weekops.run.whole import measure_plan

with tempfile.TemporaryDirectory() as scratch:
    launches = resolve_platforms(["pocl"], scratch=Path(scratch))
    plan = CampaignPlan(kind="weekly", platforms=("pocl",), kernels=("auto",), sizes=(96,), seeds=(11,), snapshots=2)
    request = RunRequest(
        plan=plan,
        policy=load_policy("policy.yaml"),
        launches=tuple(launches),
        report_dir=Path("reports"),
        scratch=Path(scratch),
        say=print,
    )
    with open_run(request) as run:
        measure_plan(run)
        end_suite(run)
        conclusion = conclude(run)
raise SystemExit(conclusion.exit_status)
"""


def run_script(directory: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a directory of its own, which has the tests' policy."""
    (directory / "script.py").write_text(text, encoding="utf-8")
    (directory / "policy.yaml").write_text(POLICY, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "script.py"], cwd=directory, capture_output=True, text=True, check=False, timeout=300
    )


def decision_in(directory: Path) -> dict[str, Any]:
    """The decision of the one run in a directory."""
    (path,) = directory.glob("reports/*/decision.json")
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def test_a_script_opens_measures_and_concludes_a_run(tmp_path: Path, need_platform: Callable[[str], str]) -> None:
    """No pytest in sight, and the run promotes with all that a promote needs, in the ledger too."""
    need_platform("pocl")
    spying = SCRIPT.replace("raise SystemExit", "import sys\nassert 'pytest' not in sys.modules\nraise SystemExit")
    done = run_script(tmp_path, spying)
    assert done.returncode == 0, done.stdout + done.stderr
    document = decision_in(tmp_path)
    assert document["decision"] == "promote"
    assert document["plan"]["gates"] == ["opening/canonical/pocl", "closing/canonical/pocl", "suite/pytest/"]
    runs = run_entries(Ledger(tmp_path / "reports" / "ledger.sqlite").entries())
    assert [run.is_promote for run in runs] == [True]


@pytest.mark.long
def test_a_live_run_enters_a_ledger_that_its_directory_has_joined(
    tmp_path: Path, need_platform: Callable[[str], str], postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the database's record, there is no file, and nothing that was said or written holds the password."""
    need_platform("pocl")
    monkeypatch.setenv("WEEKOPS_LEDGER", postgres.url())
    join_ledger(tmp_path / "reports", "live", new=True)
    done = run_script(tmp_path, SCRIPT)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = run_entries(open_ledger(tmp_path / "reports").entries())
    assert run.is_promote
    assert not (tmp_path / "reports" / "ledger.sqlite").exists()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
    assert PASSWORD not in done.stdout + done.stderr


def test_the_document_shows_this_script(repository: Path) -> None:
    """docs/explanation/architecture.md has the script's lines, letter by letter."""
    text = (repository / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    assert SCRIPT[SCRIPT.index("with tempfile") :] in text


@pytest.mark.parametrize("left_out", ["        measure_plan(run)\n", "        end_suite(run)\n"])
def test_what_a_script_leaves_out_never_promotes(
    tmp_path: Path, need_platform: Callable[[str], str], left_out: str
) -> None:
    """Without the measurements, or without the word that everything came to its end, the verdict is iterate."""
    need_platform("pocl")
    assert left_out in SCRIPT
    done = run_script(tmp_path, SCRIPT.replace(left_out, ""))
    assert done.returncode not in (0, 2, 3, 4, 5), done.stdout + done.stderr
    assert decision_in(tmp_path)["decision"] == "iterate"
