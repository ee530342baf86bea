"""What ``weekops inject`` and ``suites/inject`` share: amounts, demands, the record on disk, the figures in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pytest_weekops.core.binomial import clopper_pearson
from pytest_weekops.core.guard.injection import Demands, FaultRecall, Injection, InjectionRecord
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.numbers import two_digits
from pytest_weekops.core.policy.policy import GuardRules
from pytest_weekops.evidence.injections import write_injection

FLIPS_PER_BIT, FAULTS = 200, 20
CLEAN_UNTIL = 700  # sizes up to this get ten times the launches without a fault: they are quick
CLEAN_SMALL, CLEAN_LARGE = 3000, 300


def clean_launches(size: int) -> int:
    """Launches without a fault that a campaign at this size makes, and that are demanded of it."""
    return CLEAN_SMALL if size <= CLEAN_UNTIL else CLEAN_LARGE


def demands_at(size: int, rules: GuardRules, *, critical: float | None = None, uniform: float | None = None) -> Demands:
    """What a campaign must show: the recalls named, else the policy's, else every critical flip."""
    critical = critical if critical is not None else rules.min_critical_recall
    uniform = uniform if uniform is not None else rules.min_uniform_recall
    return Demands(
        critical_recall=1.0 if critical is None else critical,
        uniform_recall=0.0 if uniform is None else uniform,
        least_clean=clean_launches(size),
    )


def keep(report_dir: Path, label: str, identity: DeviceIdentity, result: Injection) -> Path:
    """Write a campaign where runs with this report directory find it."""
    record = InjectionRecord(
        platform=label,
        library_sha256=identity.library_sha256,
        hardware=identity.hardware,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        result=Injection.model_validate(result.model_dump(exclude={"type"})),
    )
    return write_injection(report_dir, record)


def render(label: str, identity: DeviceIdentity, result: Injection, missing: Sequence[str]) -> Iterator[str]:
    """The figures as lines; a sampled guard's stand beside what it looks at."""
    guard, n = result.guard, result.size
    yield f"{label} ({identity.device_name}), {result.variant}, n = {n}, {_threshold(guard)}"
    if guard != GuardSettings(z=guard.z):
        share = 100 * guard.coverage(n, n)
        yield f"  {guard.words}; a single wrong element is looked at with a chance of {share:.3g} %"
    looked_at = () if result.looked_at is None else (result.looked_at,)
    for recall in (result.exponent_and_sign, result.critical, *looked_at, result.uniform, *result.faults):
        yield f"  {recall.name:<36} {_share(recall)}"
    if guard.period > 1:
        share = result.per_launch(result.critical.caught / max(result.critical.tried, 1))
        yield f"  {'critical flips in any launch':<36} {100 * share:.3g} %: one launch in {guard.period} is checked"
    partly = [bit for bit in result.bits if bit.tried and 0 < bit.caught < bit.tried]
    if partly and guard.mode == "full":
        words = ", ".join(f"{bit.bit}: {100 * bit.caught / bit.tried:.0f} %" for bit in partly)
        yield f"  {'bits caught in part':<36} {words}"
    upper = 100 * clopper_pearson(result.false_alarms, result.clean_launches)[1]
    yield (
        f"  {'false alarms':<36} {result.false_alarms}/{result.clean_launches}, at most {two_digits(upper)} % (95 %); "
        f"largest residual {result.largest_residual_share:.2g} of its threshold"
    )
    for text in missing:
        yield f"  NOT ENOUGH: {text}"


def _threshold(guard: GuardSettings) -> str:
    if guard.mode == "full":
        return f"z = {guard.z:g}"
    return f"threshold max({guard.residual_floor:g}, {guard.scale:g} sd + {guard.residual_margin:g})"


def _share(recall: FaultRecall) -> str:
    if not recall.tried:
        return "none planted"
    low, high = clopper_pearson(recall.caught, recall.tried)
    percent = 100 * recall.caught / recall.tried
    return f"{recall.caught}/{recall.tried} = {percent:.2f} % [{100 * low:.2f}, {100 * high:.2f}]"
