"""How a T5 guard checks: every row, or a few rows and columns drawn per check; and what share of faults it looks at."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pytest_weekops.core.policy.policy import GuardRules
from pytest_weekops.core.record import Record

Mode = Literal["full", "sampled"]


class GuardSettings(Record):
    """What a run's guard, and a fault campaign's, is set to; two guards are alike where these are equal.

    Every ``period``-th launch is checked. Without samples every row is, against ``z`` standard deviations of a good
    row's residual, with ``projections`` sign vectors in turn. With samples, ``row_samples`` rows and ``col_samples``
    columns are drawn anew for each check, each is summed with every sign vector, and a line is good up to
    ``max(residual_floor, scale * sd + residual_margin)``, scale being ``residual_scale`` or, without one, ``z``.
    """

    period: int = Field(default=1, ge=1)
    projections: int = Field(default=1, ge=1, le=64)
    z: float = Field(default=8.0, gt=0, le=1000, allow_inf_nan=False)
    row_samples: int = Field(default=0, ge=0)
    col_samples: int = Field(default=0, ge=0)
    residual_scale: float | None = Field(default=None, gt=0, le=1000, allow_inf_nan=False)
    residual_margin: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    residual_floor: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)

    @property
    def mode(self) -> Mode:
        """``sampled`` where lines are drawn, else ``full``."""
        return "sampled" if self.row_samples or self.col_samples else "full"

    @property
    def scale(self) -> float:
        """Standard deviations in a sampled line's threshold."""
        return self.z if self.residual_scale is None else self.residual_scale

    def lines(self, m: int, n: int) -> tuple[int, int]:
        """How many rows and columns of C (m x n) a check looks at; every row and no column at full coverage."""
        if self.mode == "full":
            return m, 0
        return min(self.row_samples, m), min(self.col_samples, n)

    def coverage(self, m: int, n: int) -> float:
        """The chance that one wrong element, anywhere in one launch's C (m x n), lies on a line that is checked."""
        rows, columns = self.lines(m, n)
        return (1.0 - (1.0 - rows / m) * (1.0 - columns / n)) / self.period

    @property
    def words(self) -> str:
        """In a few words, for people."""
        every = "every launch" if self.period == 1 else f"one launch in {self.period}"
        if self.mode == "full":
            return f"full coverage of {every}"
        return f"sampled: {self.row_samples} rows and {self.col_samples} columns of {every}"


def settings_of(rules: GuardRules) -> GuardSettings:
    """The guard that a policy asks for; what only a sampled guard uses is left out at full coverage."""
    full = GuardSettings(period=rules.sampling_period, projections=rules.projection_count, z=rules.z)
    if rules.row_samples is None and rules.col_samples is None:
        return full
    return full.model_copy(
        update={
            "row_samples": rules.row_samples or 0,
            "col_samples": rules.col_samples or 0,
            "residual_scale": rules.residual_scale,
            "residual_margin": rules.residual_margin or 0.0,
            "residual_floor": rules.residual_floor or 0.0,
        }
    )
