"""When a candidate wins, who goes on to the next round, what a tuning file may claim, and what T3 takes from it."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pytest_weekops.core.selection.halving import interleaved, survivors
from pytest_weekops.core.selection.tuning import (
    LEAST_ROUNDS,
    MARGIN,
    ArmPrior,
    Decision,
    DriverKey,
    Kernel,
    Rejected,
    TuningFile,
    VariantTuning,
    decide,
    illegal_in,
    trial_order,
)
from tests.core.selection.test_tuning_space import ENTRIES
from tests.support.examples import examples
from tests.support.synthetic import make_identity

MANY = settings(max_examples=examples(150), deadline=None)
RATIOS = st.lists(st.floats(0.2, 5.0), min_size=LEAST_ROUNDS, max_size=30)


def test_a_clear_gain_wins() -> None:
    """Ten percent in every round."""
    found = decide([1.10, 1.11, 1.09, 1.10])
    assert found.wins
    assert found.ratio == pytest.approx(1.10, abs=0.005)
    assert found.high is not None
    assert 1.0 < found.low < 1.10 < found.high


def test_a_gain_within_the_margin_keeps_the_default() -> None:
    """However sure it is."""
    found = decide([1.0 + MARGIN] * 8)
    assert not found.wins
    assert "more than 1.02 is needed" in found.reason


def test_a_gain_that_is_not_sure_keeps_the_default() -> None:
    """A mean far above the margin with an interval that reaches below 1."""
    found = decide([1.6, 0.9, 1.5, 0.95])
    assert found.ratio is not None
    assert found.ratio > 1.1
    assert not found.wins
    assert "lower end is not above 1" in found.reason


@pytest.mark.parametrize("ratios", [[], [2.0], [2.0, 2.0]])
def test_too_few_rounds_prove_nothing(ratios: list[float]) -> None:
    """Not even a factor of two."""
    assert not decide(ratios).wins


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0])
def test_a_ratio_that_is_none_loses(bad: float) -> None:
    """One is enough."""
    assert not decide([2.0, 2.0, 2.0, bad]).wins


@MANY
@given(RATIOS)
def test_the_interval_is_the_textbooks(ratios: list[float]) -> None:
    """Mean of logarithms, give or take t times their standard error; a win has the margin and a lower end above 1."""
    found = decide(ratios)
    mean = statistics.fmean(map(math.log, ratios))
    assert found.ratio is not None
    assert found.high is not None
    assert found.ratio == pytest.approx(math.exp(mean))
    assert found.low <= found.ratio * (1 + 1e-12)
    assert found.ratio <= found.high * (1 + 1e-12)
    assert found.wins == (math.exp(mean) > 1.0 + MARGIN and found.low > 1.0)
    error = statistics.stdev(map(math.log, ratios)) / math.sqrt(len(ratios))
    assert math.log(found.ratio / found.low) == pytest.approx(math.log(found.high / found.ratio), abs=1e-9)
    assert 2.0 * error <= math.log(found.ratio / found.low) + 1e-12 <= 4.4 * error + 1e-9


@MANY
@given(RATIOS, st.floats(1.0, 3.0))
def test_faster_in_every_round_never_loses_a_win(ratios: list[float], factor: float) -> None:
    """Worse evidence never gives the better answer."""
    if decide(ratios).wins:
        assert decide([ratio * factor for ratio in ratios]).wins


@MANY
@example({0: [math.inf], 1: [1.0]})
@example({0: [1.0], 1: [2.0, math.nan]})
@given(st.dictionaries(st.integers(0, 40), st.lists(st.floats(), max_size=3), max_size=20))
def test_the_best_go_on_and_nobody_without_a_time(found: dict[int, list[float]]) -> None:
    """At least one where there is any, at most a third, never one that failed, best first."""
    usable = {n for n, ratios in found.items() if ratios and all(math.isfinite(r) and r > 0 for r in ratios)}
    alive = survivors(found)
    assert set(alive) <= usable
    assert bool(alive) == bool(usable)
    assert len(alive) <= max(1, math.ceil(len(usable) / 3))
    means = [statistics.fmean(map(math.log, found[n])) for n in alive]
    assert means == sorted(means, reverse=True)


@given(st.lists(st.integers(), unique=True, max_size=9), st.integers(0, 20))
def test_a_round_has_everybody_once(numbers: list[int], turn: int) -> None:
    """In whatever order."""
    assert sorted(interleaved(numbers, turn=turn)) == sorted(numbers)


def test_everybody_comes_first_in_some_round() -> None:
    """No candidate is always measured behind the same one."""
    assert {interleaved([1, 2, 3], turn=turn)[0] for turn in range(6)} == {1, 2, 3}


WON = decide([1.10, 1.11, 1.09, 1.10])


def entry(**changes: object) -> VariantTuning:
    """A tuned block variant, changed."""
    facts = {
        "variant": "block",
        "kernel_sha256": "a" * 64,
        "outcome": "tuned",
        "defines": {"MR": 5, "NV": 2, "VW": 8, "USE_FMA": 0},
        "decision": WON,
        "sizes": (256,),
        "made_at": "2026-11-25T12:00:00+00:00",
    }
    return VariantTuning.model_validate({**facts, **changes})


@pytest.mark.parametrize(
    "decision",
    [
        Decision(wins=False),
        Decision(wins=True),
        WON.model_copy(update={"low": 0.99}),
        WON.model_copy(update={"ratio": 1.01}),
        WON.model_copy(update={"rounds": 2}),
        WON.model_copy(update={"wins": False}),
    ],
)
def test_a_record_cannot_claim_what_its_numbers_do_not_carry(decision: Decision) -> None:
    """Called tuned without the margin, the interval, the rounds or the win itself."""
    assert entry().outcome == "tuned"
    with pytest.raises(ValidationError, match="is called tuned"):
        entry(decision=decision)


def test_a_kept_default_has_no_values() -> None:
    """And a tuned one has some."""
    with pytest.raises(ValidationError, match="with 4 values"):
        entry(outcome="default kept")
    with pytest.raises(ValidationError, match="with 0 values"):
        entry(defines={})


def file(*found: VariantTuning, rejected: tuple[Rejected, ...] = ()) -> TuningFile:
    """A file of the synthetic driver."""
    driver = DriverKey.of(make_identity("pocl"))
    assert driver is not None
    return TuningFile(driver=driver, variants={one.variant: one for one in found}, rejected=rejected)


def crashed(**changes: object) -> Rejected:
    """A candidate of the block variant that took its worker down, changed."""
    facts = {"variant": "block", "kernel_sha256": "a" * 64, "defines": {"MR": 9}, "status": "crashed"}
    return Rejected.model_validate({**facts, **changes})


def test_a_variant_is_filed_under_its_own_name() -> None:
    """Values under another variant's name would be built into that one."""
    facts = file(entry()).model_dump()
    with pytest.raises(ValidationError, match="packed is filed under another name"):
        TuningFile.model_validate({**facts, "variants": {"packed": facts["variants"]["block"]}})


def test_a_search_replaces_what_was_found_before_it() -> None:
    """With what was rejected for another source of it; what others rejected stays."""
    old, other = crashed(kernel_sha256="b" * 64), crashed(variant="lanes", kernel_sha256="b" * 64)
    before = file(entry(), entry(variant="lanes"), rejected=(old, other, crashed()))
    found = entry(made_at="2026-11-26T12:00:00+00:00")
    after = before.with_variant(found)
    assert after.variants == {**before.variants, "block": found}
    assert after.rejected == (other, crashed())


def test_a_candidate_is_rejected_once() -> None:
    """By variant and values, whatever took it down; the newest reason stands."""
    first, again, other = crashed(), crashed(status="hung"), crashed(defines={"MR": 10})
    found = file().with_rejected(first).with_rejected(other).with_rejected(again)
    assert found.rejected == (other, again)


KERNELS = {"block": Kernel(entry=ENTRIES["block"], sha256="a" * 64)}
WILD = {"MR": 99, "NV": 2, "VW": 8, "USE_FMA": 0}


def test_a_file_that_a_search_wrote_is_legal() -> None:
    """Its values, those it rejected, and a default that was kept."""
    rejected = crashed(defines={"MR": 9, "NV": 1, "VW": 8, "USE_FMA": 0})
    kept = entry(outcome="default kept", defines={}, decision=Decision(wins=False))
    for found in (file(entry(), rejected=(rejected,)), file(kept), file()):
        assert illegal_in(found, KERNELS, make_identity("pocl")) == ""


@pytest.mark.parametrize("found", [file(entry(defines=WILD)), file(entry(), rejected=(crashed(defines=WILD),))])
def test_values_that_no_search_writes_condemn_the_file(found: TuningFile) -> None:
    """Among those in force or among those rejected: somebody else wrote it."""
    assert illegal_in(found, KERNELS, make_identity("pocl")).startswith("block: MR is 99; legal are 1, 2,")


def test_values_of_a_source_that_changed_are_not_looked_at() -> None:
    """Nor those of a variant that is gone: neither is used."""
    stale = file(entry(defines=WILD, kernel_sha256="b" * 64), entry(variant="gone", defines=WILD))
    assert illegal_in(stale, KERNELS, make_identity("pocl")) == ""


def test_t3_tries_the_arm_that_is_known_to_be_fastest_first() -> None:
    """What is known at the size, then what is known at the nearest one, then the rest in its order."""
    priors = [
        ArmPrior(variant="packed", expected_ms={1400: 14.0}),
        ArmPrior(variant="block", expected_ms={1400: 20.0, 128: 0.001}),
        ArmPrior(variant="lanes", expected_ms={700: 1.0}),
        ArmPrior(variant="tile20"),
    ]
    arms = ["scalar", "tile20", "block", "lanes", "packed"]
    assert trial_order(arms, priors, 1400) == ["lanes", "packed", "block", "scalar", "tile20"]
    assert trial_order(arms, priors, 128)[0] == "block"
    assert trial_order(arms, (), 1400) == arms


def test_a_driver_without_a_library_has_no_key() -> None:
    """Nothing would tell it from another."""
    assert DriverKey.of(make_identity("pocl")) is not None
    assert DriverKey.of(make_identity("pocl").model_copy(update={"library_sha256": ""})) is None
