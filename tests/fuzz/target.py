"""What the fuzzer calls: one reader, chosen by the first byte, asked for the rest. ``harness.py`` runs it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore] # of the fuzzer's session alone

with atheris.instrument_imports(include=["pytest_weekops"]):
    from tests.support.readers import READERS, ask

_READERS = list(READERS.values())


def one_input(data: bytes) -> None:
    """Whatever it holds, a value or a sentence; what else is raised is a finding."""
    if not data:
        return
    directory = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        ask(_READERS[data[0] % len(_READERS)], directory, data[1:])
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
