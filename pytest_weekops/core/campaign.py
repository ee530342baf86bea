"""A campaign in normal form: what the judge is given, whether it was measured here or recorded by somebody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from pytest_weekops.core.plan import CampaignPlan
from pytest_weekops.core.records import Case, DeviceIdentity, GateRecord, Measurement, PressureRecord, Record

CampaignKind = Literal["canonical", "weekly", "split", "canary_campaign", "stress_split"]


class BaselineRow(Record):
    """What one ``kernel:size`` did in the pinned run; ``anchor_ms`` is the host anchor beside it, where there was one."""

    gflops: float = Field(gt=0, allow_inf_nan=False)
    median_ms: float = Field(gt=0, allow_inf_nan=False)
    p95_ms: float = Field(gt=0, allow_inf_nan=False)
    anchor_ms: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    launches: int = 0


class Baseline(Record):
    """The pinned run of one device: profile label and hardware name it, the driver version on purpose does not."""

    version: Literal[1] = 1
    profile: str
    hardware: str
    run_id: str
    created_at: str
    source_sha256: str
    policy_sha256: str = ""
    max_age_days: float | None = None
    rows: dict[str, BaselineRow]

    def fits(self, identity: DeviceIdentity) -> bool:
        """Whether this baseline speaks of that device."""
        return (self.profile, self.hardware) == (identity.profile, identity.hardware)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a campaign. ``metrics`` are as recorded: any key may be absent and any value anything.

    ``platform`` is what was asked for, ``answered`` what answered. ``measurement`` is there in live runs only.
    """

    number: int
    status: str
    platform: str
    kernel: str
    size: int
    seed: int | None
    snapshot: int | None
    metrics: Mapping[str, Any]
    answered: str | None = None
    device: str | None = None
    void: bool = False
    flaky: bool = False
    reason: str = ""
    measurement: Measurement | None = None

    @property
    def key(self) -> str:
        """The policy row this run feeds."""
        return f"{self.kernel}:{self.size}"

    @property
    def name(self) -> str:
        """A name for people."""
        parts = (self.platform, self.kernel, self.size, f"seed {self.seed}", f"snapshot {self.snapshot}")
        return " ".join(str(part) for part in parts if not str(part).endswith("None"))


@dataclass(frozen=True, slots=True)
class Pulse:
    """Pressure pulses of one snapshot or seed; numbers as recorded."""

    requested: Any
    completed: Any
    failures: Any
    snapshot: Any = None
    platform: str = ""


@dataclass(frozen=True)
class Campaign:
    """Runs in the order they were recorded, with everything around them that a rule speaks of.

    ``plan`` and ``gates`` are there in live campaigns only; ``defects`` are sentences about what could not be read.
    """

    kind: CampaignKind
    runs: tuple[Run, ...]
    pressure: tuple[Pulse, ...] = ()
    gates: tuple[GateRecord, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    identities: Mapping[str, DeviceIdentity] = field(default_factory=dict)
    baselines: tuple[Baseline, ...] = ()
    baseline_runs: tuple[Run, ...] | None = None
    rollback_event: Any = None
    plan: CampaignPlan | None = None
    defects: tuple[str, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether the raw samples are here."""
        return self.plan is not None

    @property
    def ok_runs(self) -> tuple[Run, ...]:
        """Runs that ended ok and were not void."""
        return tuple(run for run in self.runs if run.status == "ok" and not run.void)


def live_campaign(
    plan: CampaignPlan,
    records: Sequence[Measurement | PressureRecord | GateRecord],
    *,
    identities: Mapping[str, DeviceIdentity],
    baseline: Baseline | Sequence[Baseline] | None = None,
) -> Campaign:
    """Bring the records of a live run into normal form. Never raises on data."""
    from pytest_weekops.core.metrics import live_run

    baselines = (baseline,) if isinstance(baseline, Baseline) else tuple(baseline or ())
    measured = [record for record in records if isinstance(record, Measurement)]
    return Campaign(
        kind=plan.kind,
        runs=tuple(live_run(number, record, identities) for number, record in enumerate(measured, start=1)),
        pressure=tuple(_pulse(record) for record in records if isinstance(record, PressureRecord)),
        gates=tuple(record for record in records if isinstance(record, GateRecord)),
        identities=dict(identities),
        baselines=baselines,
        plan=plan,
    )


def _pulse(record: PressureRecord) -> Pulse:
    return Pulse(
        requested=record.requested,
        completed=record.completed,
        failures=record.failures,
        snapshot=record.snapshot,
        platform=record.platform,
    )


def missing_cases(campaign: Campaign) -> tuple[Case, ...]:
    """Planned cases of a live campaign that have no measurement that counts."""
    if campaign.plan is None or campaign.kind == "canonical":
        return ()
    seen = {run.measurement.case for run in campaign.runs if run.measurement is not None and not run.void}
    return tuple(case for case in campaign.plan.all_cases() if case not in seen)
