"""What each number of a policy may be: beyond these ends no measurement breaks the limit, and it bounds nothing.

Two things are said of a key. ``least`` and ``most`` are the ends of what a limit can be at all; what lies beyond is
refused. ``usual`` is the weakest value that still sees what the shipped policies see by an order of magnitude; a weaker
one is accepted, and every verdict under it says what it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pytest_weekops.core.numbers import as_number

Place = tuple[str, ...]
_NEITHER = "Such a limit lets all runs pass or none"
SECTIONS = (
    *("guardrails", "floors", "guard", "selector", "evidence", "host", "split", "campaign", "conformance"),
    "history",
)


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The ends between which a limit can be broken, and ``why`` it cannot beyond; ``above`` is an end left out itself.

    ``usual`` is the weakest value that nobody needs to be told of: the largest of a ceiling, the smallest of a floor
    (``is_floor``); None where any value within the ends will do.
    """

    why: str = _NEITHER
    above: float | None = None
    least: float | None = None
    most: float | None = None
    usual: float | None = None
    is_floor: bool = False

    def problem(self, value: float) -> tuple[str, str]:
        """What a value would have to be, where it is not, and why; two empty texts else. NaN is within no ends."""
        if self.above is not None and not value > self.above:
            return f"above {self.above:g}", _NEITHER
        if self.least is not None and not value >= self.least:
            return f"at least {self.least:g}", self.why if self.least else _NEITHER
        if self.most is not None and not value <= self.most:
            return f"at most {self.most:g}", self.why
        return "", ""

    def is_weak(self, value: float) -> bool:
        """Whether a verdict under this value has to say so."""
        if self.usual is None:
            return False
        return not (value >= self.usual if self.is_floor else value <= self.usual)

    @property
    def words(self) -> str:
        """The ends, such as ``above 0, at most 95``."""
        above = self.above if self.least is None else None
        ends = (("above", above), ("at least", self.least), ("at most", self.most))
        return ", ".join(f"{word} {end:g}" for word, end in ends if end is not None)


def _ceiling(most: float, usual: float | None, why: str, *, may_be_zero: bool = False) -> Bound:
    above, least = (None, 0.0) if may_be_zero else (0.0, None)
    return Bound(above=above, least=least, most=most, usual=usual, why=why)


def _share(why: str) -> Bound:
    return _ceiling(0.5, 0.2, why, may_be_zero=True)


_RATIO = "It is a ratio, not percent: 0.85 stands for 85 %, and no candidate that works is at a hundredth"
_FALL = "No throughput can fall by all of itself"
_ALARMS = "A guard of which every second alarm is false warns of nothing"
_FELL_BACK = "A selection that falls back every second time selects nothing"
_OVERHEAD = "A check that costs as much as the launch it checks is no guard on duty"
_ROW = "No size that is measured is so slow: a launch of more than two minutes is ended as hung"
_MISSED = "A guard with wider thresholds misses errors as large as C's elements at the sizes that are measured"
_ERROR = "Elements of C are of that size: a C of zeros would be right"
_IN_A_ROW = "No run measures a cell so often"
_AGE = "Nothing here is so old"
_HOST = "No host moves so much while one case is measured"
_ANY = Bound(above=0.0)
LEAST_RATIO = 0.01  # of `split.min_ratio`, and of what a command line asks for instead
_OF_ANOTHER = Bound(above=0.0, least=LEAST_RATIO, most=2.0, usual=0.5, is_floor=True, why=_RATIO)  # driver's speed
# A number that is not here is held by its model alone: more of it is only stricter, or no verdict hangs on it.
BOUNDS: Mapping[str, Bound] = {
    "guardrails.minimum_snapshots": Bound(least=2, why="One snapshot shows no drift"),
    "guardrails.max_correctness_error": _ceiling(1.0, 0.1, _ERROR),
    "guardrails.max_k_scaled_error": _ceiling(
        1000.0, 100.0, "Half precision anywhere in the sum is in the thousands, and wrong elements are beyond that"
    ),
    "guardrails.max_t3_fallback_rate": _share(_FELL_BACK),
    "guardrails.max_t5_disable_events_total": _ceiling(10, 0, _IN_A_ROW, may_be_zero=True),
    "guardrails.max_t5_overhead_percent": _ceiling(100.0, 20.0, _OVERHEAD, may_be_zero=True),
    "guardrails.t5_overhead_from_size": _ceiling(8192, 2048, "No run has sizes from there on"),
    "guardrails.max_t5_false_positive_rate": _share(_ALARMS),
    "guardrails.max_abs_throughput_drift_percent": _ceiling(95.0, 30.0, _FALL),
    "guardrails.max_throughput_deviation_percent": _ceiling(95.0, 50.0, _FALL),
    "guardrails.max_p95_drift_percent": _ceiling(1000.0, 100.0, "No p95 of a driver that still works rises so much"),
    "floors.min_share_of_baseline_gflops": Bound(
        above=0.0,
        least=0.01,
        usual=0.5,
        is_floor=True,
        why="A driver at a hundredth of its baseline does not work any more",
    ),
    "floors.min_share_of_service_gflops": _OF_ANOTHER,
    "floors.max_share_of_baseline_p95": _ceiling(
        100.0, 2.0, "A driver that takes a hundred times its baseline's time does not work any more"
    ),
    "floors.max_baseline_age_days": _ceiling(3660.0, 400.0, _AGE),
    "guard.sampling_period": Bound(least=1, most=100, usual=20, why="No run has so many launches that one is checked"),
    "guard.max_sampling_period": Bound(
        least=1, most=100, usual=20, why="No run has so many launches that one is checked"
    ),
    "guard.z": _ceiling(64.0, 16.0, _MISSED),
    "guard.residual_scale": _ceiling(64.0, 16.0, _MISSED),
    "guard.residual_margin": _ceiling(1.0, 0.1, _MISSED, may_be_zero=True),
    "guard.residual_floor": _ceiling(1.0, 0.1, _MISSED, may_be_zero=True),
    "guard.max_overhead_soft_percent": _ceiling(100.0, 20.0, _OVERHEAD),
    "guard.max_overhead_hard_percent": _ceiling(100.0, 20.0, _OVERHEAD),
    "guard.max_false_positive_rate": _share(_ALARMS),
    "guard.max_correctness_error": _ceiling(1.0, 0.1, _ERROR),
    "guard.overhead_violations": Bound(least=1, most=20, usual=6, why=_IN_A_ROW),
    "guard.alarm_violations": Bound(least=1, most=20, usual=6, why=_IN_A_ROW),
    "guard.min_critical_recall": Bound(
        above=0.0, least=0.01, most=1.0, usual=0.5, is_floor=True, why="It catches next to nothing"
    ),
    "guard.max_recall_age_days": _ceiling(366.0, 31.0, _AGE),
    "selector.max_slowdown": _ceiling(
        1.0, 0.3, "A choice that takes more than twice the static one's time is none", may_be_zero=True
    ),
    "selector.max_fallback_rate": _share(_FELL_BACK),
    "selector.least_decisions": Bound(least=1, most=100, usual=20, why="No run decides so often at one size"),
    "evidence.min_p95_launches": Bound(
        least=20, usual=59, is_floor=True, why="Of fewer launches the p95 is the slowest of them"
    ),
    "evidence.flag_p95_launches": _ANY,
    "evidence.max_expected_share": _share("A driver that fails in every second cell is not known, it is broken"),
    "host.max_pace_change_percent": _ceiling(1000.0, 100.0, _HOST),
    "host.max_anchor_change_percent": _ceiling(1000.0, 100.0, _HOST),
    "host.max_run_delay_percent": _ceiling(100.0, 25.0, "A launch that only waited counts as calm beyond that"),
    "host.max_steal_percent": _ceiling(95.0, 25.0, "A host of which everything is stolen measures nothing"),
    "host.max_throttled_percent": _ceiling(95.0, 25.0, "A gate that its quota never lets run measures nothing"),
    "split.min_ratio": _OF_ANOTHER,
    "split.max_latency_ratio": _ceiling(100.0, 3.0, "A candidate that takes a hundred times as long does not work"),
    "campaign.minimum_snapshots": Bound(least=2, why="One snapshot shows no drift"),
    "campaign.max_correctness_error": _ceiling(1.0, 0.1, _ERROR),
    "campaign.max_t3_fallback_rate": _share(_FELL_BACK),
    "campaign.max_t5_disable_events": _ceiling(10, 0, _IN_A_ROW, may_be_zero=True),
    "campaign.max_t5_false_positive_rate": _share(_ALARMS),
    "campaign.max_t5_overhead_hard_percent": _ceiling(100.0, 20.0, _OVERHEAD, may_be_zero=True),
    "campaign.max_t5_overhead_soft_percent": _ceiling(100.0, 20.0, _OVERHEAD, may_be_zero=True),
    "campaign.soft_streak_limit": Bound(least=1, most=20, usual=6, why="No campaign has so many snapshots"),
    "campaign.min_throughput_change_percent": Bound(least=-95.0, usual=-50.0, is_floor=True, why=_FALL),
    "campaign.max_p95_change_percent": Bound(
        least=-95.0, most=1000.0, usual=100.0, why="No p95 of a driver that still works rises so much"
    ),
    "campaign.max_abs_drift_percent": _ceiling(95.0, 30.0, _FALL),
    "campaign.min_peak_ratio": Bound(above=0.0, least=LEAST_RATIO, most=2.0, usual=0.5, is_floor=True, why=_RATIO),
    "conformance.max_age_days": _ceiling(366.0, 92.0, _AGE),
    "conformance.max_left_out_share": _ceiling(
        0.99, 0.0, "A suite of which all is left out says nothing", may_be_zero=True
    ),
    **{
        f"conformance.severity_of_{what}": Bound(least=1, most=3, why="Only SEV1 to SEV3 block")
        for what in ("crash", "timeout", "failure", "lost_test", "skip", "flaky", "missing")
    },
    "conformance.max_new_flaky": _ceiling(
        100, 5, "A driver that is unsteady in so many tests is broken", may_be_zero=True
    ),
    "history.max_unexplained_drop_percent": _ceiling(95.0, 30.0, _FALL),
}
_FLOOR = Bound(above=0.0, least=0.0001, is_floor=True, why=_ROW)
ROW_BOUNDS: Mapping[str, Bound] = {
    "min_avg_gflops": _FLOOR,
    "min_avg_gbs": _FLOOR,
    "max_p95_time_ms": _ceiling(120_000.0, None, _ROW),
}


class Sections(Protocol):
    """A policy, as far as its numbers go: its sections by name, and its rows."""

    @property
    def rows(self) -> Mapping[str, Any]:
        """The rows by ``kernel:size``."""


def numbers(policy: Sections) -> Iterator[tuple[Place, float, Bound]]:
    """Every number of a policy that has ends, with its place and them: sections first, then rows."""
    for section in SECTIONS:
        for name, value in getattr(policy, section):
            bound = BOUNDS.get(f"{section}.{name}")
            if bound is not None and as_number(value) is not None:
                yield (section, name), value, bound
    for key, row in policy.rows.items():
        for name, bound in ROW_BOUNDS.items():
            if as_number(value := getattr(row, name)) is not None:
                yield ("rows", key, name), value, bound


def beyond(policy: Sections) -> Iterator[tuple[Place, str, str]]:
    """Place, problem and reason of every limit that no measurement could break, or that none could meet."""
    for place, value, bound in numbers(policy):
        words, why = bound.problem(value)
        if words:
            yield place, f"is {value}; it must be {words}", f"{why}."


def weak(policy: Sections) -> dict[Place, str]:
    """What a policy hardly sees by limits weaker than usual, by place, each in a few words."""
    return {
        place: f"{'.'.join(place)} {value:g} (usual: {'at least' if bound.is_floor else 'at most'} {bound.usual:g})"
        for place, value, bound in numbers(policy)
        if bound.is_weak(value)
    }
