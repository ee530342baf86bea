"""T3, online selection under control: which variant to try and which to take, from what was measured. Pure.

An epsilon-greedy choice among few arms (Auer, Cesa-Bianchi and Fischer 2002) with a static arm that any other must beat
by a margin, a fallback to it, and a switch that turns the selection off. Times are milliseconds of one launch.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from pytest_weekops.core.binomial import is_beyond
from pytest_weekops.core.policy.policy import SelectorRules
from pytest_weekops.core.record import Record

KEPT_TIMES = 9
SECOND_LOOK = 1.25  # an arm slower than this times the best gets no second trial
HOPELESS = 4.0  # an arm slower than this times the best at the small probe size is not tried at a large one


class Arm(Record):
    """What is known of one variant in one context. ``failed`` says why it is never taken again."""

    times_ms: tuple[float, ...] = ()
    failed: str = ""

    @property
    def estimate_ms(self) -> float:
        """Median of the times kept; infinite for an arm that failed or was not tried."""
        return statistics.median(self.times_ms) if self.times_ms and not self.failed else math.inf


class OnlineState(Record):
    """One context's arms, decisions and fallbacks. ``disabled`` says why only the static arm is taken.

    ``confirmed`` holds the arms that beat a static one side by side, beyond what their trials said, and which.
    ``disabled_by`` is the arm that turned the selection off.
    """

    arms: dict[str, Arm] = Field(default_factory=dict)
    decisions: int = 0
    fallbacks: int = 0
    explored: int = 0
    confirmed: dict[str, str] = Field(default_factory=dict)
    disabled: str = ""
    disabled_by: str = ""

    @property
    def fallback_rate(self) -> float:
        """Fallbacks per decision; 0 before the first."""
        return self.fallbacks / self.decisions if self.decisions else 0.0

    def arm(self, name: str) -> Arm:
        """What is known of an arm."""
        return self.arms.get(name, Arm())

    @property
    def best(self) -> str:
        """The fastest arm that is known, or nothing."""
        known = [name for name in sorted(self.arms) if math.isfinite(self.arm(name).estimate_ms)]
        return min(known, key=lambda name: self.arm(name).estimate_ms, default="")


@dataclass(frozen=True)
class Choice:
    """The arm to take, and why."""

    arm: str
    reason: str


def observe(state: OnlineState, name: str, ms: float, *, problem: str = "", wrong: bool = False) -> OnlineState:
    """Credit one launch to the arm that made it. A time that is none, or a wrong result, fails the arm for good.

    A wrong result, or a time that is not a positive number, also turns the selection off: a driver that gives one is
    not to be experimented with. An arm that does not build or crashes (``problem``) only drops out.
    """
    if not wrong and not problem and not (math.isfinite(ms) and ms > 0):
        problem, wrong = f"a launch took {ms} ms", True
    arm = state.arm(name)
    if problem or wrong:
        arm = arm.model_copy(update={"failed": arm.failed or problem or "a wrong result"})
    else:
        arm = arm.model_copy(update={"times_ms": (*arm.times_ms, ms)[-KEPT_TIMES:]})
    state = state.model_copy(update={"arms": {**state.arms, name: arm}})
    return disable(state, name, f"{name}: {arm.failed}") if wrong else state


def disable(state: OnlineState, name: str, reason: str) -> OnlineState:
    """Turn the selection off on account of an arm; the first reason stands."""
    return state if state.disabled else state.model_copy(update={"disabled": reason, "disabled_by": name})


def forget(state: OnlineState, names: frozenset[str]) -> OnlineState:
    """The state without what is known of arms that changed; one that had turned the selection off does so no more."""
    if not names & set(state.arms):
        return state
    kept = {name: arm for name, arm in state.arms.items() if name not in names}
    update: dict[str, object] = {"arms": kept, "explored": 0, "confirmed": {}}
    if state.disabled_by in names:
        update |= {"disabled": "", "disabled_by": "", "decisions": 0, "fallbacks": 0}
    return state.model_copy(update=update)


def hopeless(probe: OnlineState) -> frozenset[str]:
    """Arms that the probe at a small size saw failing or far behind: not worth a launch at a large one."""
    best = probe.arm(probe.best).estimate_ms if probe.best else math.inf
    return frozenset(name for name, arm in probe.arms.items() if arm.failed or not arm.estimate_ms <= HOPELESS * best)


def next_trial(
    state: OnlineState, rules: SelectorRules, order: Sequence[str], *, static: str, size: int, without: frozenset[str]
) -> str:
    """The arm to try next, or nothing when enough is known, the budget is spent, or nothing may be tried.

    The static arm first, then each in ``order`` once, then the static one and those close to the best until each has
    its warm-up.
    """
    if state.disabled or size in rules.freeze_sizes or state.explored >= rules.exploration_launches:
        return ""
    allowed = [static, *(name for name in order if name != static and name not in without)]
    open_arms = [name for name in allowed if not state.arm(name).failed]
    for name in open_arms:
        if not state.arm(name).times_ms:
            return name
    best = state.arm(state.best).estimate_ms
    for name in open_arms:
        arm = state.arm(name)
        # The static arm is what the others are compared with: one disturbed launch of it would flatter them all.
        close = name == static or arm.estimate_ms <= SECOND_LOOK * best
        if len(arm.times_ms) < rules.warmup_launches and close:
            return name
    return ""


def again(state: OnlineState, rules: SelectorRules, *, size: int, draw: float, pick: float) -> str:
    """The arm that exploration looks at once more (with probability epsilon), or nothing. Draws are in [0, 1)."""
    if state.disabled or size in rules.freeze_sizes or not draw < rules.epsilon:
        return ""
    near = [
        name
        for name in sorted(state.arms)
        if name != state.best and state.arm(name).estimate_ms <= SECOND_LOOK * state.arm(state.best).estimate_ms
    ]
    return near[int(pick * len(near)) % len(near)] if near else ""


def choose(state: OnlineState, rules: SelectorRules, *, static: str, size: int) -> Choice:
    """The arm to take now: the static one unless another beat it by the margin over enough launches."""
    if state.disabled:
        return Choice(static, f"selection is disabled: {state.disabled}")
    if size in rules.freeze_sizes:
        return Choice(static, f"size {size} is frozen")
    best = state.best
    if not best or best == static:
        return Choice(static, "the static arm is the fastest known" if best else "nothing else is known")
    mine, theirs = state.arm(best), state.arm(static)
    if state.arm(static).failed:
        return Choice(best, f"the static arm failed: {state.arm(static).failed}")
    if not theirs.times_ms or len(mine.times_ms) < rules.warmup_launches:
        return Choice(static, f"{best} was not tried often enough")
    gain = 1.0 - mine.estimate_ms / theirs.estimate_ms
    if not gain > rules.min_gain:
        return Choice(static, f"{best} is {100 * gain:.1f} % faster, {100 * rules.min_gain:g} % are needed")
    ratio = theirs.estimate_ms / mine.estimate_ms
    return Choice(best, f"{best} is {ratio:.2f} times as fast as {static} over {len(mine.times_ms)} launches")


def is_unconfirmed(state: OnlineState, choice: Choice, *, static: str) -> bool:
    """Whether the choice rests on trials alone, and must win side by side before it is taken."""
    return choice.arm != static and not state.arm(static).failed and state.confirmed.get(choice.arm) != static


def confirm(
    state: OnlineState, rules: SelectorRules, choice: Choice, *, static: str, ratios: Sequence[float]
) -> tuple[OnlineState, Choice]:
    """Let an arm that its trials favour be taken only where it also wins side by side: by the margin in every pair.

    ``ratios`` are its time / the static arm's, nothing where the host allowed no comparison: then nothing is learnt.
    Trials are many launches apart: a host that was slow during the static arm's makes every other look fast. An arm
    that does not win gets the static arm's time times the median ratio, at least, so that it is not favoured again.
    """
    if not ratios:
        words = f"{choice.arm} could not be compared with {static}: other programs left no calm pairs"
        return state, Choice(static, words)
    if not all(math.isfinite(ratio) and ratio > 0 for ratio in ratios):
        words = f"{choice.arm} could not be compared with {static} side by side"
        return observe(state, choice.arm, math.nan), Choice(static, words)
    middle = statistics.median(ratios)
    if is_faster(rules, ratios):
        reason = f"{choice.reason}, {1.0 / middle:.2f} times side by side"
        confirmed = {**state.confirmed, choice.arm: static}
        return state.model_copy(update={"confirmed": confirmed}), Choice(choice.arm, reason)
    words = f"{choice.arm} took {min(ratios):.2f} to {max(ratios):.2f} of the static arm's time side by side"
    ms = max(middle, 1.0) * state.arm(static).estimate_ms
    mine = Arm(times_ms=(ms,) * max(1, rules.warmup_launches))
    return state.model_copy(update={"arms": {**state.arms, choice.arm: mine}}), Choice(static, words)


def is_faster(rules: SelectorRules, ratios: Sequence[float]) -> bool:
    """Whether an arm was faster than the static one by the margin in every pair, and there was one."""
    return bool(ratios) and all(0.0 < ratio <= 1.0 - rules.min_gain for ratio in ratios)


def is_slower(rules: SelectorRules, ratios: Sequence[float]) -> bool:
    """Whether an arm was slower than the static one by more than the limit in every pair, and there was one."""
    return bool(ratios) and all(1.0 + rules.max_slowdown < ratio < math.inf for ratio in ratios)


def settle(
    state: OnlineState, rules: SelectorRules, choice: Choice, *, static: str, ms: float, ratios: Sequence[float]
) -> tuple[OnlineState, bool]:
    """After the chosen arm was measured (``ms``): the state, and whether to fall back.

    ``ratios`` are its time / the static arm's, side by side. An arm that is slower by more than the limit in every
    pair is a fallback; certainly too many of them turn the selection off, and so does one whose result is wrong there
    (NaN). With no ratios, where the host allowed no comparison, it is neither a fallback nor a decision that was held
    to anything.
    """
    against = ratios if choice.arm != static else ()
    wrong = not all(math.isfinite(ratio) for ratio in against)
    fell = wrong or is_slower(rules, against)
    state = observe(state, choice.arm, ms, wrong=wrong)
    fallbacks, decisions = state.fallbacks + fell, state.decisions + bool(ratios)
    state = state.model_copy(update={"fallbacks": fallbacks, "decisions": decisions})
    if decisions >= rules.least_decisions and is_beyond(fallbacks, decisions, rules.max_fallback_rate):
        culprit = choice.arm if choice.arm != static else ""  # a static arm's change would mend nothing
        state = disable(state, culprit, f"{fallbacks} of {decisions} decisions fell back")
    if fell:  # what was confirmed once does not hold any more
        confirmed = {name: beaten for name, beaten in state.confirmed.items() if name != choice.arm}
        state = state.model_copy(update={"confirmed": confirmed})
    return state, fell
