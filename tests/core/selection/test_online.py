"""The online selector on simulated arms: it finds the best one cheaply, and never takes one that failed."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.binomial import is_beyond
from pytest_weekops.core.policy.policy import SelectorRules
from pytest_weekops.core.selection.online import (
    Choice,
    OnlineState,
    again,
    choose,
    confirm,
    forget,
    hopeless,
    is_unconfirmed,
    next_trial,
    observe,
    settle,
)
from tests.support.examples import examples

RULES = SelectorRules()
MANY = settings(max_examples=examples(150), deadline=None)


@dataclass
class Simulation:
    """Arms with true times; what the device side does, without a device."""

    times: Mapping[str, float]
    static: str
    rules: SelectorRules = RULES
    noise: float = 0.03
    wrong: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    seed: int = 1
    state: OnlineState = field(default_factory=OnlineState)
    size: int = 1400
    taken: list[str] = field(default_factory=list)
    launches: int = 0

    def __post_init__(self) -> None:
        """A generator of its own."""
        self.random = random.Random(self.seed)

    def launch(self, name: str) -> float:
        """One launch with noise."""
        self.launches += 1
        return self.times[name] * math.exp(self.random.gauss(0.0, self.noise))

    def explore(self) -> None:
        """Try arms until the selector has enough."""
        while name := next_trial(
            self.state, self.rules, list(self.times), static=self.static, size=self.size, without=frozenset()
        ):
            self.state = self.state.model_copy(update={"explored": self.state.explored + 1})
            problem = "does not build" if name in self.broken else ""
            ms = self.launch(name)
            self.state = observe(self.state, name, ms, problem=problem, wrong=name in self.wrong)

    def decide(self) -> Choice:
        """One decision: explore, choose, measure, settle."""
        self.explore()
        if name := again(self.state, self.rules, size=self.size, draw=self.random.random(), pick=self.random.random()):
            self.state = observe(self.state, name, self.launch(name), wrong=name in self.wrong)
        choice = choose(self.state, self.rules, static=self.static, size=self.size)
        static_failed = bool(self.state.arm(self.static).failed)
        if is_unconfirmed(self.state, choice, static=self.static):
            ratios = self.duel(choice.arm)
            self.state, choice = confirm(self.state, self.rules, choice, static=self.static, ratios=ratios)
        self.taken.append(choice.arm)
        ratios = (1.0,) if static_failed else self.duel(choice.arm)
        ms = self.launch(choice.arm)
        self.state, _fell = settle(self.state, self.rules, choice, static=self.static, ms=ms, ratios=ratios)
        return choice

    def duel(self, name: str) -> tuple[float, ...]:
        """Three pairs, with a fifth of the noise."""
        ratio = self.times[name] / self.times[self.static]
        return tuple(ratio * math.exp(self.random.gauss(0.0, self.noise / 5)) for _ in range(3))


ARMS = {"scalar": 900.0, "tile20": 580.0, "tile24": 520.0, "block": 19.0, "packed": 12.5}


def test_from_a_cold_start_the_best_arm_is_found_within_twelve_launches() -> None:
    """The static arm is 46 times slower than the best; what is taken then is within 5 % of the oracle."""
    for seed in range(50):
        run = Simulation(ARMS, "tile20", seed=seed)
        run.explore()
        assert run.launches <= 12
        choice = choose(run.state, RULES, static="tile20", size=1400)
        assert ARMS[choice.arm] <= 1.05 * min(ARMS.values())


def test_arms_far_behind_get_one_launch() -> None:
    """No second look at what cannot win."""
    run = Simulation(ARMS, "packed")
    run.explore()
    assert [len(run.state.arm(name).times_ms) for name in ARMS] == [1, 1, 1, 1, 2]


def test_the_static_arm_gets_its_warm_up_however_slow() -> None:
    """Everything else is compared with it."""
    run = Simulation(ARMS, "tile20")
    run.explore()
    assert [len(run.state.arm(name).times_ms) for name in ARMS] == [1, 2, 1, 1, 2]


def test_the_static_arm_stays_without_a_clear_gain() -> None:
    """Two percent are noise."""
    choice = Simulation({"a": 10.0, "b": 9.8}, "a", noise=0.0).decide()
    assert choice.arm == "a"
    assert "2.0 % faster" in choice.reason


def test_a_frozen_size_takes_the_static_arm_and_tries_nothing() -> None:
    """As the older policies ask."""
    rules = SelectorRules(freeze_sizes=(1400,))
    run = Simulation(ARMS, "tile20", rules=rules)
    assert run.decide().arm == "tile20"
    assert run.state.explored == 0


def _favoured() -> tuple[OnlineState, Choice]:
    """A state in which ``other`` seems twice as fast as ``static``."""
    state = OnlineState()
    for _ in range(2):
        state = observe(observe(state, "static", 10.0), "other", 5.0)
    return state, choose(state, RULES, static="static", size=1400)


def test_whatever_trials_say_an_arm_wins_side_by_side_first() -> None:
    """Twice as fast in every trial as well: other programs had the CPU while the static arm was tried."""
    state, choice = _favoured()
    assert is_unconfirmed(state, choice, static="static")
    assert not is_unconfirmed(state, Choice("static", ""), static="static")
    confirmed, _choice = confirm(state, RULES, choice, static="static", ratios=(0.5,))
    assert not is_unconfirmed(confirmed, choice, static="static")
    failed = observe(state, "static", 0.0, problem="does not build")
    assert not is_unconfirmed(failed, choice, static="static")


def test_an_arm_that_only_its_trials_favour_is_not_taken() -> None:
    """The host was slow while the static arm was tried; side by side it is not beaten, and the arm is not favoured."""
    state, choice = _favoured()
    state, choice = confirm(state, RULES, choice, static="static", ratios=(0.99,))
    assert choice.arm == "static"
    assert "0.99 to 0.99 of the static arm's time" in choice.reason
    assert choose(state, RULES, static="static", size=1400).arm == "static"
    assert not state.fallbacks
    assert not state.disabled


@pytest.mark.parametrize(
    ("ratios", "taken"), [((0.9, 0.97, 0.8), "other"), ((0.9, 0.98, 0.8), "static"), ((), "static")]
)
def test_an_arm_must_win_in_every_pair(ratios: tuple[float, ...], taken: str) -> None:
    """One pair without the gain leaves the static arm; no pair is no win."""
    state, choice = _favoured()
    assert confirm(state, RULES, choice, static="static", ratios=ratios)[1].arm == taken


def test_a_host_that_allows_no_comparison_teaches_nothing() -> None:
    """The static arm is taken this time; the other is not blamed, and is compared the next time."""
    state, choice = _favoured()
    busy, taken = confirm(state, RULES, choice, static="static", ratios=())
    assert busy == state
    assert "no calm pairs" in taken.reason
    again, taken = confirm(busy, RULES, choice, static="static", ratios=(0.5,))
    assert taken.arm == "other"
    settled, fell = settle(again, RULES, taken, static="static", ms=5.0, ratios=())
    assert not fell
    assert (settled.fallbacks, settled.decisions) == (0, 0)
    assert settled.confirmed


@pytest.mark.parametrize(("ratios", "falls"), [((1.2, 1.08, 1.5), True), ((1.2, 1.07, 1.5), False), ((), False)])
def test_an_arm_falls_back_where_every_pair_is_beyond_the_limit(ratios: tuple[float, ...], *, falls: bool) -> None:
    """A pair within it is doubt enough; no pair at all says nothing."""
    state, choice = _favoured()
    assert settle(state, RULES, choice, static="static", ms=5.0, ratios=ratios)[1] is falls


def test_an_arm_that_wins_side_by_side_is_confirmed_until_it_falls_back() -> None:
    """Each later take needs no second confirmation."""
    state, choice = _favoured()
    state, choice = confirm(state, RULES, choice, static="static", ratios=(0.5,))
    assert (choice.arm, state.confirmed) == ("other", {"other": "static"})
    state, fell = settle(state, RULES, choice, static="static", ms=5.0, ratios=(0.5,))
    assert not fell
    assert state.confirmed
    state, fell = settle(state, RULES, choice, static="static", ms=5.0, ratios=(1.08,))
    assert fell
    assert not state.confirmed


@pytest.mark.parametrize("ratio", [math.nan, math.inf, 0.0, -1.0])
def test_a_ratio_that_is_none_confirms_nothing(ratio: float) -> None:
    """A wrong result side by side turns the selection off."""
    state, choice = _favoured()
    state, choice = confirm(state, RULES, choice, static="static", ratios=(ratio,))
    assert choice.arm == "static"
    assert state.disabled
    assert state.arm("other").failed


@pytest.mark.parametrize(("ratio", "falls"), [(1.07, False), (math.nextafter(1.07, 2.0), True), (math.nan, True)])
def test_the_limit_of_a_fallback_is_inclusive(ratio: float, *, falls: bool) -> None:
    """And NaN is beyond it."""
    state, choice = _favoured()
    _state, fell = settle(state, RULES, choice, static="static", ms=5.0, ratios=(ratio,))
    assert fell is falls


def test_one_fallback_of_three_turns_nothing_off() -> None:
    """It says nothing of a limit of 0.08; the arm has to win side by side before it is taken again."""
    state, choice = _favoured()
    for ratio in (0.5, 0.5, 2.0):
        state, fell = settle(state, RULES, choice, static="static", ms=5.0, ratios=(ratio,))
    assert fell
    assert (state.fallbacks, state.decisions, state.disabled) == (1, 3, "")
    assert is_unconfirmed(state, choice, static="static")


def test_a_wrong_result_side_by_side_turns_the_selection_off_at_once() -> None:
    """It is no matter of rates; nobody takes the arm again."""
    state, choice = _favoured()
    state, fell = settle(state, RULES, choice, static="static", ms=5.0, ratios=(0.5, math.nan))
    assert fell
    assert state.disabled == "other: a wrong result"
    assert state.arm("other").failed


def test_a_slow_choice_falls_back_and_too_many_disable() -> None:
    """An arm that was fast and became slow; from then on the static one."""
    state, choice = _favoured()
    assert choice.arm == "other"
    fell = []
    for _ in range(3):
        state, back = settle(state, RULES, choice, static="static", ms=20.0, ratios=(2.0,))
        fell.append(back)
    assert fell == [True, True, True]
    assert "3 of 3" in state.disabled
    assert choose(state, RULES, static="static", size=1400) == Choice(
        "static", "selection is disabled: 3 of 3 decisions fell back"
    )


@pytest.mark.parametrize("ms", [math.nan, math.inf, 0.0, -1.0])
def test_a_time_that_is_none_fails_the_arm_and_turns_the_selection_off(ms: float) -> None:
    """It is never preferred."""
    state = observe(observe(OnlineState(), "static", 10.0), "odd", ms)
    assert state.arm("odd").failed
    assert state.disabled
    assert choose(state, RULES, static="static", size=1400).arm == "static"


def test_a_changed_arm_that_turned_the_selection_off_does_so_no_more() -> None:
    """Another one that changed leaves it off; what was learnt of the rest stays."""
    state = observe(observe(observe(OnlineState(), "static", 10.0), "odd", 1.0, wrong=True), "other", 5.0)
    assert forget(state, frozenset({"other"})).disabled
    mended = forget(state, frozenset({"odd"}))
    assert not mended.disabled
    assert set(mended.arms) == {"static", "other"}
    assert forget(state, frozenset({"stranger"})) == state


def test_an_arm_that_does_not_build_drops_out_alone() -> None:
    """The others go on."""
    run = Simulation(ARMS, "tile20", broken=frozenset({"packed"}))
    assert run.decide().arm == "block"
    assert not run.state.disabled


def test_a_static_arm_that_fails_is_not_taken() -> None:
    """There is another."""
    run = Simulation(ARMS, "tile20", broken=frozenset({"tile20"}))
    assert run.decide().arm == "packed"


def test_the_probe_names_what_is_hopeless() -> None:
    """Failed, or far behind; close ones stay."""
    probe = observe(observe(observe(OnlineState(), "a", 1.0), "b", 2.0), "c", 9.0)
    probe = observe(probe, "d", 0.5, problem="does not build")
    assert hopeless(probe) == {"c", "d"}


TIMES = st.dictionaries(st.sampled_from("abcdef"), st.floats(0.1, 1000.0), min_size=2, max_size=6)


@MANY
@given(TIMES, st.data())
def test_regret_is_bounded_and_failed_arms_are_never_taken(times: dict[str, float], data: st.DataObject) -> None:
    """Whatever the arms: exploration within its budget, the steady choice within margin and noise of the best."""
    names = sorted(times)
    static = data.draw(st.sampled_from(names))
    bad = frozenset(data.draw(st.sets(st.sampled_from(names))) - {static})
    run = Simulation(times, static, broken=bad, noise=0.0, seed=data.draw(st.integers(0, 99)))
    for _ in range(30):
        run.decide()
    assert run.state.explored <= RULES.exploration_launches
    assert not bad & set(run.taken)
    best = min(ms for name, ms in times.items() if name not in bad)
    assert times[run.taken[-1]] <= best / (1.0 - RULES.min_gain) + 1e-9
    regret = sum(times[name] / best - 1.0 for name in run.taken)
    assert regret <= 30 * (1.0 / (1.0 - RULES.min_gain) - 1.0) + 1e-6


@MANY
@given(TIMES, st.data())
def test_a_wrong_arm_leaves_the_static_one(times: dict[str, float], data: st.DataObject) -> None:
    """From the wrong result on, nothing but the static arm."""
    names = sorted(times)
    static = data.draw(st.sampled_from(names))
    wrong = frozenset({data.draw(st.sampled_from([name for name in names if name != static]))})
    run = Simulation(times, static, wrong=wrong)
    for _ in range(5):
        run.decide()
    assert not wrong & set(run.taken)
    assert run.state.disabled
    assert set(run.taken) == {static}


OBSERVATIONS = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(), st.booleans(), st.sampled_from(["", "broke"])), max_size=30
)


@MANY
@given(OBSERVATIONS, st.floats(), st.floats())
def test_the_selector_never_raises_and_survives_its_journey_to_disk(
    found: list[tuple[str, float, bool, str]], ms: float, ratio: float
) -> None:
    """Any observation, NaN included; the state read back decides the same; fallbacks never exceed decisions."""
    state = OnlineState()
    for name, time, wrong, problem in found:
        state = observe(state, name, time, problem=problem, wrong=wrong)
        choice = choose(state, RULES, static="a", size=7)
        if is_unconfirmed(state, choice, static="a"):
            state, choice = confirm(state, RULES, choice, static="a", ratios=(ratio,))
        state, _fell = settle(state, RULES, choice, static="a", ms=ms, ratios=(ratio,))
    read = OnlineState.model_validate_json(state.model_dump_json())
    assert read == state
    assert choose(read, RULES, static="a", size=7) == choose(state, RULES, static="a", size=7)
    assert 0.0 <= state.fallback_rate <= 1.0
    chosen = choose(state, RULES, static="a", size=7).arm
    assert chosen == "a" or not state.arm(chosen).failed


PAIRS = st.lists(st.floats(0.2, 5.0) | st.sampled_from([math.nan, math.inf]), max_size=7)


@MANY
@given(st.lists(PAIRS, min_size=1, max_size=20))
def test_the_fallback_rate_is_respected(duels: list[list[float]]) -> None:
    """Once it is certainly beyond the limit, or a result was wrong, the selection is off and stays off; not before."""
    state, choice = _favoured()
    over = False
    for ratios in duels:
        state, _fell = settle(state, RULES, choice, static="static", ms=5.0, ratios=ratios)
        beyond = is_beyond(state.fallbacks, state.decisions, RULES.max_fallback_rate)
        over = over or (state.decisions >= RULES.least_decisions and beyond) or not all(map(math.isfinite, ratios))
        assert bool(state.disabled) is over
        if over:
            assert choose(state, RULES, static="static", size=1400).arm == "static"


@MANY
@given(st.floats(), st.floats(0.1, 10.0), st.integers(2, 5))
def test_a_time_that_is_none_is_never_preferred(ms: float, static_ms: float, looks: int) -> None:
    """Whatever the number: an arm with a time that is not positive and finite is not taken, however fast it seems."""
    state = OnlineState()
    for _ in range(looks):
        state = observe(observe(state, "static", static_ms), "odd", ms)
    taken = choose(state, RULES, static="static", size=1400).arm
    assert taken == "static" or (math.isfinite(ms) and 0 < ms < static_ms)


def test_an_arm_tried_too_seldom_is_not_taken_for_the_static_one() -> None:
    """However fast its one launch was; and neither is any, where the static one was never timed."""
    once = observe(observe(OnlineState(), "tile20", 10.0), "packed", 1.0)
    state = observe(once, "tile20", 10.0)
    choice = choose(state, RULES, static="tile20", size=1400)
    assert (choice.arm, choice.reason) == ("tile20", "packed was not tried often enough")
