"""What a conformance suite finds on each driver, and what changes from one to the other, as a verdict counts it.

    weekops conformance piglit --platforms clover rusticl pocl-system pocl-embedded --jobs 2 --reruns 1
    python benchmarks/conformance.py reports/conformance

The newest results of each driver that are kept in the directory, as the two tables of docs/reference/drivers.md; then
the names of what is worse in each change, to read.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from itertools import permutations
from pathlib import Path

from pytest_weekops.core.conformance.changes import WORSE, compare
from pytest_weekops.core.conformance.results import SUITES, SuiteResults
from pytest_weekops.evidence.conformance.store import all_kept

STATUSES = ("pass", "fail", "crash", "timeout", "flaky", "skip")
COUNTED = (*WORSE, "old", "fixed")


def newest(directory: Path, suite: str) -> list[SuiteResults]:
    """The newest results of each driver."""
    found: dict[str, SuiteResults] = {}
    for results in sorted(all_kept(directory, suite), key=lambda each: each.created_at):
        found[results.identity.library_sha256] = results
    return list(found.values())


def name(results: SuiteResults) -> str:
    """Profile and driver version."""
    return f"{results.identity.profile} {results.identity.driver_version}"


def table(head: list[str], rows: list[list[object]]) -> str:
    """A table of Markdown."""
    lines: list[list[object]] = [[*head], ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def main(argv: list[str] | None = None) -> int:
    """Print both tables and the names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--suite", choices=SUITES, default="piglit")
    arguments = parser.parse_args(argv)
    drivers = newest(arguments.directory, arguments.suite)
    print(table(["driver", *STATUSES], [[name(one), *(one.counts.get(s, 0) for s in STATUSES)] for one in drivers]))
    pairs = [(old, new, compare(old, new, {})) for old, new in permutations(drivers, 2)]
    counts = [(old, new, Counter(change.kind for change in changes)) for old, new, changes in pairs]
    rows: list[list[object]] = [[name(old), name(new), *(kinds[k] for k in COUNTED)] for old, new, kinds in counts]
    print(f"\n{table(['in service', 'candidate', *COUNTED], rows)}")
    for old, new, changes in pairs:
        print(f"\n{name(old)} -> {name(new)}")
        for change in changes:
            if change.kind in WORSE:
                print(f"  {change.kind}: {change.words}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
