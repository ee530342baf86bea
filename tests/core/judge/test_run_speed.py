"""The cells of two runs, the second over the first: what is slower for certain, and what may be the host's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.run_speed import CellChange, SpeedChange, speed_change
from pytest_weekops.core.measurement.calibration import CalibratedSeries, CalibrationRecord, figures
from pytest_weekops.core.measurement.expectation import Expectation
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case, Measurement, MeasurementStatus
from tests.core.judge.test_beside import campaign as beside
from tests.core.judge.test_verdict import POLICY
from tests.core.measurement.test_expectation import ENTRY
from tests.support.examples import examples
from tests.support.synthetic import PARTNERS_LIBRARY, STARTED, make_campaign, make_plan, make_records

PLAN = make_plan(sizes=(128,))
POLICIES = POLICY, POLICY


def run(speed: float = 1.0, *, plan: CampaignPlan = PLAN, anchor: float | None = 10.0, **facts: Any) -> Campaign:
    """A run in which each cell has that speed, on a host whose anchor takes so many milliseconds."""
    host = HostCondition(anchor_before_ms=anchor, anchor_after_ms=anchor, steal_percent=0.0)
    records = [
        record.model_copy(update={"host": host, **facts}) if isinstance(record, Measurement) else record
        for record in make_records(plan, speed=lambda _case: speed)
    ]
    return make_campaign(plan, records, created_at=STARTED)


def change(before: Campaign, after: Campaign, margin: float = 5.0) -> SpeedChange:
    """The two compared under one policy."""
    return speed_change(before, after, POLICIES, margin)


def only(found: SpeedChange) -> CellChange:
    """Its one cell."""
    (cell,) = found.cells
    return cell


@pytest.mark.parametrize(
    ("speed", "status"), [(0.7, "slower"), (0.93, "open"), (1.0, "open"), (1.1, "not slower"), (1.5, "faster")]
)
def test_what_is_certain_of_a_cell(speed: float, status: str) -> None:
    """By an assumed spread of 5 % and six snapshots; the ratio is that of throughput, and so is each run's number."""
    found = change(run(), run(speed))
    cell = only(found)
    assert cell.status == status
    assert math.exp(cell.change.estimate) == pytest.approx(speed, rel=0.01)
    assert cell.second.throughput / cell.first.throughput == pytest.approx(speed, rel=0.01)
    assert cell.first.median_ms / cell.second.median_ms == pytest.approx(speed, rel=0.01)
    assert (cell.first.spread, cell.how, cell.remark) == ("5 % assumed", "as measured", "")
    assert (cell.first.snapshots, cell.first.launches) == (6, 96)
    assert cell.first.scatter_percent == pytest.approx(0.4, abs=0.4)
    assert found.is_worse is (status == "slower") is bool(found.slower)
    assert found.error == POLICY.evidence.max_false_block


def test_the_margin_is_what_may_be_lost() -> None:
    """With a wide one the same numbers are within it; one that is no share is refused."""
    assert only(change(run(), run(0.7), 50.0)).status == "not slower"
    assert only(change(run(), run(0.88), 0.0)).status == "slower"
    for margin in (-1.0, 100.0, math.nan):
        with pytest.raises(ValueError, match="between 0 and 100"):
            change(run(), run(), margin)


def test_a_slow_host_is_no_slow_driver() -> None:
    """Slower as measured, and the host's own work as well; or that alone: neither is certain, and both are said."""
    cell = only(change(run(), run(0.7, anchor=10.0 / 0.7)))
    assert (cell.status, cell.over_host is not None) == ("open", True)
    assert cell.remark == "slower as measured, and so was the host's own work: over that the ratio is 1.000"
    cell = only(change(run(), run(anchor=7.0)))
    assert cell.status == "open"
    assert cell.remark == "slower over the host's own work alone (ratio 0.700), which may be that clock's doing"


def test_without_the_hosts_clock_in_both_runs_there_is_one_witness() -> None:
    """Then what is measured is all there is."""
    cell = only(change(run(anchor=None), run(0.7)))
    assert (cell.over_host, cell.status) == (None, "slower")


def test_a_single_snapshot_is_certain_of_nothing() -> None:
    """And has no scatter."""
    cell = only(change(run(), run(0.5, plan=make_plan(sizes=(128,), snapshots=1))))
    assert (cell.status, cell.second.scatter_percent) == ("open", None)
    assert cell.remark == "a single snapshot has no interval, so nothing is certain"


def test_cells_of_one_run_are_named_and_a_lost_one_is_worse() -> None:
    """Another size is another cell; one that is planned in both and crashed in the second is lost."""
    found = change(run(plan=make_plan(sizes=(64, 128))), run(plan=make_plan(sizes=(128, 256))))
    assert (found.only_first, found.only_second, found.lost) == ((("pocl", "auto", 64),), (("pocl", "auto", 256),), ())
    assert not found.is_worse
    found = change(run(), run(status=MeasurementStatus.CRASHED))
    assert (found.cells, found.lost, found.is_worse) == ((), (("pocl", "auto", 128),), True)


def test_a_cell_that_is_expected_to_fail_is_lost_all_the_same() -> None:
    """The second run may be promoted without it, and is not as fast there as the first."""
    plan = PLAN.model_copy(update={"sizes": (64, 128, 256)})
    crash = {"status": MeasurementStatus.CRASHED, "phase": "launch", "sessions": ()}
    broken = [
        r.model_copy(update=crash) if isinstance(r, Measurement) and r.case.size == 128 else r
        for r in make_records(plan)
    ]
    before = make_campaign(plan, make_records(plan), created_at=STARTED)
    after = make_campaign(
        plan.model_copy(update={"expected": (Expectation.model_validate(ENTRY),)}), broken, created_at=STARTED
    )
    assert after.excused == {("pocl", "auto", 128)}
    found = change(before, after)
    assert (found.lost, found.only_first, found.is_worse) == ((("pocl", "auto", 128),), (), True)


def test_numbers_in_another_unit_are_refused() -> None:
    """By the cell's name; a run whose measurements do not agree is as bad."""
    with pytest.raises(InputError, match="Cell pocl auto:128 is counted in GFLOPS in the first run and in GB/s"):
        change(run(), run(unit="GB/s", bytes_moved=1.0))
    mixed = make_records(PLAN)
    last = max(place for place, record in enumerate(mixed) if isinstance(record, Measurement))
    mixed[last] = mixed[last].model_copy(update={"unit": "GB/s", "bytes_moved": 1.0})
    with pytest.raises(InputError, match="in several units in the first run"):
        change(make_campaign(PLAN, mixed), run())


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"host": "other"}, "pocl ran on another host: a processor x 2 (host), then a processor x 2 (other). Its"),
        ({"hardware": "", "host": ""}, "on other hardware: a processor x 2 (host), then unknown hardware (unknown"),
    ],
)
def test_another_machine_is_said(facts: dict[str, str], words: str) -> None:
    """With what it means; the same machine is not, nor a platform that one run did not have."""
    before, after = run(), run()
    assert change(before, after).elsewhere == ()
    moved = after.identities["pocl"].model_copy(update=facts)
    (said,) = change(before, replace(after, identities={"pocl": moved})).elsewhere
    assert words in said
    assert "cannot say which of the two changed" in said
    assert change(before, replace(after, identities={})).elsewhere == ()


def calibrated(campaign: Campaign, sd: float) -> Campaign:
    """The same run on a host on which both drivers are calibrated."""
    logs = tuple(sd * (-1) ** place for place in range(20))
    found = figures(logs)
    source = next(m for m in campaign.measurements).kernel_sha256 or "a" * 64
    series = CalibratedSeries(
        kernel="auto",
        variant="packed",
        kernel_sha256=source,
        size=128,
        logs=logs,
        mean=found.mean,
        sd=found.sd,
        lag1=found.lag1,
        skewness=found.skewness,
        made_at=datetime.fromisoformat(STARTED),
    )
    records: Sequence[Any] = [
        *(CalibrationRecord(platform=name, series=(series,)) for name in ("pocl", "reference")),
        *(_sourced(record, source) for record in campaign.records),
    ]
    return replace(campaign, records=tuple(records))


def _sourced(record: Any, source: str) -> Any:
    if not isinstance(record, Measurement):
        return record
    assert record.turns is not None
    assert record.turns.partner is not None
    partner = record.turns.partner.model_copy(update={"kernel_sha256": source})
    turns = record.turns.model_copy(update={"partner": partner})
    return record.model_copy(update={"kernel_sha256": source, "turns": turns})


def test_beside_one_reference_driver_the_host_cancels() -> None:
    """A host at half its speed changes nothing, and a calibration makes small changes certain."""
    before, after = beside(12), beside(12, 0.92, host=0.5)
    cell = only(change(before, after))
    assert (cell.how, cell.over_host, cell.status) == ("beside the reference driver", None, "open")
    assert math.exp(cell.change.estimate) == pytest.approx(0.92, rel=0.01)
    cell = only(change(calibrated(before, 0.005), calibrated(after, 0.005)))
    assert cell.status == "slower"
    assert cell.first.spread.startswith("0.51 % by calibration of 2026-11-24")


@pytest.mark.parametrize(
    "changes",
    [
        ({}, {"environment": {"POCL_MAX_PTHREAD_COUNT": "1"}}),
        ({"library": PARTNERS_LIBRARY}, {"library": PARTNERS_LIBRARY}),
        ({"plan": PLAN.model_copy(update={"snapshots": 12})}, {}),
    ],
    ids=["led otherwise", "the reference itself", "alone"],
)
def test_a_ratio_that_would_hide_a_slowdown_is_not_used(changes: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Where the reference is no common measure, times stand as they were measured."""
    cell = only(change(beside(12, **changes[0]), beside(12, host=0.5, **changes[1])))
    assert cell.how == "as measured"
    assert math.exp(cell.change.estimate) == pytest.approx(0.5, rel=0.01)


ORDER = ("slower", "open", "not slower", "faster")
FACTORS = st.lists(st.sampled_from([1.0, 1.0, 1.001, 1.05, 1.5]), min_size=6, max_size=6)


def slowed(factors: Sequence[float], anchor: float) -> Campaign:
    """A run whose snapshots take so many times as long."""
    host = HostCondition(anchor_before_ms=anchor, anchor_after_ms=anchor, steal_percent=0.0)

    def speed(case: Case) -> float:
        return 1.0 / factors[case.snapshot - 1]

    records = [
        record.model_copy(update={"host": host}) if isinstance(record, Measurement) else record
        for record in make_records(PLAN, speed=speed)
    ]
    return make_campaign(PLAN, records)


@settings(max_examples=examples(25), deadline=None)
@given(FACTORS, FACTORS, st.sampled_from([0.0, 5.0, 20.0]), st.sampled_from([7.0, 10.0, 13.0]))
def test_a_slower_second_run_never_looks_better(
    factors: list[float], more: list[float], margin: float, anchor: float
) -> None:
    """Whichever snapshots are slower: neither ratio nor status, and what is worse stays so."""
    pair = [slowed(each, anchor) for each in (factors, [a * b for a, b in zip(factors, more, strict=True)])]
    faster, slower = (change(run(anchor=10.0), each, margin) for each in pair)
    one, other = only(faster), only(slower)
    assert other.change.estimate <= one.change.estimate
    assert other.change.upper <= one.change.upper
    assert ORDER.index(other.status) <= ORDER.index(one.status)
    assert slower.is_worse >= faster.is_worse
