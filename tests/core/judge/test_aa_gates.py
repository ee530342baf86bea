"""What the script that counts real gates makes of its snapshots; these are made up."""

from __future__ import annotations

import gzip
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
import aa_gates
from aa_gates import Gate, Snapshot, gates, series, spreads, table


def snapshots(
    count: int, work: float = 1.0, *, busy: bool = False, ms: float = 2.0, sd: float = 0.004
) -> list[Snapshot]:
    """Log ratios of that noise around one over the work; the second side takes so many milliseconds."""
    draw = random.Random(f"{work} {busy}")
    return [
        {
            "platform": "pocl",
            "work": work,
            "busy": busy,
            "cells": [
                {"log": draw.gauss(1 - work, sd), "calm": 99, "mean": work - 1 + draw.gauss(0, sd), "ms": ms * work}
                for _size in aa_gates.SIZES
            ],
        }
        for _ in range(count)
    ]


def test_an_unchanged_driver_passes_and_a_slower_one_fails() -> None:
    """The first twenty are the calibration; three snapshots decide what is clear, and what is left over is no gate."""
    every = [*snapshots(20 + 3 * 4 + 2), *snapshots(9, 1.2), *snapshots(6, busy=True)]
    assert [spread.degrees for spread in spreads(every, "pocl")] == [19, 19]
    assert list(gates(every, "pocl", 1.0, busy=False)) == [Gate("pass", 3, mean_fails=False, drift_fails=False)] * 4
    assert list(gates(every, "pocl", 1.2, busy=False)) == [Gate("fail", 3, mean_fails=True, drift_fails=False)] * 3
    assert len(list(gates(every, "pocl", 1.0, busy=True))) == 2
    rows = table(every)
    assert rows[2].startswith("| pocl, idle, 1 | 4 | 4 (40 to 100 %) | 0 (0 to 60 %) | 0 (0 to 60 %) | 3.0 | 0 % |")
    assert len(rows) == 2 + 3


def test_what_lies_at_the_limit_stays_open_to_the_last_look() -> None:
    """Three percent more work against a floor of 0.97."""
    every = [*snapshots(20, sd=0.01), *snapshots(12, 1.0305, sd=0.01)]
    (found,) = gates(every, "pocl", 1.0305, busy=False)
    assert (found.answer, found.snapshots) == ("inconclusive", 12)


def test_a_host_that_changed_its_speed_fails_the_older_rule_alone() -> None:
    """From the first snapshot to the last of a gate; pairs do not see it."""
    moved = snapshots(3)
    moved[2]["cells"][1]["ms"] *= 1.2
    (found,) = gates([*snapshots(20), *moved], "pocl", 1.0, busy=False)
    assert (found.answer, found.mean_fails, found.drift_fails) == ("pass", False, True)


def test_void_snapshots_are_counted_and_take_part_in_no_gate() -> None:
    """Where either size had too few calm pairs; without a calibration there is no row."""
    every = snapshots(26)
    every[21]["cells"][0]["log"] = None
    assert len(series(every, "pocl", 1.0, busy=False)) == 25
    assert [gate.snapshots for gate in gates(every, "pocl", 1.0, busy=False)] == [3]
    assert "| 4 % |" in table(every)[2]
    assert len(table(snapshots(19))) == 2


def test_a_file_is_read_in_the_order_of_its_lines(tmp_path: Path) -> None:
    """Each measuring adds a part of its own to it."""
    path = tmp_path / "raw.jsonl.gz"
    for each in snapshots(2):
        with gzip.open(path, "at", encoding="utf-8") as stream:
            stream.write(json.dumps(each) + "\n")
    assert aa_gates.read(path) == snapshots(2)


def test_the_kept_snapshots_say_what_the_docs_say(repository: Path) -> None:
    """What was measured on a real host is judged again; each row of the table is in the docs, and no other."""
    page = (repository / "docs" / "explanation" / "decision-quality.md").read_text(encoding="utf-8")
    rows = table(aa_gates.read())
    assert len(rows) > 2
    head = page.index(rows[0])
    assert page[head:].split("\n\n")[0].splitlines() == rows
