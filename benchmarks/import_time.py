"""What this plugin adds to a pytest run that has nothing to do with it, beside the same run with ``-p no:weekops``.

    python benchmarks/import_time.py [--pairs 40]

The two take turns, in an order that changes from pair to pair, and each pair is one difference of CPU time (user and
system, of pytest and what it started) and one of wall time; the first pairs fill the caches and do not count. Printed
is the median of the differences in ms with its 95 % interval (order statistics); the difference between the quickest
tenth of both, whose interval is that of 2,000 bootstrap samples of the pairs and narrower, since what disturbs a run
only ever adds to it; then which of our modules the run loads and how long each takes. Both run from byte code, as
everything does that pip has installed: a machine where ``PYTHONDONTWRITEBYTECODE`` is set would compile an editable
install anew in each run. Exit status 1 where the interval of either difference of CPU time lies above 20 ms.
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

import numpy as np
from numpy.typing import NDArray

LIMIT_MS = 20.0
WARM_UP = 3
WITHOUT = ("-p", "no:weekops")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
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


def quickest_interval(with_it: list[float], without: list[float]) -> tuple[float, float, float]:
    """The difference between the first deciles, and the middle 95 % of what resampled pairs make of it."""

    def difference(places: NDArray[np.int64]) -> float:
        return float(np.quantile(pairs[places, 0], 0.1) - np.quantile(pairs[places, 1], 0.1))

    pairs, draw = np.array([with_it, without]).T, np.random.default_rng(1)
    drawn = [difference(draw.integers(len(pairs), size=len(pairs))) for _ in range(2000)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return difference(np.arange(len(pairs))), float(low), float(high)


def loaded(project: Path) -> list[tuple[float, str]]:
    """Our modules in such a run, with the milliseconds that each takes by itself."""
    command = [sys.executable, "-X", "importtime", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_unrelated.py"]
    lines = subprocess.run(
        command, cwd=project, env=ENVIRONMENT, capture_output=True, text=True, check=True
    ).stderr.splitlines()
    rows = [line.removeprefix("import time:").split("|") for line in lines if "pytest_weekops" in line]
    return [(int(own) * 1e-3, name.strip()) for own, _total, name in rows]


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=40, help="pairs that count (default: 40)")
    pairs = parser.parse_args().pairs
    took: dict[tuple[str, ...], list[tuple[float, float]]] = {(): [], WITHOUT: []}
    with tempfile.TemporaryDirectory() as directory:
        project = Path(directory)
        (project / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        (project / "test_unrelated.py").write_text(UNRELATED, encoding="utf-8")
        for pair in range(WARM_UP + pairs):
            for words in list(took) if pair % 2 else list(took)[::-1]:
                found = run(project, *words)
                if pair >= WARM_UP:
                    took[words].append(found)
        modules = loaded(project)
    lows = []
    for place, name in enumerate(("CPU", "wall")):
        both = [[each[place] for each in took[words]] for words in took]
        differences = [one - other for one, other in zip(*both, strict=True)]
        for what, (middle, low, high) in (
            ("median difference", median_interval(differences)),
            ("of the quickest tenth", quickest_interval(*both)),
        ):
            print(f"{name:<5} {middle:6.1f} ms  [{low:.1f}, {high:.1f}]  {what}, in {pairs} pairs")
            lows += [low] if name == "CPU" else []
    print(f"{len(modules)} modules of ours, {sum(own for own, _ in modules):.1f} ms by themselves:")
    for own, name in sorted(modules, reverse=True):
        print(f"  {own:6.2f} ms  {name}")
    return 1 if max(lows) > LIMIT_MS else 0


if __name__ == "__main__":
    sys.exit(main())
