"""What the script that times verdicts makes of its runs, and of the measurements of one."""

from __future__ import annotations

import sys
from pathlib import Path

from pytest_weekops.core.measurement.records import Case, Phase
from tests.support.synthetic import make_measurement, make_plan, with_partner

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
import fast
import raw_files
from efficiency import ANCHOR_S, COUNTED, spent

PLAN = make_plan(sizes=(512,), looks=(3, 6), partner={"label": "served", "role": "service"})
CASE = Case(platform="pocl", kernel="auto", size=512, seed=11, snapshot=1)


def test_a_row_has_medians_and_the_longest() -> None:
    """Lines without a run have no row, and nothing at all is said to be nothing."""
    name = next(iter(fast.RUNS))
    facts = {"run": name, "device_s": 170.0, "wall_s": 200.0, "most": 12}
    runs = [
        {**facts, "status": 0, "seconds": 210.0, "snapshots": 3},
        {**facts, "status": 1, "seconds": 290.0, "snapshots": 5},
    ]
    _head, _line, row = fast.table(runs)
    assert row == f"| {name} | 2 | 1 promote, 1 iterate | 250 s, 290 s | 85 % | 4, 12 | 67 % |"
    assert fast.table([]) == ["Nothing has been measured by it yet."]


def test_a_measurement_alone_counts_by_its_phases() -> None:
    """As the worker timed them, and two anchors."""
    measurement = make_measurement(CASE, plan=PLAN).model_copy(update={"phase_s": {"launch": 0.5, "build": 0.25}})
    assert spent([measurement, measurement]) == {"launch": 1.0, "build": 0.5, "anchor": 4 * ANCHOR_S}


def test_in_turns_the_launches_of_both_sides_count_and_no_waiting() -> None:
    """A worker that waits for its turn has sent its answer."""
    measured = make_measurement(CASE, plan=PLAN)
    alone = measured.model_copy(update={"phase_s": {"launch": 0.5, Phase.SEND.value: 99.0}})
    found = spent([with_partner(alone, PLAN, speed=0.5)])
    mine = sum(sum(session.wall_ns) for session in alone.sessions) * 1e-9
    assert found["launch"] == 0.5
    assert 0 < found["partner"] < 5 * mine
    assert Phase.SEND.value not in COUNTED


def test_the_docs_have_what_the_kept_runs_say(repository: Path) -> None:
    """Each row, and no other."""
    page = (repository / "docs" / "explanation" / "performance.md").read_text(encoding="utf-8")
    assert raw_files.put(page, "fast", "\n".join(fast.table(raw_files.read(fast.KEPT)))) == page
