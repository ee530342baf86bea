"""What a guard cost and found in one measurement, from its checks alone. Pure."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field

from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.lane_records import GuardEvidence
from pytest_weekops.core.measurement.stats import median_interval

SPIKE = 3.0  # a check that took this many times the median share of its launch counts as a spike


@dataclass(frozen=True)
class Lines:
    """Rows and columns that a check looked at."""

    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()


@dataclass
class GuardTally:
    """Collects the checks of a guard with these settings on a C of ``shape`` (m, n)."""

    settings: GuardSettings = field(default_factory=GuardSettings)
    shape: tuple[int, int] = (1, 1)
    _launch_ns: list[int] = field(default_factory=list)
    _check_ns: list[int] = field(default_factory=list)
    _false_alarms: int = 0
    _detections: list[str] = field(default_factory=list)
    _tests: int = 0
    _test_problem: str = ""
    _residual_share: float = 0.0
    numbers: list[int] = field(default_factory=list)  # of the launches that were checked
    _lines: list[Lines] = field(default_factory=list)
    _tried_percent: float | None = None

    def tried(self, cost_percent: float, period: int) -> None:
        """Reading each verdict back was too much, so that it is done once a session.

        A check was then found to add so many percent to a launch, so that one launch in ``period`` is checked.
        """
        self._tried_percent = cost_percent
        self.settings = self.settings.model_copy(update={"period": period})

    def tested(self, problem: str, residual_share: float) -> None:
        """A self-test ended; ``residual_share`` is a good launch's largest residual in shares of its bound."""
        self._tests += 1
        self._test_problem = self._test_problem or problem
        before = self._residual_share  # max() would not do: max(0.0, nan) is 0.0
        self._residual_share = before if math.isnan(before) or residual_share <= before else residual_share

    def checked(self, launch_ns: int, check_ns: int, *, number: int = 0, lines: Lines | None = None) -> None:
        """Launch ``number`` was checked, at these lines where they were drawn."""
        self.numbers.append(number)
        if lines is not None:
            self._lines.append(lines)
        self._launch_ns.append(launch_ns)
        self._check_ns.append(check_ns)

    def alarmed(self, *, real: bool, text: str) -> None:
        """The last check found a bad row: a wrong result, or a false alarm."""
        if real:
            self._detections.append(text)
        else:
            self._false_alarms += 1

    def evidence(self) -> GuardEvidence:
        """The evidence; without a check, or with a self-test that failed, it cannot pass."""
        shares = [100.0 * check / launch for launch, check in zip(self._launch_ns, self._check_ns, strict=True)]
        middle = statistics.median(shares) if shares else float("nan")
        low, high = median_interval(shares)
        total = sum(self._launch_ns)
        period, sampled = self.settings.period, self.settings.mode == "sampled"
        rows, columns = self.settings.lines(*self.shape)
        return GuardEvidence(
            overhead_percent=middle / period,
            overhead_low_percent=low / period,
            overhead_high_percent=high / period,
            overhead_per_check_percent=middle,
            overhead_amortised_percent=100.0 * sum(self._check_ns) / total / period if total else float("nan"),
            overhead_worst_percent=max(shares, default=float("nan")),
            spikes=sum(share > SPIKE * middle for share in shares),
            false_positive_rate=self._false_alarms / len(shares) if shares else float("nan"),
            false_alarms=self._false_alarms,
            detections=tuple(self._detections),
            disable_events=1 if self._test_problem or not self._tests else 0,
            disable_reason=self._test_problem or (None if self._tests else "the guard was never tested"),
            checks=len(shares),
            period=period,
            self_tests=self._tests,
            residual_share=self._residual_share,
            check_ns=tuple(self._check_ns),
            mode=self.settings.mode,
            row_samples=rows if sampled else 0,
            col_samples=columns,
            projections=self.settings.projections,
            coverage_percent=100.0 * self.settings.coverage(*self.shape),
            checked_launches=tuple(self.numbers),
            drawn_rows=tuple(lines.rows for lines in self._lines),
            drawn_columns=tuple(lines.columns for lines in self._lines),
            tried_percent=self._tried_percent,
            chained=self._tried_percent is not None,
        )
