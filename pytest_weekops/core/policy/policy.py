"""The policy: every limit a verdict rests on, as data, with the hash that names it.

Numbers are checked for being finite here; what a limit may be (above zero, a row that can match) is checked where a
YAML policy is read, so that an older JSON policy with odd limits still judges as it always did.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pytest_weekops.core.policy.defaults import SEVERITY_LEVELS, SEVERITY_OF_CHECK

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.plan import CampaignPlan


class PolicyPart(BaseModel):
    """Base of every section: frozen, unknown keys refused, numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Scope(PolicyPart):
    """What the policy speaks of; an empty list means any."""

    kinds: tuple[Literal["canonical", "weekly", "split"], ...] = ("canonical", "weekly", "split")
    kernels: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    platform: str = ""


class Guardrails(PolicyPart):
    """Limits over the whole campaign. Errors are absolute, rates shares of one, overheads and drifts percent.

    ``max_k_scaled_error`` is in the operation's rounding unit: ``2**-24 * k * scale(A) * scale(B)`` for GEMM. The
    absolute one bounds GEMM alone.
    """

    minimum_snapshots: float = 2
    max_correctness_error: float | None = 0.001
    max_k_scaled_error: float = 12.0
    max_t3_fallback_rate: float = 0.08
    max_t5_disable_events_total: float = 0
    max_t5_overhead_percent: float = 3.0
    t5_overhead_from_size: int = 1
    max_t5_false_positive_rate: float = 0.05
    max_abs_throughput_drift_percent: float = 3.0
    max_throughput_deviation_percent: float = 8.0
    max_p95_drift_percent: float | None = 8.0
    drift_reason: str = ""


class GuardRules(PolicyPart):
    """How the T5 guard samples, and when it counts as disabled. Overheads are percent, rates shares of one.

    Every ``sampling_period``-th launch is checked, at every row unless ``row_samples`` or ``col_samples`` ask for a few
    lines drawn per check; the ``residual_*`` keys then make the thresholds. Margin and floor are in units of C and at
    most 1, the smallest fault that the older campaigns planted: beyond it a guard could not see what it is for.
    """

    sampling_period: int = Field(default=1, ge=1)
    projection_count: int = Field(default=1, ge=1, le=64)
    z: float = Field(default=8.0, gt=0, le=1000)
    row_samples: int | None = Field(default=None, ge=1)
    col_samples: int | None = Field(default=None, ge=1)
    residual_scale: float | None = Field(default=None, gt=0, le=1000)
    residual_margin: float | None = Field(default=None, ge=0, le=1)
    residual_floor: float | None = Field(default=None, ge=0, le=1)
    max_overhead_soft_percent: float = 3.0
    max_overhead_hard_percent: float = 5.0
    max_false_positive_rate: float = 0.05
    max_correctness_error: float | None = Field(default=None, gt=0)
    overhead_violations: int = Field(default=3, ge=1)
    alarm_violations: int = Field(default=1, ge=1)
    clean_to_enable: int = Field(default=3, ge=1)
    min_critical_recall: float | None = Field(default=None, gt=0, le=1)
    min_uniform_recall: float | None = Field(default=None, gt=0, le=1)
    max_recall_age_days: float = Field(default=7.0, gt=0)


class SelectorRules(PolicyPart):
    """How T3 explores and when it gives up. Shares of one; ``static_arm`` empty means what ``auto`` takes."""

    static_arm: str = ""
    epsilon: float = Field(default=0.04, ge=0, le=1)
    warmup_launches: int = Field(default=2, ge=1)
    exploration_launches: int = Field(default=12, ge=0)
    min_gain: float = Field(default=0.03, ge=0)
    max_slowdown: float = Field(default=0.07, ge=0)
    max_fallback_rate: float = Field(default=0.08, ge=0)
    least_decisions: int = Field(default=3, ge=1)
    freeze_sizes: tuple[int, ...] = ()


class Row(PolicyPart):
    """Floor and ceiling of one ``kernel:size``, or the words that waive them.

    The floor is in the unit its operation is judged in: GFLOPS, or GB/s where memory bounds it.
    """

    min_avg_gflops: float | None = None
    min_avg_gbs: float | None = None
    max_p95_time_ms: float | None = None
    waiver: str = ""
    notes: str = ""

    @property
    def has_limit(self) -> bool:
        """Whether it bounds anything, in whatever unit."""
        return any(limit is not None for limit in (self.min_avg_gflops, self.min_avg_gbs, self.max_p95_time_ms))


class Floors(PolicyPart):
    """What holds for cells without a row: a waiver in words, until a pinned baseline supplies floors."""

    waiver: str = ""
    min_share_of_baseline_gflops: float = 0.95
    max_share_of_baseline_p95: float = 1.08
    max_baseline_age_days: float = 180.0


class Evidence(PolicyPart):
    """How much evidence a number needs before it counts (live runs, which keep their launches).

    ``min_confidence`` is the sign test's: a floor or ratio has to hold in so many of the snapshots, not on the mean
    alone. 0.5 is a majority.
    """

    min_p95_launches: int = 59
    flag_p95_launches: int = 100
    min_confidence: float = Field(default=0.5, ge=0.5, lt=1)


class HostRules(PolicyPart):
    """How still the host must be around a measurement, in percent; one that moved is void and taken again.

    ``max_attempts`` is how often a case is measured before it is inconclusive.
    """

    max_pace_change_percent: float = Field(default=40.0, gt=0)
    max_anchor_change_percent: float = Field(default=20.0, gt=0)
    max_steal_percent: float = Field(default=5.0, gt=0)
    max_attempts: int = Field(default=5, ge=1, le=10)


class SplitRules(PolicyPart):
    """What the candidate owes the baseline: least throughput ratio, and most ratio of candidate p95 / baseline p95."""

    baseline: str = "clover"
    candidate: str = "rusticl"
    min_ratio: float = 0.85
    max_latency_ratio: float = 1.25
    required_sizes: tuple[int, ...] = ()


class CampaignRules(PolicyPart):
    """The older campaigns' own rules, applied snapshot by snapshot while they ran."""

    minimum_snapshots: float = 2
    max_correctness_error: float = 0.001
    max_t3_fallback_rate: float = 0.08
    max_t5_disable_events: float = 0
    max_t5_false_positive_rate: float = 0.05
    max_t5_overhead_hard_percent: float = 5.0
    max_t5_overhead_soft_percent: float = 3.0
    soft_streak_limit: int = 2
    min_throughput_change_percent: float = -8.0
    max_p95_change_percent: float = 15.0
    max_abs_drift_percent: float = 10.0
    min_peak_ratio: float = 0.80


class SeverityLevel(PolicyPart):
    """What one severity asks of whom, and how soon: within a year, and of somebody."""

    within_minutes: int = Field(ge=0, le=525_600)
    action: str
    owner: str

    @field_validator("action", "owner")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("must say something, because it is what somebody on call reads")
        return text


class SeverityTable(PolicyPart):
    """Severity of each check that does not pass, and what each level asks for. A check not listed is ``unlisted``.

    Where evidence is missing or inconclusive, no finding is graver than ``no_data`` or ``inconclusive``.
    """

    levels: dict[Annotated[int, Field(ge=1, le=4)], SeverityLevel] = Field(
        default_factory=lambda: {level: SeverityLevel.model_validate(facts) for level, facts in SEVERITY_LEVELS.items()}
    )
    checks: dict[str, int] = Field(default_factory=lambda: dict(SEVERITY_OF_CHECK))
    unlisted: int = 2
    no_data: int = 2
    inconclusive: int = 3


class RollbackStep(PolicyPart):
    """One step of the user's own: an argument list, run without a shell, and its time limit in seconds."""

    argv: tuple[str, ...] = Field(min_length=1)
    timeout_s: float = Field(default=60.0, gt=0)


class Rollback(PolicyPart):
    """Whether SEV1 switches back by itself, and the user's own steps."""

    mode: Literal["never", "plan", "auto"] = "plan"
    steps: tuple[RollbackStep, ...] = ()


class Policy(PolicyPart):
    """A whole policy, resolved: nothing is inherited any more."""

    version: Literal[1] = 1
    policy_id: str = Field(min_length=1)
    description: str = ""
    scope: Scope = Scope()
    guardrails: Guardrails = Guardrails()
    rows: dict[str, Row] = Field(default_factory=dict)
    floors: Floors = Floors()
    guard: GuardRules = GuardRules()
    selector: SelectorRules = SelectorRules()
    evidence: Evidence = Evidence()
    host: HostRules = HostRules()
    split: SplitRules = SplitRules()
    campaign: CampaignRules = CampaignRules()
    severity: SeverityTable = Field(default_factory=SeverityTable)
    rollback: Rollback = Rollback()
    notes: dict[str, str] = Field(default_factory=dict)

    def effective(self) -> dict[str, Any]:
        """Every key with its value in force, as strict JSON data; ``Policy.model_validate`` reads it back."""
        return self.model_dump(mode="json")

    @cached_property
    def sha256(self) -> str:
        """Hash of the effective policy: two policies with the same limits and words have the same hash."""
        text = json.dumps(self.effective(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def max_abs_error(self) -> float | None:
        """Largest absolute error a result may have, where the policy states one."""
        return self.guardrails.max_correctness_error

    @property
    def k_scaled_bound(self) -> float:
        """Largest K-scaled error a result may have."""
        return self.guardrails.max_k_scaled_error

    @property
    def demanded_rows(self) -> dict[str, Row]:
        """The rows that must be measured: those with a floor or a ceiling."""
        return {key: row for key, row in self.rows.items() if row.has_limit}

    def covers(self, key: str) -> str:
        """How a ``kernel:size`` is covered: ``row``, ``waiver``, ``floors`` (waived for all), or nothing."""
        if key in self.demanded_rows:
            return "row"
        if key in self.rows and self.rows[key].waiver:
            return "waiver"
        return "floors" if self.floors.waiver else ""

    def refuses(self, plan: CampaignPlan) -> str:
        """A sentence where this policy cannot judge the plan at all, or nothing."""
        if plan.kind not in self.scope.kinds:
            return (
                f"Policy {self.policy_id} is for {', '.join(self.scope.kinds)} runs, this one is {plan.kind}. "
                "Its limits were not meant for it. Give another --policy."
            )
        if plan.kind == "canonical":
            return ""
        labels = {label.split("@", 1)[0].lower() for label in plan.platforms}
        if self.scope.platform and self.scope.platform.lower() not in labels:
            return (
                f"Policy {self.policy_id} is for {self.scope.platform}, this run measures {', '.join(plan.platforms)}. "
                "Floors of one driver say nothing about another. Give another --policy or select that platform."
            )
        bare = [f"{k}:{n}" for k in plan.kernels for n in plan.sizes if not self.covers(f"{k}:{n}")]
        if bare:
            return (
                f"Policy {self.policy_id} has neither a row nor a waiver for {', '.join(bare)}. What no limit speaks "
                "of cannot be promoted. Add rows, waive them in words, or measure what the policy covers: "
                f"{', '.join(self.rows) or 'nothing'}."
            )
        return ""
