"""What this plugin adds to a pytest run that has nothing to do with it, beside the same run with an empty plugin.

    python benchmarks/import_time.py [--pairs 40]

Neither loads plugins besides: their start is three quarters of such a run and most of its scatter, and says nothing
of ours. What we import and one of them would have imported counts as ours here.
The two take turns, in an order that changes from pair to pair, and each pair is one difference of CPU time (user and
system, of pytest and what it started) and one of wall time; the first pairs fill the caches and do not count. Printed
is the median of the differences in ms with its 95 % interval (order statistics), then which of our modules the run
loads and how long each takes. Both run from byte code, as everything does that pip has installed: a machine where
``PYTHONDONTWRITEBYTECODE`` is set would compile an editable install anew in each run. Exit status 1 where the interval
of CPU time lies above 20 ms.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_MS = 20.0
WARM_UP = 3
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
ENVIRONMENT = {name: value for name, value in {**os.environ, **ALONE}.items() if name != "PYTHONDONTWRITEBYTECODE"}
OURS, EMPTY = ("-p", "pytest_weekops.plugin"), ("-p", "empty_plugin")
UNRELATED = "def test_sum():\n    assert 1 + 1 == 2\n"


def run(project: Path, *words: str) -> tuple[float, float]:
    """CPU and wall time of one run, in ms."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words, "test_unrelated.py"]
    subprocess.run(command, cwd=project, env=ENVIRONMENT, capture_output=True, check=True)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime), 1e3 * wall


def median_interval(values: list[float]) -> tuple[float, float, float]:
    """Median, and the order statistics that hold it with 95 %."""
    ordered = sorted(values)
    n = len(ordered)
    reach = math.ceil(1.96 * math.sqrt(n) / 2)
    return ordered[n // 2], ordered[max(0, n // 2 - reach)], ordered[min(n - 1, n // 2 + reach)]


def loaded(project: Path) -> list[tuple[float, str]]:
    """Our modules in such a run, with the milliseconds that each takes by itself."""
    python = [sys.executable, "-X", "importtime", "-m"]
    lines = subprocess.run(
        [*python, "pytest", "-q", "-p", "no:cacheprovider", *OURS, "test_unrelated.py"],
        cwd=project,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    ).stderr.splitlines()
    rows = [line.removeprefix("import time:").split("|") for line in lines if "pytest_weekops" in line]
    return [(int(own) * 1e-3, name.strip()) for own, _total, name in rows]


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=40, help="pairs that count (default: 40)")
    pairs = parser.parse_args().pairs
    cpu: list[float] = []
    wall: list[float] = []
    with tempfile.TemporaryDirectory() as directory:
        project = Path(directory)
        (project / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        (project / "test_unrelated.py").write_text(UNRELATED, encoding="utf-8")
        (project / "empty_plugin.py").write_text("", encoding="utf-8")
        for pair in range(WARM_UP + pairs):
            turns: list[tuple[str, ...]] = [OURS, EMPTY]
            took = {words: run(project, *words) for words in (turns if pair % 2 else turns[::-1])}
            if pair >= WARM_UP:
                cpu.append(took[turns[0]][0] - took[turns[1]][0])
                wall.append(took[turns[0]][1] - took[turns[1]][1])
        modules = loaded(project)
    for name, values in (("CPU", cpu), ("wall", wall)):
        middle, low, high = median_interval(values)
        print(f"{name:<5} {middle:6.1f} ms  [{low:.1f}, {high:.1f}]  in {pairs} pairs")
    print(f"{len(modules)} modules of ours, {sum(own for own, _ in modules):.1f} ms by themselves:")
    for own, name in sorted(modules, reverse=True):
        print(f"  {own:6.2f} ms  {name}")
    return 1 if median_interval(cpu)[1] > LIMIT_MS else 0


if __name__ == "__main__":
    sys.exit(main())
