"""Which tests a tier takes along, with and without a path."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CASES: dict[str, tuple[tuple[str, ...], bool, bool]] = {
    "the gate alone": (("--tier", "canonical", "--driver-smoke"), False, True),
    "canonical": (("--tier", "canonical"), False, True),
    "smoke": (("--driver-smoke",), False, True),
    "with a path": (("test_own.py", "--tier", "canonical"), True, True),
    "full": (("--tier", "full"), True, True),
    "without a device": (("--tier", "cpu-fast"), True, True),
    "no tier": ((), True, False),
}


@pytest.mark.device
@pytest.mark.parametrize("testpaths", ["", "testpaths = checks\n"], ids=["here", "testpaths"])
@pytest.mark.parametrize("name", CASES)
def test_the_gate_takes_other_tests_along_only_by_name(
    tmp_path: Path, need_platform: Callable[[str], str], name: str, testpaths: str
) -> None:
    """Whoever asks whether the machine is sane does not wait for a project's tests; other tiers choose among them."""
    arguments, own, canonical = CASES[name]
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{testpaths}", encoding="utf-8")
    directory = tmp_path / "checks" if testpaths else tmp_path
    directory.mkdir(exist_ok=True)
    (directory / "test_own.py").write_text("def test_own():\n    pass\n", encoding="utf-8")
    words = [f"checks/{word}" if testpaths and word.endswith(".py") else word for word in arguments]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q"]
    done = subprocess.run(
        [*command, *words, "--platforms", need_platform("pocl")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ("test_own" in done.stdout) is own, done.stdout + done.stderr
    asked_of_the_machine = "test_driver_smoke[" in done.stdout or "test_policies_are_valid" in done.stdout
    assert asked_of_the_machine is canonical, done.stdout + done.stderr
