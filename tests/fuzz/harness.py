"""Fuzz every reader of files with coverage in view, and keep what reached something new: ``nox -s fuzz``.

``python -m tests.fuzz.harness --minutes 10`` runs a fuzzer at the lowest priority and says how much CPU time it had;
``--keep`` puts what it found worth keeping, minimised, into the corpus that ``test_corpus.py`` replays.
Needs atheris, which is a package of CPython 3.11 on Linux.
"""

from __future__ import annotations

import argparse
import base64
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
KEPT = HERE / "corpus"
MOST_BYTES = 4096  # of an input that is kept: larger ones reach nothing that these do not
MOST_KEPT = 12_000  # of all inputs that are kept of one reader


def main(words: Sequence[str] | None = None) -> int:
    """Fuzz, and say how that went. Exit status 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of wall time, whatever CPU time that gives")
    parser.add_argument("--work", type=Path, help="where inputs and findings are kept (default: a temporary place)")
    parser.add_argument("--keep", action="store_true", help="put what is worth keeping into tests/fuzz/corpus")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as place:
        work = asked.work or Path(place)
        inputs, merged = work / "inputs", work / "merged"
        for directory in (inputs, merged):
            directory.mkdir(parents=True, exist_ok=True)
        _seed(inputs)
        status = _fuzzer(work, f"-max_total_time={int(asked.minutes * 60)}", str(inputs))
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"fuzz: {spent.ru_utime + spent.ru_stime:.0f} s of CPU time, {len(list(inputs.iterdir()))} inputs")
        found = sorted(work.glob("crash-*")) + sorted(work.glob("timeout-*")) + sorted(work.glob("oom-*"))
        for path in found:
            print(f"fuzz: found {path.name}: {base64.b64encode(path.read_bytes()).decode()[:400]}")
        if asked.keep:
            _fuzzer(work, "-merge=1", str(merged), str(inputs))
            _keep(merged)
        return 1 if found or status else 0


def _fuzzer(work: Path, *words: str) -> int:
    limits = ("-timeout=60", "-rss_limit_mb=2048", f"-max_len={16_384}", "-verbosity=1", "-print_final_stats=1")
    line = [sys.executable, "-m", "tests.fuzz.target", *limits, f"-dict={_dictionary(work)}", *words]
    with (work / "log").open("ab") as log:
        line = [*line, f"-artifact_prefix={work}/"]
        return subprocess.run(line, stdout=log, stderr=log, check=False, preexec_fn=lambda: os.nice(19)).returncode


def _dictionary(work: Path) -> Path:
    from tests.support.broken_bytes import TOKENS

    path = work / "tokens.dict"
    tokens = ("".join(f"\\x{byte:02x}" for byte in token) for token in TOKENS if len(token) <= 60)
    path.write_text("".join(f'"{token}"\n' for token in tokens), encoding="ascii")
    return path


def _seed(inputs: Path) -> None:
    """Each reader's valid file, and what was kept before."""
    from tests.support.readers import READERS

    for number, reader in enumerate(READERS.values()):
        (inputs / f"seed-{number}").write_bytes(bytes([number]) + reader.valid)
    for number, data in enumerate(kept()):
        (inputs / f"kept-{number}").write_bytes(data)


def kept() -> list[bytes]:
    """The inputs of the corpus, each with its reader's number before it; one whose reader is gone is left out."""
    from tests.support.readers import READERS

    found = []
    for number, name in enumerate(READERS):
        path = KEPT / f"{name.replace(' ', '-')}.txt"
        lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
        found += [bytes([number]) + base64.b64decode(line) for line in lines]
    return found


def _keep(merged: Path) -> None:
    from tests.support.readers import READERS

    KEPT.mkdir(exist_ok=True)
    names = list(READERS)
    inputs: dict[str, list[bytes]] = {name: [] for name in names}
    for path in sorted(merged.iterdir(), key=lambda path: (path.stat().st_size, path.name)):
        data = path.read_bytes()
        if data and len(data) <= MOST_BYTES:
            inputs[names[data[0] % len(names)]].append(data[1:])
    for name, found in inputs.items():
        lines, size = [], 0
        for data in found:
            line = base64.b64encode(data).decode()
            if size + len(line) <= MOST_KEPT:
                lines.append(line)
                size += len(line) + 1
        (KEPT / f"{name.replace(' ', '-')}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


if __name__ == "__main__":
    sys.exit(main())
