"""Tighter limits from promoted runs: how far they move, what keeps them where they are, and never looser unasked."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.policy.recalibration import CellEvidence, Proposal, Recipe, recalibrate
from pytest_weekops.core.units import Unit

KEY = "auto:1400"


def runs(
    speeds: tuple[float, ...] = (110.0, 110.0, 110.0), p95: tuple[float, ...] = (9.0, 9.0, 9.0), unit: Unit = "GFLOPS"
) -> list[CellEvidence]:
    """A promoted run for each of these numbers."""
    pairs = zip(speeds, p95, strict=True)
    return [CellEvidence(KEY, f"run{place}", speed, ms, unit) for place, (speed, ms) in enumerate(pairs)]


def proposed(evidence: list[CellEvidence], row: dict[str, Any] | None = None, **options: bool) -> Proposal:
    """The proposal for the one row."""
    policy = Policy.model_validate({"policy_id": "p", "rows": {} if row is None else {KEY: row}})
    (found,) = recalibrate(policy, evidence, recipe=Recipe(), **options)
    assert (found.key, found.evidence) == (KEY, tuple(evidence))
    return found


def limits(found: Proposal) -> tuple[float | None, float | None]:
    """Floor and ceiling of what is proposed."""
    assert found.row is not None, found.held
    return found.row.min_avg_gflops, found.row.max_p95_time_ms


ROW = {"min_avg_gflops": 100.0, "max_p95_time_ms": 10.0}


def test_limits_move_by_a_share_of_the_headroom() -> None:
    """15 % of what lies between limit and mean, and the row says where it is from."""
    found = proposed(runs(), ROW)
    assert limits(found) == (101.5, 9.85)
    assert found.row is not None
    assert found.row.notes == "Recalibrated from 3 promoted runs, 15% of the headroom."


def test_limits_stay_clear_of_the_worst_run() -> None:
    """A floor 2 % below the slowest at the least, a ceiling 2 % above: the next run must not fail by noise."""
    found = proposed(runs((110.0, 110.0, 109.0), (9.0, 9.0, 9.1)), {"min_avg_gflops": 106.7, "max_p95_time_ms": 9.3})
    assert limits(found) == pytest.approx((109.0 * 0.98, 9.1 * 1.02))


def test_a_row_that_is_new_starts_below_its_runs() -> None:
    """5 % below the mean and 8 % above, or further where one run was worse."""
    assert limits(proposed(runs())) == pytest.approx((104.5, 9.72))


HELD: dict[str, tuple[list[CellEvidence], dict[str, Any] | None, str]] = {
    "waived": (runs(), {"waiver": "not yet"}, "waived in words: not yet"),
    "no runs": ([], ROW, "0 promoted runs, 3 are needed"),
    "two runs": (runs((1.0, 1.0), (1.0, 1.0)), None, "2 promoted runs, 3 are needed"),
    "one run thrice": ([runs()[0]] * 3, None, "1 promoted runs, 3 are needed"),
    "two units": ([*runs(), *runs(unit="GB/s")], None, "the runs judge it in two units"),
    "another unit": (runs(unit="GB/s"), ROW, "states min_avg_gflops"),
    "throughput scatters": (runs((100.0, 110.0, 120.0)), ROW, "throughput scatters by 9.1% between runs, at most 2%"),
    "p95 scatters": (runs(p95=(9.0, 9.9, 8.1)), ROW, "p95 scatters by 10.0% between runs, at most 5%"),
    "tight already": (runs(), {"min_avg_gflops": 109.0, "max_p95_time_ms": 9.1}, "as tight as the evidence allows"),
}


@pytest.mark.parametrize("name", HELD)
def test_what_holds_a_row_where_it_is(name: str) -> None:
    """Nothing is proposed, and the words say why."""
    evidence, row, words = HELD[name]
    found = proposed(evidence, row)
    assert found.row is None
    assert words in found.held


def test_a_waiver_beside_a_limit_holds_nothing() -> None:
    """What is bounded is recalibrated, whatever the words beside it."""
    assert limits(proposed(runs(), {**ROW, "waiver": "for old times"})) == (101.5, 9.85)


def test_nothing_is_loosened_unless_it_is_asked_for() -> None:
    """Runs below the floor and above the ceiling leave both; asked for, both go to where the runs are."""
    tight = {"min_avg_gflops": 120.0, "max_p95_time_ms": 8.0}
    assert "as tight" in proposed(runs(), tight).held
    assert limits(proposed(runs(), tight, allow_looser=True)) == pytest.approx((107.8, 9.18))


def test_one_limit_may_move_while_the_other_stays() -> None:
    """A ceiling that is tight does not keep the floor from following."""
    assert limits(proposed(runs(), {"min_avg_gflops": 100.0, "max_p95_time_ms": 9.0})) == (101.5, 9.0)
