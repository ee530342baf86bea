"""What the script that runs beside loads makes of how its runs ended."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
import beside_load
import raw_files

CURED = 76  # the first kept run since decision 0048


def line(load: str, status: int, **facts: Any) -> dict[str, Any]:
    """One run of three snapshots and six measurements, one of them void."""
    more = {"seconds": 50.0, "snapshots": 3, "void": 1, "measured": 6, "failed": [], "unsure": [], "real_time": False}
    return {"load": load, "status": status, **more, **facts}


def test_a_row_counts_how_runs_ended() -> None:
    """Promoted, open, and anything else, which is a fail, by priority; in what order the fields are does not matter."""
    turned = dict(reversed(line("busy", 10, seconds=70.0).items()))
    apart = line("busy", 0, real_time=True)
    rows = beside_load.table([line("busy", 0), line("busy", 11), apart, turned, line("memory", 0)])
    assert rows[0].count("|") == rows[1].count("|") == 9
    assert rows[2:] == [
        "| busy, normal | 3 | 1 (1 to 91 %) | 1 | 1 | 3.0 | 17 % | 57 |",
        "| busy, real time | 1 | 1 (3 to 100 %) | 0 | 0 | 3.0 | 17 % | 50 |",
        "| memory, normal | 1 | 1 (3 to 100 %) | 0 | 0 | 3.0 | 17 % | 50 |",
    ]


def test_the_docs_have_what_the_kept_runs_say(repository: Path) -> None:
    """Each row, and no other, from the first run on that was kept."""
    rows = beside_load.table(raw_files.read(beside_load.KEPT))
    page = (repository / "docs" / "explanation" / "decision-quality.md").read_text(encoding="utf-8")
    assert rows[0] in page
    assert len(rows) == 2 or raw_files.put(page, "beside-load", "\n".join(rows)) == page


def test_no_run_fails_since_a_selection_is_turned_off_only_where_that_is_certain() -> None:
    """One did before, by T3's count of one in three; whatever else failed is not to be kept without a word."""
    lines = raw_files.read(beside_load.KEPT)
    failed = [(number, words) for number, each in enumerate(lines) for words in each["failed"]]
    assert [(number, words.split(":")[0]) for number, words in failed] == [(69, "t3_fallback_bound")]
    assert "1 of 3 decisions fell back" in failed[0][1]
    since = Counter(each["load"] for each in lines[CURED:] if not each["real_time"])
    assert all(since[load] >= 20 for load in beside_load.LOADS), since
