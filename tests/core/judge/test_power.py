"""What the script that counts real runs of slower drivers makes of them, and that they are judged the same again."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_weekops.core.judge.asking.spreads import assumed
from pytest_weekops.core.judge.certainty.answers import Errors, Requirement
from pytest_weekops.core.judge.certainty.multiplicity import answer_run
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.finding import CheckStatus
from pytest_weekops.policies.files import default_policy

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
import power
import raw_files


def run(status: int, change: str = "", floors: Sequence[float] = ()) -> power.Run:
    """One of 3 % longer, against a pin."""
    facts = {"snapshots": 12, "void": 1, "measured": 12, "seconds": 60.0}
    return {
        "against": "pin",
        "slower": 3.0,
        "busy": False,
        "share": 0.95,
        "status": status,
        "changes": [change] * bool(change),
        "floors": [{"logs": [log, log - 0.002]} for log in floors],
        **facts,
    }


def test_a_row_counts_how_runs_ended() -> None:
    """Promoted, open and failed, how much slower they were, those that named it, and what was void."""
    _head, _line, row = power.table(
        [run(0, floors=[-0.02]), run(11, floors=[-0.04]), run(1, "3.1 % slower, certain"), run(10)]
    )
    name, *cells = row.strip("| ").split(" | ")
    assert name == "3 % longer, 0.95 of a pin, idle"
    assert cells == ["4", "1 (1 to 81 %)", "1", "2", "3.1 % (1.41)", "1", "12.0", "8 %", "60"]


def test_what_never_promotes_has_its_counterpart() -> None:
    """For each way of holding and each load a driver that takes no longer is measured, too."""
    slower = {(kind.against, kind.busy) for kind in power.WANTED if kind.slower}
    assert slower == {(kind.against, kind.busy) for kind in power.WANTED if not kind.slower}


def passes(logs: Sequence[float], limit: float, spread: Spread) -> bool:
    """Whether one floor does, look after look, as in a run of it alone."""
    (found,) = answer_run([Requirement("floor", tuple(logs), limit, spread)], LookPlan(), Errors()).answers
    return found.status is CheckStatus.PASS


@pytest.mark.parametrize("taken", raw_files.read(power.KEPT))
def test_the_kept_runs_are_judged_the_same_again(taken: power.Run) -> None:
    """The floors of each pass, or do not, by the values that its snapshots had; a promote has none that does not."""
    for floor in taken["floors"]:
        assert passes(floor["logs"], floor["limit"], Spread(floor["sd"])) == (floor["answer"] == "pass")
        assert math.isclose(floor["limit"], math.log(taken["share"]))
    if taken["status"] == 0:
        assert {floor["answer"] for floor in taken["floors"]} == {"pass"}
        assert not taken["failed"]
        assert not taken["open"]


def test_the_docs_have_what_the_kept_runs_say(repository: Path) -> None:
    """Each row, and no other."""
    page = (repository / "docs" / "explanation" / "decision-quality.md").read_text(encoding="utf-8")
    assert raw_files.put(page, "power", "\n".join(power.table(raw_files.read(power.KEPT)))) == page


SERVICE = [run for run in raw_files.read(power.KEPT) if run["against"] == "service"]


@pytest.mark.parametrize("taken", [run for run in SERVICE if run["slower"]])
def test_two_percent_are_not_promoted_beside_the_driver_in_service(taken: power.Run) -> None:
    """By the share and the spread of the shipped policy, whichever share the run itself was held to."""
    policy = default_policy()
    for floor in taken["floors"]:
        assert not passes(floor["logs"], math.log(policy.floors.share_of_service), assumed(policy))


@pytest.mark.parametrize("share", [0.985, 0.99])
@pytest.mark.parametrize("taken", SERVICE)
def test_two_percent_are_not_promoted_where_a_policy_asks_for_more(taken: power.Run, share: float) -> None:
    """With a spread of 0.5 %, as if from twenty snapshots; what takes no longer passes there all the same."""
    for floor in taken["floors"]:
        assert passes(floor["logs"], math.log(share), Spread(0.005, 19)) == (taken["slower"] == 0.0)
