"""What tuning found, as records that cross a process or a file, and the rule by which a candidate wins. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, StrictInt, ValidationError, model_validator

from pytest_weekops.core.measurement.catalog import KernelEntry
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.record import Record
from pytest_weekops.core.selection.tuning_space import why_illegal

MARGIN = 0.02  # a candidate must be faster than the shipped default by more than this
LEAST_ROUNDS = 3  # fewer ratios give no interval that could convince anybody
MOST_ROUNDS = 30
# Student's t at 97.5 %, by degrees of freedom; from the last on the normal's would be less by 0.09 only.
_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11)
_STUDENT_BEYOND = 2.10

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Mode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Text = Annotated[str, Field(max_length=2000)]
Defines = Annotated[dict[str, StrictInt], Field(max_length=16)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Size = Annotated[int, Field(gt=0, le=1 << 20)]


class DriverKey(Record):
    """Whose tuning it is: all of this must be the same for it to be used. ``platform_name`` tells people."""

    library_sha256: Sha256
    platform_name: Text
    device_name: Text
    hardware: Text
    driver_version: Text

    @classmethod
    def of(cls, identity: DeviceIdentity) -> DriverKey | None:
        """The key of a device that answers; None where its library is not known, so that nothing would identify it."""
        try:
            return cls.model_validate({name: getattr(identity, name) for name in cls.model_fields})
        except ValidationError:
            return None


class TunedVariant(Record):
    """Build parameters in force for one variant, with the hash of the source that they were found for."""

    variant: Mode
    kernel_sha256: Sha256
    defines: Defines


class ArmPrior(Record):
    """What T3 may know of a variant before it tried it: milliseconds of one launch by size."""

    variant: Mode
    expected_ms: Annotated[dict[Size, Positive], Field(max_length=64)] = Field(default_factory=dict)


class Rejected(TunedVariant):
    """A candidate that took its worker down: not tried again for this driver and this source."""

    status: Literal["crashed", "hung"]
    signal: Text = ""
    phase: Text = ""
    reason: Text = ""


class Decision(Record):
    """Whether a candidate wins: the geometric mean of default time / candidate time over rounds, and its 95 % interval.

    ``reason`` says it in words. An interval that cannot be had is (0, None).
    """

    wins: bool
    ratio: Positive | None = None
    low: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    high: Positive | None = None
    rounds: int = 0
    reason: Text = ""


class VariantTuning(Record):
    """What one search found. ``defines`` is empty where the default was kept.

    ``expected_ms`` are the medians of one launch at each size of what is in force from here on. ``tried`` counts
    candidates by how they ended. ``command`` and ``made_at`` say how and when it was found.
    """

    variant: Mode
    kernel_sha256: Sha256
    outcome: Literal["tuned", "default kept"]
    defines: Defines = Field(default_factory=dict)
    decision: Decision
    sizes: Annotated[tuple[Size, ...], Field(max_length=64)]
    expected_ms: Annotated[dict[Size, Positive], Field(max_length=64)] = Field(default_factory=dict)
    tried: Annotated[dict[Text, StrictInt], Field(max_length=16)] = Field(default_factory=dict)
    made_at: Text
    command: Annotated[tuple[Text, ...], Field(max_length=256)] = ()

    @model_validator(mode="after")
    def _is_earned(self) -> VariantTuning:
        """A file cannot say that a candidate won which its own numbers do not carry."""
        if (self.outcome == "tuned") != bool(self.defines):
            raise ValueError(f"{self.variant} is {self.outcome} with {len(self.defines)} values")
        found = self.decision
        ratio = found.ratio or 0.0
        enough = found.rounds >= LEAST_ROUNDS and ratio > 1.0 + MARGIN and 1.0 < found.low <= ratio
        if self.outcome == "tuned" and not (found.wins and enough):
            raise ValueError(f"{self.variant} is called tuned at a ratio of {ratio:g} [{found.low:g}, ...]")
        return self


class TuningFile(Record):
    """One driver on one machine: what was found per variant, and which candidates took a worker down."""

    version: Literal[1] = 1
    driver: DriverKey
    variants: Annotated[dict[Mode, VariantTuning], Field(max_length=256)] = Field(default_factory=dict)
    rejected: Annotated[tuple[Rejected, ...], Field(max_length=4096)] = ()

    @model_validator(mode="after")
    def _keys_are_names(self) -> TuningFile:
        if wrong := [key for key, found in self.variants.items() if found.variant != key]:
            raise ValueError(f"{wrong[0]} is filed under another name")
        return self

    def with_variant(self, found: VariantTuning) -> TuningFile:
        """The file with this search's result; rejections that belong to another source of the variant are dropped."""
        kept = tuple(r for r in self.rejected if r.variant != found.variant or r.kernel_sha256 == found.kernel_sha256)
        return self.model_copy(update={"variants": {**self.variants, found.variant: found}, "rejected": kept})

    def with_rejected(self, rejected: Rejected) -> TuningFile:
        """The file with one more rejection."""
        same = [r for r in self.rejected if (r.variant, r.defines) != (rejected.variant, rejected.defines)]
        return self.model_copy(update={"rejected": (*same, rejected)})


class Kernel(Record):
    """A variant as a reader of a tuning file needs it: its entry and the hash of its whole source."""

    entry: KernelEntry
    sha256: str


def illegal_in(file: TuningFile, kernels: Mapping[str, Kernel], identity: DeviceIdentity) -> str:
    """What in a file of this driver no search could have written, or nothing: then nothing of the file is used.

    Values of a source that has changed since are not looked at; they are not used either.
    """
    named = [(found.variant, found.kernel_sha256, found.defines) for found in file.variants.values() if found.defines]
    named += [(rejected.variant, rejected.kernel_sha256, rejected.defines) for rejected in file.rejected]
    for variant, sha256, defines in named:
        kernel = kernels.get(variant)
        if kernel is None or kernel.sha256 != sha256:
            continue
        if problem := why_illegal(kernel.entry, defines, identity):
            return f"{variant}: {problem}"
    return ""


def decide(ratios: Sequence[float]) -> Decision:
    """Judge the rounds' ratios of default time to candidate time: t interval of their logarithms' mean.

    The candidate wins where the mean is above 1 by more than :data:`MARGIN` and the interval's lower end is above 1.
    A ratio that is not a positive finite number makes it lose.
    """
    rounds = len(ratios)
    if bad := [ratio for ratio in ratios if not (math.isfinite(ratio) and ratio > 0)]:
        return Decision(wins=False, rounds=rounds, reason=f"a round gave a ratio of {bad[0]}")
    if rounds < LEAST_ROUNDS:
        return Decision(wins=False, rounds=rounds, reason=f"{rounds} rounds are too few, {LEAST_ROUNDS} are needed")
    logs = [math.log(ratio) for ratio in ratios]
    mean = statistics.fmean(logs)
    t = _STUDENT[rounds - 2] if rounds - 2 < len(_STUDENT) else _STUDENT_BEYOND
    reach = t * statistics.stdev(logs) / math.sqrt(rounds)
    ratio, low, high = math.exp(mean), math.exp(max(mean - reach, -700.0)), math.exp(min(mean + reach, 700.0))
    spread = f"{ratio:.3f} [{low:.3f}, {high:.3f}] times as fast as the default over {rounds} rounds"
    if not ratio > 1.0 + MARGIN:
        spread += f", more than {1.0 + MARGIN:g} is needed"
    elif not low > 1.0:
        spread += ", the interval's lower end is not above 1"
    wins = ratio > 1.0 + MARGIN and low > 1.0
    return Decision(wins=wins, ratio=ratio, low=low, high=high, rounds=rounds, reason=spread)


def trial_order(arms: Sequence[str], priors: Sequence[ArmPrior], size: int) -> list[str]:
    """The arms in the order in which T3 should try them: those expected to be fastest at this size first.

    An arm known at other sizes only is expected to be as fast, in operations per time, as at the nearest one. Arms
    of which nothing is known keep their order behind the known ones.
    """
    expected = {prior.variant: _expected_ms(prior.expected_ms, size) for prior in priors if prior.expected_ms}
    return sorted(arms, key=lambda arm: expected.get(arm, math.inf))


def _expected_ms(known: Mapping[int, float], size: int) -> float:
    nearest = min(known, key=lambda other: abs(math.log(other / size)))
    return known[nearest] * (size / nearest) ** 3
