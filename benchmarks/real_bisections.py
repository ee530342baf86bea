"""Ladders of real drivers, one of which adds 5 %: chrt -r 1 python benchmarks/real_bisections.py --ladders 10.

Each ladder has sixteen libraries that hand everything to Debian's PoCL (`tests/faults/faulty_driver.c`), no two of
them the same file. From one on, which the ladder's number draws, they wait before each launch. `weekops bisect` looks
for it with its own defaults. How each ladder ended adds up in ``docs/bisected.json``: the right build, a range that has
it, ends or a range that stayed open without it, a wrong build. Broken off, the next call goes on with the same ladder.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_weekops.files.atomic import write_atomic

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "tests" / "faults" / "faulty_driver.c"
KEPT, WORK = ROOT / "docs" / "bisected.json", ROOT / "build" / "bisections"
BUILDS = 16
ENDED = ("right", "range", "open", "wrong")
FOUND, OPEN = 0, 11  # exit statuses of `weekops bisect` that are answers


@dataclass
class Ladders:
    """All of them so far: how they ended, how many snapshots they took, and by how much the bad end was slower."""

    file: Path
    ended: Counter[str] = field(default_factory=Counter)
    snapshots: list[int] = field(default_factory=list)
    slower_percent: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, file: Path) -> Ladders:
        """Those of earlier sittings; none where there is no file."""
        if not file.exists():
            return cls(file)
        told = json.loads(file.read_text(encoding="utf-8"))
        return cls(file, Counter(told["ended"]), told["snapshots"], told["slower_percent"], told["told"])

    @property
    def number(self) -> int:
        """Of the next one, from 1."""
        return sum(self.ended.values()) + 1

    def add(self, how: str, answer: dict[str, Any], told: str) -> None:
        """One more, on disk when this returns."""
        self.ended[how] += 1
        self.snapshots.append(sum(step["taken"] for step in answer["steps"]))
        (ends,) = [step for step in answer["steps"] if step["number"] == 0]
        self.slower_percent.append(round(-100 * math.expm1(ends["log_ratio"] or 0.0), 2))
        self.told.append(told)
        whole = {"ended": {name: self.ended[name] for name in ENDED}, "snapshots": self.snapshots}
        text = json.dumps({**whole, "slower_percent": self.slower_percent, "told": self.told}, indent=2)
        write_atomic(self.file, text + "\n")


def build(place: Path, real: Path, first_bad: int, delay_ns: int) -> list[Path]:
    """The libraries of a ladder, from the good one to the bad one; those that are there are taken."""
    found = []
    for number in range(BUILDS):
        library = place / f"build-{number:02d}" / "libfaulty.so"
        found.append(library)
        if library.exists():
            continue
        library.parent.mkdir(parents=True)
        late = delay_ns + number if number >= first_bad else 0
        options = [f"-DDELAY_NS={late}L", f'-DREAL="{real}"', f'-DFLAG="{place / "no-fault"}"']
        draft = library.with_suffix(".new")
        # Its name within makes each a file of its own.
        names = ["-shared", "-fPIC", f"-Wl,-soname,libfaulty.so.{number}", "-o", str(draft)]
        subprocess.run(["gcc", *names, str(SOURCE), *options, "-ldl"], check=True)
        draft.rename(library)
    return found


def searched(place: Path, libraries: Sequence[Path], size: int, words: Sequence[str]) -> tuple[int, dict[str, Any]]:
    """Exit status and answer of a search, gone on with where it was begun."""
    ends = ["--good", f"pocl@{libraries[0].parent}", "--bad", f"pocl@{libraries[-1].parent}"]
    what = ["--builds", f"{place}/build-*", "--sizes", str(size), "--kernels", "auto", "--dir", str(place / "kept")]
    command = [sys.executable, "-m", "pytest_weekops.cli", "bisect", *ends, *what, *words]
    (place / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    environment = {**os.environ, "POCL_CACHE_DIR": str(place / "cache")}  # what one worker compiled, the next one has
    with (place / "said.txt").open("ab") as said:
        done = subprocess.run(command, cwd=place, env=environment, stdout=said, stderr=said, check=False)
    answer = place / "kept" / "answer.json"
    return done.returncode, json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else {}


def judged(answer: dict[str, Any], first_bad: Path) -> str:
    """How a ladder ended whose first bad build is this one."""
    right = str(first_bad)
    if answer["first_bad"] is not None:
        return "right" if answer["first_bad"] == right else "wrong"
    return "range" if right in answer["suspects"] else "wrong"


def one(ladders: Ladders, asked: argparse.Namespace, real: Path) -> bool:
    """One ladder to its end, told and kept. Whether it came to one."""
    number = ladders.number
    first_bad = random.Random(number).randrange(1, BUILDS)
    place = asked.work.absolute() / f"ladder-{number:03d}"
    libraries = build(place, real, first_bad, round(asked.delay_us * 1000))
    begun, used = time.monotonic(), sum(os.times()[2:4])
    status, answer = searched(place, libraries, asked.size, shlex.split(asked.words))
    took = f"{time.monotonic() - begun:.0f} s, {sum(os.times()[2:4]) - used:.0f} s of CPU time"
    if status not in (FOUND, OPEN):
        print(f"ladder {number}: exit status {status} after {took}; see {place / 'said.txt'}", flush=True)
        return False
    how = judged(answer, libraries[first_bad]) if answer else "open"
    told = f"ladder {number}: {how}, build {first_bad + 1} of {BUILDS}, {took}"
    print(told, flush=True)
    ladders.add(how, answer or {"steps": [{"number": 0, "taken": 0, "log_ratio": None}]}, told)
    return True


def main(words: Sequence[str] | None = None) -> int:
    """Search, and print how all ladders ended. Exit status 1 where one did not end with the right build."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ladders", type=int, default=10, help="in all sittings together")
    parser.add_argument("--minutes", type=float, default=1e9, help="after which no further ladder is begun")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--delay-us", type=float, default=180.0, help="that a bad build waits before each launch")
    parser.add_argument("--words", default="", help="further options of `weekops bisect`, in one word")
    parser.add_argument("--work", type=Path, default=WORK, help="where builds and searches are kept")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where sittings add up")
    asked = parser.parse_args(words)
    from pytest_weekops.drivers.platforms import resolve_platforms

    asked.work.mkdir(parents=True, exist_ok=True)
    (pocl,) = resolve_platforms(["pocl-system"], scratch=asked.work.absolute())
    real = Path(pocl.open.expected[0])
    until, ladders = time.monotonic() + asked.minutes * 60, Ladders.read(asked.kept)
    while ladders.number <= asked.ladders and time.monotonic() < until and one(ladders, asked, real):
        pass
    print(", ".join(f"{ladders.ended[name]} {name}" for name in ENDED))
    return int(ladders.ended["right"] < asked.ladders)


if __name__ == "__main__":
    sys.exit(main())
