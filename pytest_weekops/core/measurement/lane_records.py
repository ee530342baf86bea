"""What a lane says of one measurement: T5 what its guard saw, T3 how it chose."""

from __future__ import annotations

from typing import Literal

from pytest_weekops.core.record import Record


class GuardEvidence(Record):
    """What an ABFT guard (T5) saw during one measurement; absent where the kernel mode has no guard.

    ``overhead_percent`` is the one that is judged: the median over launches of check time / launch time, divided by
    ``period``, the launches to a check; ``low`` and ``high`` are its 95 % interval. Beside it stand the same per check,
    the quotient of the sums (amortised) and the worst single launch. ``check_ns`` are the raw times of the checks.
    ``residual_share`` is the largest residual of a good launch in shares of the threshold.

    ``mode`` is ``full`` where each check looks at every row, ``sampled`` where it looks at ``row_samples`` rows and
    ``col_samples`` columns; ``coverage_percent`` is the chance that one wrong element of one launch lies where a check
    looked, the period included. ``checked_launches`` are numbers of launches, counted across sessions from 1;
    ``drawn_rows`` and ``drawn_columns`` are the lines that each of these checks looked at (sampled only).
    ``tried_percent`` is what a check added to a launch when that was tried before the first session, where the period
    followed from it. ``chained``: verdicts stayed on the device until a session's end, since reading each one back was
    found to cost too much; a row that was bad once counts as bad in every check behind it.
    """

    overhead_percent: float
    false_positive_rate: float
    disable_events: int
    disable_reason: str | None = None
    checks: int = 0
    overhead_low_percent: float | None = None
    overhead_high_percent: float | None = None
    overhead_per_check_percent: float | None = None
    overhead_amortised_percent: float | None = None
    overhead_worst_percent: float | None = None
    spikes: int = 0
    false_alarms: int = 0
    detections: tuple[str, ...] = ()
    period: int = 1
    self_tests: int = 0
    residual_share: float | None = None
    check_ns: tuple[int, ...] = ()
    mode: Literal["full", "sampled"] = "full"
    row_samples: int = 0
    col_samples: int = 0
    projections: int = 1
    coverage_percent: float | None = None
    checked_launches: tuple[int, ...] = ()
    drawn_rows: tuple[tuple[int, ...], ...] = ()
    drawn_columns: tuple[tuple[int, ...], ...] = ()
    tried_percent: float | None = None
    chained: bool = False


class Trial(Record):
    """One launch that T3 spent on finding out: arm, size, milliseconds, and what was wrong with it, if anything."""

    arm: str
    size: int
    ms: float
    problem: str = ""


class SelectorEvidence(Record):
    """What online selection (T3) did during one measurement; absent where the kernel mode has no selector.

    ``regret_launches`` is what exploration cost at this size, in launches of the best arm known. ``crashed`` names
    variants that took the worker before this one down.
    """

    fallback_rate: float
    policy_disabled: bool
    disabled_reason: str = ""
    chosen: str = ""
    static: str = ""
    reason: str = ""
    decisions: int = 0
    fallbacks: int = 0
    trials: tuple[Trial, ...] = ()
    regret_launches: float = 0.0
    crashed: tuple[str, ...] = ()
    note: str = ""
