"""The fuzzer's process: every reader, loaded once where atheris sees it, and a child for each slice of one of them.

``harness.py`` runs it: ``python -m tests.fuzz.target WORK SECONDS SLICE``.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore] # of the fuzzer's session alone

with atheris.instrument_imports(include=["pytest_weekops"]):
    from tests.support.readers import READERS, Reader, ask

from tests.fuzz.harness import add_spent, directory_of, spent

_LIMITS = ("-timeout=60", "-rss_limit_mb=2048", "-max_len=16384", "-verbosity=1", "-print_final_stats=1")
_PR_SET_PDEATHSIG = 1


def one_input(reader: Reader) -> Callable[[bytes], None]:
    """Whatever it holds, a value or a sentence; what else is raised is a finding."""

    def tried(data: bytes) -> None:
        directory = Path(tempfile.mkdtemp(prefix="fuzz-"))
        try:
            ask(reader, directory, data)
        finally:
            shutil.rmtree(directory)

    return tried


def fuzz(name: str, work: Path, seconds: int) -> int:
    """One slice of one reader, in a child that ends with this process; its exit status, after its time was counted."""
    child = os.fork()
    if child == 0:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        inputs = work / "inputs" / directory_of(name)
        limits = (*_LIMITS, f"-max_total_time={seconds}", f"-dict={work / 'tokens.dict'}", f"-artifact_prefix={work}/")
        atheris.Setup([sys.argv[0], *limits, str(inputs)], one_input(READERS[name]))
        atheris.Fuzz()
        os._exit(0)
    _pid, status, usage = os.wait4(child, 0)
    add_spent(name, usage.ru_utime + usage.ru_stime)
    return os.waitstatus_to_exitcode(status)


def main(work: Path, seconds: float, slice_s: int) -> int:
    """Slice by slice, always for the reader that had least; 1 where one of them ended badly."""
    until = time.monotonic() + seconds
    failed: set[str] = set()
    while time.monotonic() < until and len(failed) < len(READERS):
        had = spent()
        name = min((name for name in READERS if name not in failed), key=lambda name: had.get(name, 0.0))
        print(f"fuzz: {name}, {had.get(name, 0.0):.0f} s so far", flush=True)
        if fuzz(name, work, min(slice_s, max(1, int(until - time.monotonic())))):
            failed.add(name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
