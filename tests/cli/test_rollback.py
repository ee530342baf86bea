"""``weekops rollback`` as a process: what is refused, and the real gate and measurement on a real driver."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import weekops
from tests.support.gates import POLICY
from tests.support.history import promoted, record


def rollback(directory: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a directory of its own."""
    return weekops("rollback", *options, cwd=directory, environment=environment, timeout_s=600.0)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--undo"], "none to undo"),
        (["--platform", "nowhere"], "nowhere"),
        (["--policy", "missing.yaml"], "missing.yaml"),
        (["--apply", "--platform", "$(touch pwned)"], "touch pwned"),
        (["--apply", "--undo"], "not allowed with"),
    ],
)
def test_what_cannot_be_done_is_refused(tmp_path: Path, options: list[str], expected: str) -> None:
    """A sentence, a usage error, and no profile anywhere."""
    answer = rollback(tmp_path, *options)
    assert answer.returncode == 4, answer.stderr
    assert expected in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not list(tmp_path.rglob("*.env"))
    assert not (tmp_path / "pwned").exists()


def test_a_damaged_ledger_stops_the_rollback(tmp_path: Path) -> None:
    """What cannot be recorded is not done."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "ledger.sqlite").write_bytes(b"garbage" * 300)
    answer = rollback(tmp_path, "--apply", "--platform", "pocl")
    assert answer.returncode == 4
    assert not (tmp_path / "reports" / "runtime" / "active.env").exists()


@pytest.mark.long
def test_apply_is_verified_by_the_real_gate(tmp_path: Path, need_platform: Callable[[str], str]) -> None:
    """In somebody else's project with failing tests of its own and odd options, only the canonical suite counts.

    Either option by itself would leave the gate without a test that ran.
    """
    need_platform("pocl")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_theirs.py").write_text("def test_theirs():\n    assert False\n", encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n", encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")  # how calm this machine is is not asked here
    record(tmp_path / "reports", promoted("run-1"))
    words = ("--apply", "--platform", "pocl", "--policy", "policy.yaml")
    applied = rollback(tmp_path, *words, PYTEST_ADDOPTS="-k nothing --collect-only")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert "pocl is active and verified" in applied.stdout
    assert "channel: rolled_back" in weekops("status", cwd=tmp_path).stdout
    again = rollback(tmp_path, *words)
    assert "verified already" in again.stdout
    assert rollback(tmp_path, "--undo").returncode == 0
    assert not (tmp_path / "reports" / "runtime" / "active.env").exists()


def test_a_driver_that_is_gone_is_said_loudly(tmp_path: Path, need_platform: Callable[[str], str]) -> None:
    """The switch was asked for and made; what is active now does not answer, and that is what is said."""
    need_platform("pocl")
    profiles = (
        "version: 1\nprofiles:\n  mine:\n    platform_name: ^Portable Computing Language\n"
        "    environment: {POCL_DEVICES: nothing-of-that-name}\n"
        '    icds: ["{vendors}/pocl.icd", "{pyopencl}/pocl.icd"]\n    missing: Install PoCL.\n'
    )
    (tmp_path / "mine.yaml").write_text(profiles, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    answer = rollback(tmp_path, "--apply", "--platform", "mine", "--platform-file", "mine.yaml")
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "NOT VERIFIED: mine is active NOW" in answer.stderr
