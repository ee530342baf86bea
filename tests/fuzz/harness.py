"""Fuzz every reader of files with coverage in view, and keep what reached something new: ``nox -s fuzz``.

``python -m tests.fuzz.harness --minutes 10`` goes on with the readers that had least CPU time so far, at the lowest
priority. How much each has had, over all sittings, is kept in ``docs/fuzzed.json``, and what was found to reach
something in ``--work``, where the next sitting goes on from it; ``--keep`` puts the smallest of that into the corpus
that ``test_corpus.py`` replays. Needs atheris, which is a package of CPython 3.11 on Linux.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pytest_weekops.files.atomic import write_atomic

HERE = Path(__file__).parent
KEPT = HERE / "corpus"
SPENT = HERE.parents[1] / "docs" / "fuzzed.json"
MOST_BYTES = 4096  # of an input that is kept: larger ones reach nothing that these do not
MOST_KEPT = 6_000  # of all inputs that are kept of one reader


def main(words: Sequence[str] | None = None) -> int:
    """Fuzz, and say how that went. Exit status 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of wall time, whatever CPU time that gives")
    parser.add_argument("--slice", type=int, default=20, help="seconds for one reader, before the next one's turn")
    parser.add_argument("--work", type=Path, help="where inputs and findings are kept (default: a temporary place)")
    parser.add_argument("--keep", action="store_true", help="put what is worth keeping into tests/fuzz/corpus")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as place:
        work = (asked.work or Path(place)).absolute()
        before = sum(spent().values())
        status = _fuzzed(work, asked.minutes, asked.slice)
        after = spent()
        least = min(after, key=lambda name: after[name], default="")
        print(
            f"fuzz: {sum(after.values()) - before:.0f} s of CPU time now, {sum(after.values()):.0f} s in all sittings; "
            f"{least or 'no reader'} has had least: {after.get(least, 0):.0f} s"
        )
        found = sorted(path for kind in ("crash", "timeout", "oom") for path in work.glob(f"{kind}-*"))
        for path in found:
            print(f"fuzz: found {path.name}: {base64.b64encode(path.read_bytes()).decode()[:400]}")
        if asked.keep:
            keep(work / "inputs")
        return 1 if found or status else 0


def _fuzzed(work: Path, minutes: float, slice_s: int) -> int:
    """Seed what was not there, and run the fuzzer's process; its exit status."""
    from tests.support.readers import READERS

    for number, (name, reader) in enumerate(READERS.items()):
        inputs = work / "inputs" / directory_of(name)
        inputs.mkdir(parents=True, exist_ok=True)
        for place, data in enumerate((reader.valid, *kept(name))):
            (inputs / f"seed-{number}-{place}").write_bytes(data)
    line = [sys.executable, "-m", "tests.fuzz.target", str(work), str(minutes * 60), str(slice_s)]
    with (work / "log").open("ab") as log:
        _dictionary(work)
        return subprocess.run(line, stdout=log, stderr=log, check=False, preexec_fn=lambda: os.nice(19)).returncode


def _dictionary(work: Path) -> None:
    from tests.support.broken_bytes import TOKENS

    tokens = ("".join(f"\\x{byte:02x}" for byte in token) for token in TOKENS if len(token) <= 60)
    (work / "tokens.dict").write_text("".join(f'"{token}"\n' for token in tokens), encoding="ascii")


# -- CPU time over all sittings ----------------------------------------------------------------------------------


def spent(file: Path = SPENT) -> dict[str, float]:
    """CPU seconds that each reader has had, in all sittings."""
    found: dict[str, float] = json.loads(file.read_text(encoding="utf-8"))["cpu_s"] if file.exists() else {}
    return found


def add_spent(name: str, seconds: float, file: Path = SPENT) -> None:
    """Count a slice of one reader; on disk before the next one begins."""
    document = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"cpu_s": {}}
    document["cpu_s"][name] = round(document["cpu_s"].get(name, 0.0) + seconds, 1)
    write_atomic(file, json.dumps(document, indent=2, sort_keys=True) + "\n")


# -- the corpus --------------------------------------------------------------------------------------------------


def directory_of(name: str) -> str:
    """A reader's name as that of a file."""
    return name.replace(" ", "-")


def kept(name: str) -> list[bytes]:
    """The inputs of one reader in the corpus."""
    path = KEPT / f"{directory_of(name)}.txt"
    return list(map(base64.b64decode, path.read_text(encoding="ascii").splitlines())) if path.exists() else []


def keep(inputs: Path, corpus: Path = KEPT) -> None:
    """Put the smallest inputs of each reader into the corpus, as many as there is room for; the fuzzer made them so."""
    corpus.mkdir(exist_ok=True)
    for directory in sorted(path for path in inputs.iterdir() if path.is_dir()):
        found = {path.read_bytes() for path in directory.iterdir()}
        lines, size = [], 0
        for data in sorted((data for data in found if 0 < len(data) <= MOST_BYTES), key=lambda data: (len(data), data)):
            line = base64.b64encode(data).decode()
            if size + len(line) <= MOST_KEPT:
                lines.append(line)
                size += len(line) + 1
        (corpus / f"{directory.name}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


if __name__ == "__main__":
    sys.exit(main())
