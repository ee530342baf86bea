"""A week whose cells dropped without a reason, where a policy asks about it: it does not close in promote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_weekops.core.policy.history_rules import HistoryRules
from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.week import change_points
from pytest_weekops.week.closing import close_week
from pytest_weekops.week.drops import unexplained_drops
from tests.core.week.test_history import ran
from tests.support.entries import W48, numbered
from tests.support.weeks import add_run

ASKS = {"policy_id": "p", "history": {"max_unexplained_drop_percent": 10.0}}


def runs(speeds: Sequence[float], **last: object) -> list[RunEntry]:
    """A weekly run of each speed in week 48, the last one with a policy that asks."""
    found = [ran(f"run-{place}", {"mean_gflops": speed}) for place, speed in enumerate(speeds)]
    return [*found, ran("last", {"mean_gflops": speeds[-1]}, **{"policy": ASKS, **last})]


def told(*entries: RunEntry, chosen: Sequence[RunEntry] = ()) -> list[str]:
    """What stands in the way of week 48 that these runs decide."""
    return list(unexplained_drops(numbered(*entries), W48, chosen or entries))


def test_a_drop_stands_in_the_way_where_the_policy_asks() -> None:
    """The last weekly run's does, of the cells that it measured, up to its week."""
    pytest.importorskip("ruptures")
    dropped = runs([30.0] * 5 + [20.0] * 4)
    (words,) = told(*dropped)
    assert words.startswith("pocl:auto:128 fell by 33.3 % with run run-5")
    assert told(*dropped, ran("split", kind="split")) == [words]
    assert told(*runs([30.0] * 9)) == []
    assert told(*runs([30.0] * 5 + [20.0] * 4, policy={"policy_id": "p"})) == []
    assert told(*dropped, chosen=[ran("gate", kind="canonical")]) == []
    other = ran("other", {"size": 256, "mean_gflops": 9.0}, policy=ASKS)
    assert told(*dropped, other) == []
    later = [run.model_copy(update={"created_at": "2026-12-02T12:00:00+00:00"}) for run in dropped[5:-1]]
    assert told(*dropped[:5], *later, ran("asking", {"mean_gflops": 30.0}, policy=ASKS)) == []


def test_a_policy_that_cannot_be_answered_is_no_promote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library nobody looked: the week says so, and iterates."""
    monkeypatch.setattr(change_points, "can_look", lambda: False)
    add_run(tmp_path, "replay", policy_changes={"history": HistoryRules(max_unexplained_drop_percent=10.0)})
    closed = close_week(tmp_path, W48)
    (finding,) = closed.document["findings"]
    assert finding.startswith("The policy of run replay allows no unexplained drop over 10 %. Change points were not")
    assert (closed.document["block_decision"], closed.exit_status) == ("iterate", 1)
