"""What holds of a fleet's verdict whatever the outcomes are: total, indifferent to order, and monotone."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.outcome import HostOutcome, HostState
from pytest_weekops.core.fleet.verdict import FleetDecision, FleetVerdict, judge_fleet
from pytest_weekops.core.judge.finding import ExitStatus
from tests.support.examples import examples
from tests.support.fleets import OPEN, PROMOTED, SLOW, WRONG, make_asked, make_fleet, make_outcome, ratio, throughput

_DECISIONS = list(FleetDecision)
_STATUSES = [ExitStatus.PROMOTE, ExitStatus.INCONCLUSIVE, ExitStatus.ITERATE, ExitStatus.ROLLBACK_REQUIRED]
# What is worse than a state, one step at a time. A silent host and one that failed are not ordered: a file allows the
# one by `may_be_missing` and the other by `share`.
_WORSE = {
    HostState.PROMOTED: [HostState.INCONCLUSIVE],
    HostState.INCONCLUSIVE: [HostState.NO_DATA, HostState.LOST, HostState.LATE, HostState.ITERATE],
    HostState.NO_DATA: [HostState.LOST, HostState.LATE],
    HostState.LOST: [HostState.LATE],
    HostState.LATE: [HostState.LOST],
    HostState.ITERATE: [HostState.REFUSED, HostState.OTHER_DRIVER],
    HostState.REFUSED: [HostState.OTHER_DRIVER],
    HostState.OTHER_DRIVER: [HostState.REFUSED],
}
_FLEETS = [
    make_fleet(),
    make_fleet(promotes={"x": {"share": 0.5}}),
    make_fleet(promotes={"x": {"share": 0.5}}, labels={"x": {"profiles": ["pocl"], "may_be_missing": 1}}),
    make_fleet(promotes={"x": {"share": 0.6, "exceptions": {"a-3": "its fan is broken"}}}),
]
fleets = st.sampled_from(_FLEETS)
believed = st.lists(st.sampled_from(list(HostState)), min_size=4, max_size=4).map(
    lambda states: [make_outcome(f"a-{number}", state) for number, state in enumerate(states, start=1)]
)


@st.composite
def anything(draw: st.DrawFn) -> HostOutcome:
    """An outcome as a confused or hostile host could bring it."""
    changes: dict[str, Any] = {
        "label": draw(st.sampled_from(["x", "x", "y"])),
        "own": draw(st.sampled_from([None, PROMOTED, SLOW, WRONG, OPEN])),
        "judged": draw(st.sampled_from([None, PROMOTED, SLOW, WRONG, OPEN])),
        "driver_sha256": draw(st.sampled_from(["", "d" * 64, "e" * 64])),
        "journal_sha256": draw(st.sampled_from(["", "1", "2"])),
        "week": draw(st.sampled_from(["2026-W48", "2026-W47"])),
        "estimates": tuple(
            make(draw(st.floats(-100, 100)), draw(st.sampled_from(["auto:1", "auto:2"])))
            for make in draw(st.lists(st.sampled_from([ratio, throughput]), max_size=3))
        ),
    }
    return make_outcome(draw(st.sampled_from(["a-1", "a-2", "a-3", "a-4", "b-1"])), draw(states), **changes)


states = st.sampled_from([str(state) for state in HostState])


def judged(fleet: FleetFile, outcomes: list[HostOutcome]) -> FleetVerdict:
    """The verdict where nothing else than these is asked for."""
    return judge_fleet(fleet, outcomes, make_asked(fleet))


def assert_no_milder(worse: FleetVerdict, before: FleetVerdict) -> None:
    """Neither the word, nor the severity, nor the exit status is milder."""
    assert _DECISIONS.index(worse.decision) >= _DECISIONS.index(before.decision)
    assert worse.severity <= before.severity
    assert _STATUSES.index(worse.exit_status) >= _STATUSES.index(before.exit_status)


@settings(max_examples=examples(60), deadline=None)
@given(fleets, st.lists(anything(), max_size=7), st.randoms(use_true_random=False))
def test_any_outcomes_have_a_verdict_that_their_order_does_not_change(
    fleet: FleetFile, outcomes: list[HostOutcome], shuffled: random.Random
) -> None:
    """Total on anything, and the same bytes for every permutation."""
    verdict = judged(fleet, outcomes)
    other = list(outcomes)
    shuffled.shuffle(other)
    assert judged(fleet, other).model_dump_json() == verdict.model_dump_json()
    assert (verdict.decision is FleetDecision.PROMOTE) == (not verdict.failed_checks)
    assert (verdict.exit_status is ExitStatus.PROMOTE) == (verdict.decision is FleetDecision.PROMOTE)


@settings(max_examples=examples(60), deadline=None)
@given(fleets, st.lists(anything(), max_size=7))
def test_a_promote_is_earned_by_as_many_hosts_as_are_asked_for(fleet: FleetFile, outcomes: list[HostOutcome]) -> None:
    """Counted by hand: hosts of the file, with one outcome that promoted by both judgements."""
    if judged(fleet, outcomes).decision is FleetDecision.PROMOTE:
        promotes = fleet.promotes_of("x")
        names = [host.name for host in fleet.hosts if host.name not in promotes.exceptions]
        good = [o for o in outcomes if o.host in names and o.state == "promoted" and o.own == o.judged == PROMOTED]
        assert len({outcome.host for outcome in good}) >= promotes.share * len(names)
        assert {outcome.host for outcome in outcomes} >= set(names)


@settings(max_examples=examples(120), deadline=None)
@given(fleets, believed, st.integers(0, 3), st.data())
def test_a_worse_host_never_makes_the_verdict_milder(
    fleet: FleetFile, outcomes: list[HostOutcome], at: int, data: st.DataObject
) -> None:
    """Worse by its state, by its severity, by what it says itself, or by not being believed."""
    before = outcomes[at]
    state = data.draw(st.sampled_from(_WORSE[before.state]))
    foreign: dict[str, Any] = data.draw(
        st.sampled_from([{"week": "2026-W47"}, {"label": "y"}, {"version": ""}, {"plan_sha256": "f"}])
    )
    worse = data.draw(
        st.sampled_from(
            [
                [make_outcome(before.host, state)],
                [before.model_copy(update={"judged": WRONG})],
                [before.model_copy(update={"own": OPEN, "judged": WRONG})],
                [before, before],
                [before.model_copy(update={"journal_sha256": outcomes[at - 1].journal_sha256})],
                [before.model_copy(update=foreign)] if before.state in ("promoted", "inconclusive", "iterate") else [],
                [],
            ]
        )
    )
    assert_no_milder(judged(fleet, [*outcomes[:at], *worse, *outcomes[at + 1 :]]), judged(fleet, outcomes))


@settings(max_examples=examples(60), deadline=None)
@given(fleets, believed, st.sets(st.integers(0, 3)), st.booleans())
def test_a_host_that_is_taken_away_never_makes_the_verdict_milder(
    fleet: FleetFile, outcomes: list[HostOutcome], gone: set[int], wrong: bool
) -> None:
    """Whatever it said, however many there are."""
    if wrong:
        outcomes = [outcomes[0].model_copy(update={"judged": WRONG}), *outcomes[1:]]
    left = [outcome for at, outcome in enumerate(outcomes) if at not in gone]
    assert_no_milder(judged(fleet, left), judged(fleet, outcomes))


@settings(max_examples=examples(40), deadline=None)
@given(believed, st.sampled_from([0.5, 0.75, 1.0]), st.sampled_from([0.5, 0.75, 1.0]))
def test_a_larger_share_never_makes_the_verdict_milder(outcomes: list[HostOutcome], one: float, other: float) -> None:
    """What is asked for is what is kept to."""
    least, most = (judged(make_fleet(promotes={"x": {"share": s}}), outcomes) for s in sorted((one, other)))
    assert_no_milder(most, least)
