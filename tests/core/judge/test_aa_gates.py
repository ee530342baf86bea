"""What the script that counts real gates makes of its snapshots; these are made up."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from pytest_weekops.core.judge.certainty.answers import Errors, Requirement, answer
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.policies.files import default_policy

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
import aa_gates
import raw_files
from aa_gates import Gate, Kind, Snapshot, gates, redrawn, series, spreads, table, wanted


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
    assert list(gates(every, Kind("pocl"))) == [Gate("pass", 3, mean_fails=False, drift_fails=False)] * 4
    assert list(gates(every, Kind("pocl", work=1.2))) == [Gate("fail", 3, mean_fails=True, drift_fails=False)] * 3
    assert len(list(gates(every, Kind("pocl", busy=True)))) == 2
    rows = table(every)
    assert rows[2].startswith("| pocl, idle, 1 | 4 | 4 (40 to 100 %) | 0 (0 to 60 %) | 0 (0 to 60 %) | 3.0 | 0 % |")
    assert len(rows) == 2 + 3


def test_what_lies_at_the_limit_stays_open_to_the_last_look() -> None:
    """Three percent more work against a floor of 0.97."""
    every = [*snapshots(20, sd=0.01), *snapshots(12, 1.0305, sd=0.01)]
    (found,) = gates(every, Kind("pocl", work=1.0305))
    assert (found.answer, found.snapshots) == ("inconclusive", 12)


def test_a_host_that_changed_its_speed_fails_the_older_rule_alone() -> None:
    """From the first snapshot to the last of a gate; pairs do not see it."""
    moved = snapshots(3)
    moved[2]["cells"][1]["ms"] *= 1.2
    (found,) = gates([*snapshots(20), *moved], Kind("pocl"))
    assert (found.answer, found.mean_fails, found.drift_fails) == ("pass", False, True)


def test_void_snapshots_are_counted_and_take_part_in_no_gate() -> None:
    """Where either size had too few calm pairs; without a calibration there is no row."""
    every = snapshots(26)
    every[21]["cells"][0]["log"] = None
    assert len(series(every, Kind("pocl"))) == 25
    assert [gate.snapshots for gate in gates(every, Kind("pocl"))] == [3]
    assert "| 4 % |" in table(every)[2]
    assert len(table(snapshots(19))) == 2


def test_a_driver_on_one_thread_is_a_kind_of_its_own() -> None:
    """What was measured of the unchanged driver does not get mixed up with it."""
    every = [*snapshots(23), *({**each, "one_thread": True} for each in snapshots(3, 1.9))]
    every[-3:] = [{**each, "work": 1.0} for each in every[-3:]]
    assert [gate.answer for gate in gates(every, Kind("pocl", one_thread=True))] == ["fail"]
    assert [gate.answer for gate in gates(every, Kind("pocl"))] == ["pass"]
    assert [row.split(" | ")[0] for row in table(every)[2:]] == ["| pocl, idle, 1", "| pocl, idle, one thread"]


def test_every_kind_has_a_goal() -> None:
    """Both platforms, both loads, three amounts of work, and one thread."""
    goals = wanted(["pocl", "rusticl"], (False, True))
    assert len(goals) == len(set(goals)) == 2 * 2 * (1 + 3 + 1)
    assert goals[Kind("pocl")] == max(goals.values()) == 20 + 200 * aa_gates.SNAPSHOTS_A_GATE


def test_a_file_is_read_in_the_order_of_its_lines_and_without_a_torn_end(tmp_path: Path) -> None:
    """Each measuring adds parts of its own to it; one that was killed while it wrote loses what it wrote."""
    path = tmp_path / "raw.jsonl.gz"
    assert raw_files.read(path) == []
    for each in snapshots(2):
        raw_files.add(path, each)
    assert raw_files.read(path) == snapshots(2)
    whole = path.read_bytes()
    raw_files.add(path, snapshots(1)[0])
    path.write_bytes(path.read_bytes()[: len(whole) + 40])
    raw_files.pack(path)
    assert raw_files.read(path) == snapshots(2)
    raw_files.add(path, snapshots(3)[2])
    assert raw_files.read(path) == snapshots(3)


def test_a_table_takes_the_place_of_the_one_before() -> None:
    """Between its marks, and nowhere else; a page without them is refused."""
    page = "before\n<!-- a -->\n\nold\n\n<!-- end of a -->\nbehind"
    assert raw_files.put(page, "a", "new") == page.replace("old", "new")
    with pytest.raises(ValueError, match="no marks for b"):
        raw_files.put(page, "b", "new")


def test_the_kept_snapshots_say_what_the_docs_say(repository: Path) -> None:
    """What was measured on a real host is judged again; each row of the table is in the docs, and no other."""
    page = (repository / "docs" / "explanation" / "decision-quality.md").read_text(encoding="utf-8")
    rows = table(raw_files.read(aa_gates.KEPT))
    assert len(rows) > 2
    head = page.index(rows[0])
    assert page[head:].split("\n\n")[0].splitlines() == rows


def changes_by_rank(work: float) -> list[str]:
    """What the ranks say of each twelve snapshots of the kept series, one behind the other, at each size."""
    kept, found = raw_files.read(aa_gates.KEPT), []
    for platform, busy in ((platform, busy) for platform in ("pocl", "rusticl") for busy in (False, True)):
        for place in range(len(aa_gates.SIZES)):
            logs = [each["cells"][place]["log"] for each in series(kept, Kind(platform, busy, work))]
            for begin in range(0, len(logs) - 11, 12):
                asked = Requirement("ratio", tuple(logs[begin : begin + 12]), -0.03)
                bounds = answer(asked, LookPlan(), Errors()).interval
                found.append("slower" if bounds.upper < 0 else "faster" if bounds.lower > 0 else "")
    return found


def test_ranks_name_no_change_of_a_driver_that_has_not_changed() -> None:
    """Of two hundred real runs of twelve; one in a hundred may be said to be slower by chance, one in forty faster."""
    said = changes_by_rank(1.0)
    assert len(said) > 190
    assert said.count("slower") <= 0.01 * len(said)
    assert said.count("faster") <= 0.025 * len(said)


@pytest.mark.parametrize("work", [1.1, 1.2])
def test_ranks_name_a_change_of_every_driver_that_has_more_work(work: float) -> None:
    """Beyond what is chance at all."""
    assert set(changes_by_rank(work)) == {"slower"}


def test_gates_drawn_anew_need_as_many_snapshots_as_a_gate_may_take() -> None:
    """Three snapshots say nothing of a gate that may take twelve; which are drawn does not change from call to call."""
    every = [*snapshots(20 + 12), *snapshots(11, 1.2), *snapshots(12, 1.0305, sd=0.02)]
    assert redrawn(every, Kind("pocl"), 50) == ({"pass": 50}, 3.0)
    assert (mixed := redrawn(every, Kind("pocl", work=1.0305), 50)) == redrawn(every, Kind("pocl", work=1.0305), 50)
    assert len(mixed[0]) > 1
    with pytest.raises(ValueError, match=r"pocl, idle, 1.2 has 11 snapshots, and a gate takes up to 12: measure more"):
        redrawn(every, Kind("pocl", work=1.2), 1)


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("platform", ["pocl", "rusticl"])
@pytest.mark.parametrize(("work", "most"), [(1.05, 0.025), (1.1, 0.0), (1.2, 0.0)])
def test_more_work_passes_no_oftener_than_promised(platform: str, work: float, most: float, *, busy: bool) -> None:
    """Held against a floor of 0.97, in gates whose snapshots are drawn from the kept ones."""
    found, _mean = redrawn(raw_files.read(aa_gates.KEPT), Kind(platform, busy, work), 200)
    assert found["pass"] <= most * found.total()


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("platform", ["pocl", "rusticl"])
def test_an_unchanged_driver_passes_beside_the_one_in_service(platform: str, *, busy: bool) -> None:
    """By the share and the spread of the shipped policy: at 256 and 512 it seldom stays open."""
    found, mean = redrawn(raw_files.read(aa_gates.KEPT), Kind(platform, busy), 300, policy=default_policy())
    assert found["fail"] == 0
    assert found["inconclusive"] <= 0.02 * found.total()
    assert mean < 10.0
