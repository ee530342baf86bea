"""What the script that takes turns makes of its snapshots."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
import pairs
import raw_files


def snapshot(log: float | None, turns: str = "one launch", *, busy: bool = False) -> dict[str, Any]:
    """One at 512 of ten pairs, of which four were calm."""
    return {"size": 512, "busy": busy, "turns": turns, "log": log, "all": 0.5, "calm": 4, "pairs": 10, "ms": 2.5}


def test_a_row_has_spread_and_level_of_each_kind() -> None:
    """In the order of the turns' lengths; one with no calm pair takes no part, and one alone has no spread."""
    lines = [snapshot(0.01, "25 ms"), snapshot(0.01), snapshot(-0.01), snapshot(None), snapshot(0.02, busy=True)]
    assert pairs.table(lines)[2:] == [
        "| 512, idle, one launch | 3 | 0.0141, +0.0000 | 0.0000, +0.5000 | 40 % | 2.500 |",
        "| 512, idle, 25 ms | 1 | - | - | 40 % | 2.500 |",
        "| 512, busy, one launch | 1 | - | - | 40 % | 2.500 |",
    ]


def test_the_docs_have_what_the_kept_snapshots_say(repository: Path) -> None:
    """Each row, and no other, from the first snapshot on that was kept."""
    rows = pairs.table(raw_files.read(pairs.KEPT))
    page = (repository / "docs" / "explanation" / "performance.md").read_text(encoding="utf-8")
    assert "<!-- pairs -->" in page
    assert len(rows) == 2 or raw_files.put(page, "pairs", "\n".join(rows)) == page
