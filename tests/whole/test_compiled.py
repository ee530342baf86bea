"""What tests' workers share of their drivers' compiling: from workers that ended by themselves, each driver's apart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import COMPILED
from tests.support.compiled.sitecustomize import WORKER, driver, link

# In place of a worker: it "compiles" one file more, says which it began with, and ends as it is told to.
PROGRAM = (
    "import os, signal, sys, pathlib; own = pathlib.Path(os.environ['POCL_CACHE_DIR'])\n"
    "print(*sorted(path.name for path in own.rglob('*.so')), flush=True)\n"
    "(own / sys.argv[2]).touch(); (own / 'tempfile_1').touch(); os.kill(os.getpid(), int(sys.argv[3]))\n"
)


def began_with(place: Path, number: int, end: int, **environment: str) -> list[str]:
    """What a worker found in its own cache."""
    own = place / f"worker-{number}"
    own.mkdir()
    (place / "pocl.icd").write_text("libpocl.so.2\n", encoding="utf-8")
    told = {
        "PYTHONPATH": str(COMPILED),
        "COMPILED_FOR_TESTS": str(place / "compiled"),
        "OCL_ICD_VENDORS": str(place / "pocl.icd"),
        "POCL_CACHE_DIR": str(own),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, WORKER, f"{number}.so", str(end)],
        env=told | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -end, done.stderr
    return done.stdout.split()


def test_only_a_worker_that_ended_leaves_what_it_compiled(tmp_path: Path) -> None:
    """A killed build reaches nobody, nor does what stood behind a library in front of the driver."""
    assert began_with(tmp_path, 1, 0) == []
    assert began_with(tmp_path, 2, signal.SIGKILL) == ["1.so"]
    assert began_with(tmp_path, 3, 0, LD_PRELOAD=" ") == []
    assert began_with(tmp_path, 5, 0) == ["1.so"]
    assert began_with(tmp_path, 6, 0, POCL_VECTORIZER_REMARKS="1") == []
    assert {path.name for path in (tmp_path / "compiled").rglob("*") if path.is_file()} == {"1.so", "5.so", "6.so"}


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    """Whoever compiled it first."""
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "program.bc").write_text(name, encoding="utf-8")
    link(tmp_path / "theirs", tmp_path / "ours")
    assert (tmp_path / "ours" / "program.bc").read_text(encoding="utf-8") == "ours"


def test_drivers_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the library that an ICD file names, wherever that file lies."""
    found = []
    for name, text in (("a.icd", "one.so"), ("b.icd", "one.so"), ("c.icd", "two.so")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        monkeypatch.setenv("OCL_ICD_VENDORS", str(tmp_path / name))
        found.append(driver())
    assert found[0] == found[1] != found[2]
    assert os.environ["COMPILED_FOR_TESTS"]
