"""What a run ends with: the verdict's status, or another than 0 where one was asked for and none was made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.plugin.asked import Wish, kinds_in
from pytest_weekops.plugin.last_word import Outcome, last_word
from tests.support.gates import POLICY
from tests.support.strangers import CAMPAIGN

WEEKLY = frozenset({"weekly"})
WISH = Wish(WEEKLY, "gate (weekly) was asked for by its path")


@pytest.mark.parametrize("status", [0, 1, 2, 3, 4, 5, 7, 11])
@pytest.mark.parametrize("verdict", [1, 10, 11])
def test_a_verdict_of_iterate_is_what_comes_out(verdict: int, status: int) -> None:
    """Whatever somebody set afterwards; where the two differ it is said."""
    final, words = last_word(status, Outcome(verdict, "iterate", WEEKLY, (WISH,)))
    assert final == verdict
    assert bool(words) is (status != verdict)


@pytest.mark.parametrize("status", [0, 1, 2, 5])
def test_a_promote_makes_nothing_green_that_is_red_for_another_reason(status: int) -> None:
    """Coverage below its floor is no matter of the driver's, and none to be silent about."""
    final, words = last_word(status, Outcome(0, "promote", WEEKLY, (WISH,)))
    assert final == status
    assert bool(words) is bool(status)


@pytest.mark.parametrize(("status", "final", "said"), [(0, 11, True), (1, 1, True), (5, 5, True), (4, 4, False)])
def test_no_verdict_where_one_was_asked_for_is_never_0(status: int, final: int, said: bool) -> None:
    """Another status stays; a refusal has its own words."""
    ended, words = last_word(status, Outcome(None, wishes=(WISH,), happened="Nothing."))
    assert ended == final
    assert bool(words) is said


@pytest.mark.parametrize("status", [0, 1, 2, 3, 4, 5])
def test_who_asked_for_nothing_hears_nothing(status: int) -> None:
    """An unrelated run is left as it is."""
    assert last_word(status, Outcome(None)) == (status, "")


def test_a_verdict_of_another_kind_is_none() -> None:
    """A canonical gate does not stand for a weekly one."""
    final, words = last_word(0, Outcome(0, "promote", frozenset({"canonical"}), (WISH,), "Of another kind."))
    assert final == 11
    assert "Of another kind." in words


def test_marks_are_read_and_not_words(tmp_path: Path) -> None:
    """A file that only speaks of campaigns is none; a test that is named by its node is looked at alone."""
    (tmp_path / "talk.py").write_text('"""weekops_campaign."""\nTEXT = "pytest.mark.weekops_campaign"\n', "utf-8")
    (tmp_path / "all.py").write_text(CAMPAIGN, "utf-8")
    one = "import pytest\n@pytest.mark.weekops_campaign('split')\ndef test_a(): ...\ndef test_b(): ...\n"
    (tmp_path / "one.py").write_text(one, "utf-8")
    (tmp_path / "bad.py").write_text("weekops_campaign (", "utf-8")
    assert not kinds_in(tmp_path / "talk.py")
    assert kinds_in(tmp_path / "all.py", "test_other") == WEEKLY
    assert kinds_in(tmp_path / "one.py", "test_a[x]") == {"split"}
    assert not kinds_in(tmp_path / "one.py", "test_b")
    assert kinds_in(tmp_path) == {"split", "weekly"}
    assert not kinds_in(tmp_path / "nowhere.py")


@pytest.fixture
def typed(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``typed(*words, **environment)``: pytest in a process of its own, beside a suite and an unrelated test."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (tmp_path / "test_ok.py").write_text("def test_ok():\n    pass\n", "utf-8")
    (tmp_path / "test_gate.py").write_text(CAMPAIGN, "utf-8")

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *words],
            cwd=tmp_path,
            env={
                **clean,
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTEST_PLUGINS": "pytest_weekops.plugin",
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.mark.long
@pytest.mark.device
def test_a_campaign_without_assertions_is_refused(
    typed: Callable[..., subprocess.CompletedProcess[str]], need_platform: Callable[[str], str]
) -> None:
    """Python's -O takes the asserts of every module away that pytest does not rewrite; other runs may have it."""
    words = ("test_gate.py", "--assert=plain", "--weekops-platforms", need_platform("pocl"), "--weekops-sizes=64")
    done = typed(*words, PYTHONOPTIMIZE="1")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "unset PYTHONOPTIMIZE" in done.stderr
    assert typed("test_ok.py", PYTHONOPTIMIZE="1").returncode == 0


@pytest.mark.long
def test_without_the_plugin_a_demand_is_refused(typed: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Where nobody is there to hear it, pytest does not know the word."""
    done = typed("test_ok.py", "--require-verdict", "weekly", PYTEST_PLUGINS="")
    assert done.returncode == 4
    assert "--require-verdict" in done.stderr


@pytest.mark.long
def test_processes_of_xdist_tell_what_they_collected(typed: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """The process that speaks collects nothing itself."""
    words = (".", "-n1", "-k", "test_ok", "--weekops-platforms", "nobody")
    done = typed(*words, PYTEST_PLUGINS="xdist.plugin,pytest_weekops.plugin")
    assert done.returncode != 0, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.device
def test_a_closed_standard_output_is_no_error(tmp_path: Path, need_platform: Callable[[str], str]) -> None:
    """The verdict is in the report directory, and in the exit status; pytest by itself would break off."""
    (tmp_path / "test_gate.py").write_text(CAMPAIGN, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, "utf-8")  # no waiting for a calm host: nobody asks how fast it is
    line = f"exec '{sys.executable}' -m pytest test_gate.py --weekops-platforms {need_platform('pocl')} "
    line += "--weekops-sizes=64 --weekops-snapshots=1 --weekops-kernels=auto --weekops-session-ms=20 "
    line += "--weekops-policy=policy.yaml >&-"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    (decision,) = tmp_path.glob("reports/*/decision.json")
    assert done.returncode == json.loads(decision.read_text("utf-8"))["exit_status"] != 0  # no gates, one snapshot
    assert "standard output is closed" in done.stderr
    assert "Traceback" not in done.stderr
