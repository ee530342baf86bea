"""What a guard cost and found in one measurement, from its checks alone. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from pytest_weekops.core.records import GuardEvidence
from pytest_weekops.core.stats import median_interval

SPIKE = 3.0  # a check that took this many times the median share of its launch counts as a spike


@dataclass
class GuardTally:
    """Collects checks; ``period`` is how many launches there are to a check."""

    period: int = 1
    _launch_ns: list[int] = field(default_factory=list)
    _check_ns: list[int] = field(default_factory=list)
    _false_alarms: int = 0
    _detections: list[str] = field(default_factory=list)
    _tests: int = 0
    _test_problem: str = ""
    _residual_share: float = 0.0

    def tested(self, problem: str, residual_share: float) -> None:
        """A self-test ended; ``residual_share`` is a good launch's largest residual in shares of its bound."""
        self._tests += 1
        self._test_problem = self._test_problem or problem
        # Written so that NaN stays.
        self._residual_share = max(self._residual_share, residual_share)

    def checked(self, launch_ns: int, check_ns: int) -> None:
        """A launch was checked."""
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
        return GuardEvidence(
            overhead_percent=middle / self.period,
            overhead_low_percent=low / self.period,
            overhead_high_percent=high / self.period,
            overhead_per_check_percent=middle,
            overhead_amortised_percent=100.0 * sum(self._check_ns) / total / self.period if total else float("nan"),
            overhead_worst_percent=max(shares, default=float("nan")),
            spikes=sum(share > SPIKE * middle for share in shares),
            false_positive_rate=self._false_alarms / len(shares) if shares else float("nan"),
            false_alarms=self._false_alarms,
            detections=tuple(self._detections),
            disable_events=1 if self._test_problem or not self._tests else 0,
            disable_reason=self._test_problem or (None if self._tests else "the guard was never tested"),
            checks=len(shares),
            period=self.period,
            self_tests=self._tests,
            residual_share=self._residual_share,
            check_ns=tuple(self._check_ns),
        )
