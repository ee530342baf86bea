"""How much two runs of one unchanged driver differ: the record of a calibration, and its figures. Pure.

A calibration holds one log ratio a snapshot, of a driver against itself. Its figures are kept beside the values so that
people and other programs can read them; a file whose figures are not those of its values is refused.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from pytest_weekops.core.record import Record

LEAST_SNAPSHOTS = 20  # with so many the standard deviation itself is known to one part in six
MOST_AGE_DAYS = 90
MOST_WORK = 4.0
MOST_LOG = 10.0  # a ratio of 22000 is no noise
_SAME = 1e-9

Text = Annotated[str, StringConstraints(max_length=1000)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Log = Annotated[float, Field(allow_inf_nan=False, ge=-MOST_LOG, le=MOST_LOG)]


@dataclass(frozen=True)
class Figures:
    """Of log ratios in snapshot order: mean, standard deviation, correlation of neighbours, and skewness."""

    mean: float
    sd: float
    lag1: float
    skewness: float


def figures(logs: Sequence[float]) -> Figures:
    """The figures of two log ratios or more. Where all are the same, nothing correlates and nothing is skewed.

    Raises ``ValueError`` for fewer than two, and for one that is not finite.
    """
    if len(logs) < 2 or not all(map(math.isfinite, logs)):
        raise ValueError(f"the figures of a calibration need two finite log ratios or more, not {list(logs)!s:.120}")
    mean = math.fsum(logs) / len(logs)
    off = [log - mean for log in logs]
    square = math.fsum(each * each for each in off)
    if min(logs) == max(logs) or square == 0.0:
        return Figures(mean, 0.0, 0.0, 0.0)
    sd = math.sqrt(square / (len(logs) - 1))
    lag1 = math.fsum(one * other for one, other in itertools.pairwise(off)) / square
    shape = math.fsum((each / sd) ** 3 for each in off) / len(off)
    return Figures(mean, sd, lag1, shape * (len(off) / (len(off) - 1)) ** 1.5)


class Power(Record):
    """Share of runs of six cells that see a slowdown, and 95 % of what other calibrations would give."""

    share: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)


class KnownSlowdown(Record):
    """One worker given ``work`` times the other's, through the depth of the product: log ratios as in its series.

    ``power``: how often a run would see it, were the limit where the unchanged driver is.
    """

    work: float = Field(gt=1, le=MOST_WORK, allow_inf_nan=False)
    logs: tuple[Log, ...] = Field(min_length=1, max_length=100_000)
    power: Power | None = None


class Loaded(Record):
    """The same driver against itself beside a busy loop: log ratios, and the attempts that were void."""

    logs: tuple[Log, ...] = Field(max_length=100_000)
    voids: int = Field(ge=0, strict=True)


class CalibratedSeries(Record):
    """One kernel at one size: ln(time of one worker / time of the other) of each snapshot, in order, and its figures.

    ``voids`` counts the attempts on which the host was too busy, beside the snapshots that count. ``kernel_sha256`` is
    the hash of the source of the ``variant`` that was launched. ``slowed`` and ``loaded`` decide nothing: what a run
    would see of a known slowdown, and how the same ratios look beside a busy loop.
    """

    kernel: Text
    variant: Text
    kernel_sha256: Sha256
    build_options: tuple[Text, ...] = Field(default=(), max_length=256)
    size: int = Field(gt=0, strict=True)
    logs: tuple[Log, ...] = Field(min_length=2, max_length=100_000)
    voids: int = Field(default=0, ge=0, strict=True)
    mean: Finite
    sd: float = Field(gt=0, allow_inf_nan=False)
    lag1: float = Field(gt=-1, lt=1)
    skewness: Finite
    made_at: datetime
    slowed: tuple[KnownSlowdown, ...] = Field(default=(), max_length=16)
    loaded: Loaded | None = None

    @model_validator(mode="after")
    def _figures_are_its_own(self) -> CalibratedSeries:
        """A spread decides what is certain: nobody may write a smaller one beside the values."""
        found = figures(self.logs)
        for name in ("mean", "sd", "lag1", "skewness"):
            said, is_so = getattr(self, name), getattr(found, name)
            if not math.isclose(said, is_so, rel_tol=_SAME, abs_tol=_SAME):
                raise ValueError(f"{self.kernel} at {self.size}: {name} is {is_so:.6g} by its values, not {said:.6g}")
        if self.made_at.tzinfo is None:
            raise ValueError(f"{self.kernel} at {self.size}: made_at has no time zone")
        return self

    @property
    def cell(self) -> tuple[str, int]:
        """Kernel mode and size."""
        return self.kernel, self.size

    @property
    def snapshots(self) -> int:
        """How many count."""
        return len(self.logs)

    @property
    def void_share(self) -> float:
        """Share of all attempts that were void."""
        return self.voids / (self.voids + len(self.logs))


class Calibration(Record):
    """A driver against itself on one host: ``host`` and ``hardware`` as in its identity, the driver by its library."""

    version: Literal[1] = 1
    platform: Text
    platform_name: Text
    driver_version: Text = ""
    library_sha256: Sha256
    host: Text
    hardware: Text
    session_ms: float = Field(gt=0, allow_inf_nan=False)
    max_run_delay_percent: float | None = Field(default=None, gt=0, le=100)
    series: tuple[CalibratedSeries, ...] = Field(min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _each_cell_once(self) -> Calibration:
        cells = [each.cell for each in self.series]
        if twice := [cell for cell in cells if cells.count(cell) > 1]:
            raise ValueError(f"{twice[0][0]} at {twice[0][1]} stands there twice")
        return self

    @property
    def key(self) -> tuple[str, str, str]:
        """Host, hardware and driver: what a calibration is of."""
        return self.host, self.hardware, self.library_sha256


class CalibrationRecord(Record):
    """What a run found of a platform's calibration when it began: the series of that driver on that host."""

    type: Literal["calibration"] = "calibration"
    platform: Text
    series: tuple[CalibratedSeries, ...] = Field(max_length=1000)


def stale(series: CalibratedSeries, kernel_sha256: str | None, now: datetime) -> str:
    """Why a series does not count for a run of that kernel at that time, or nothing.

    None where it is not known yet which source will be launched.
    """
    if series.snapshots < LEAST_SNAPSHOTS:
        return f"it has {series.snapshots} snapshots, and {LEAST_SNAPSHOTS} are needed"
    if kernel_sha256 is not None and series.kernel_sha256 != kernel_sha256:
        return "it was made with another kernel source"
    days = (now - series.made_at).total_seconds() / 86400.0  # at the end of time no zone can be changed
    if days < -1:
        return f"it is dated {series.made_at:%Y-%m-%d}, which is yet to come"
    return f"it is {days:.0f} days old, and {MOST_AGE_DAYS} are the most" if days > MOST_AGE_DAYS else ""
