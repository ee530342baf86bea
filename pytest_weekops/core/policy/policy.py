"""The policy: every limit a verdict rests on, as data, with the hash that names it.

Numbers are checked for being finite here; what a limit may be (``bounds.py``, a row that can match) is checked where a
YAML policy is read and before a live run, so that an older JSON policy with odd limits still judges recorded files as
it always did.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator

from pytest_weekops.core.policy.bounds import LEAST_RATIO, beyond
from pytest_weekops.core.policy.conformance_rules import ConformanceRules
from pytest_weekops.core.policy.defaults import SEVERITY_LEVELS, SEVERITY_OF_CHECK
from pytest_weekops.core.policy.history_rules import HistoryRules
from pytest_weekops.core.policy.part import PolicyPart as PolicyPart  # noqa: PLC0414 - others know it from here

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.plan import CampaignPlan


class Scope(PolicyPart):
    """What the policy speaks of; an empty list means any."""

    #: kinds of campaign it may judge
    kinds: tuple[Literal["canonical", "weekly", "split"], ...] = ("canonical", "weekly", "split")
    #: kernels it covers, each at every size of `sizes`: that needs a row or a waiver. Empty: any
    kernels: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()  #: sizes it covers. Empty: any
    platform: str = ""  #: the platform its floors are for; runs on others are refused or block. Empty: any


class Guardrails(PolicyPart):
    """Limits over the whole campaign. Errors are absolute, rates shares of one, overheads and drifts percent.

    ``max_k_scaled_error`` is in the operation's rounding unit: ``2**-24 * k * scale(A) * scale(B)`` for GEMM. The
    absolute one bounds GEMM alone.
    """

    minimum_snapshots: float = 2  #: `minimum_snapshots`: snapshots with an ok run in every row, counted from runs
    #: `correctness_error_bound`: largest absolute error of an element of GEMM; `null`: the scaled bound alone
    max_correctness_error: float | None = 0.001
    #: [rounding units] the same, in the operation's rounding units: `2**-24 * k * scale(A) * scale(B)` for GEMM (live
    #: runs)
    max_k_scaled_error: float = 12.0
    #: [share] `t3_fallback_bound`: share of fallbacks. Certainly more fails, as does a disabled selector; more by the
    #: count alone leaves a live run open
    max_t3_fallback_rate: float = 0.08
    max_t5_disable_events_total: float = 0  #: `t5_disable_events_total_bound`
    max_t5_overhead_percent: float = 3.0  #: `t5_overhead_bound`
    t5_overhead_from_size: int = 1  #: from which size on a live run's overhead is bounded; below, it is reported
    #: [share] `t5_false_positive_bound` (in live runs part of `t5_overhead_bound`)
    max_t5_false_positive_rate: float = 0.05
    #: `throughput_drift_abs_bound`: fall along the robust trend over the window
    max_abs_throughput_drift_percent: float = 3.0
    #: the same check: fall of any one snapshot but the first below the median. In a recorded file two snapshots may not
    #: both fall further than the trend may
    max_throughput_deviation_percent: float = 8.0
    max_p95_drift_percent: float | None = 8.0  #: `p95_drift_bound`; `null` waives it
    drift_reason: str = ""  #: why these drift limits; shown where one is waived


class GuardRules(PolicyPart):
    """How the T5 guard samples, and when it counts as disabled. Overheads are percent, rates shares of one.

    Every ``sampling_period``-th launch is checked, at every row unless ``row_samples`` or ``col_samples`` ask for a few
    lines drawn per check; the ``residual_*`` keys then make the thresholds. Margin and floor are in units of C and at
    most 1, the smallest fault that the older campaigns planted: beyond it a guard could not see what it is for.
    """

    #: launches to a check, counted across sessions; 1: every launch is checked
    sampling_period: int = Field(default=1, ge=1)
    #: most launches to a check, where checking one in `sampling_period` would cost more than the guardrail
    #: `max_t5_overhead_percent`: the guard then checks one in p, drawn at random, p the smallest that keeps it. No more
    #: than `sampling_period`: it never checks less
    max_sampling_period: int = Field(default=1, ge=1)
    #: random sign vectors: full checks take them in turn, a sampled one takes them all
    projection_count: int = Field(default=1, ge=1, le=64)
    #: [standard deviations] threshold on a good row's residual; in a workload's guard, of signed errors
    z: float = Field(default=8.0, gt=0, le=1000)
    #: rows that a check draws (a sampled guard); none: every row
    row_samples: int | None = Field(default=None, ge=1)
    col_samples: int | None = Field(default=None, ge=1)  #: columns that a check draws
    #: [standard deviations] sampled only: in a line's threshold; none: `z`
    residual_scale: float | None = Field(default=None, gt=0, le=1000)
    #: [units of C] sampled only: added to the threshold; none: 0
    residual_margin: float | None = Field(default=None, ge=0, le=1)
    #: [units of C] sampled only: the threshold's least value; none: 0
    residual_floor: float | None = Field(default=None, ge=0, le=1)
    #: more than this, `overhead_violations` measurements in a row, disables the guard
    max_overhead_soft_percent: float = 3.0
    max_overhead_hard_percent: float = 5.0  #: more than this disables it at once
    #: [share] more false alarms per check than this, `alarm_violations` times in a row, disable it
    max_false_positive_rate: float = 0.05
    #: a larger error of an element, whatever the guard says, disables it at once
    max_correctness_error: float | None = Field(default=None, gt=0)
    overhead_violations: int = Field(default=3, ge=1)  #: how many in a row
    alarm_violations: int = Field(default=1, ge=1)  #: how many in a row
    clean_to_enable: int = Field(default=3, ge=1)  #: clean measurements in a row that enable a disabled guard again
    #: [share] `t5_recall_bound`: least recall of critical flips, as the lower end of its 95 % interval
    min_critical_recall: float | None = Field(default=None, gt=0, le=1)
    #: [share] the same for flips of all 32 bits alike; arithmetic limits it to about 0.6
    min_uniform_recall: float | None = Field(default=None, gt=0, le=1)
    max_recall_age_days: float = Field(default=7.0, gt=0)  #: an older fault campaign does not count


class SelectorRules(PolicyPart):
    """How T3 explores and when it gives up. Shares of one; ``static_arm`` empty means what ``auto`` takes."""

    static_arm: str = ""  #: the variant that any other must beat; empty: what `auto` takes
    #: [share] share of decisions that look again at a variant close to the best
    epsilon: float = Field(default=0.04, ge=0, le=1)
    warmup_launches: int = Field(default=2, ge=1)  #: launches a variant needs before it may be taken
    exploration_launches: int = Field(default=12, ge=0)  #: most launches spent on finding out, per size
    #: [share] least share of time that a variant must save against the static arm
    min_gain: float = Field(default=0.03, ge=0)
    max_slowdown: float = Field(default=0.07, ge=0)  #: [share] slower than the static arm by more than this: fallback
    #: [share] certainly more fallbacks per decision than this (at an error of 1 %), from `least_decisions` on, turn the
    #: selection off
    max_fallback_rate: float = Field(default=0.08, ge=0)
    least_decisions: int = Field(default=3, ge=1)  #: see `max_fallback_rate`
    freeze_sizes: tuple[int, ...] = ()  #: sizes at which only the static arm is taken


class Row(PolicyPart):
    """Floor and ceiling of one ``kernel:size``, or the words that waive them.

    The floor is in the unit its operation is judged in: GFLOPS, or GB/s where memory bounds it.
    """

    min_avg_gflops: float | None = None  #: least mean throughput: GEMM, and your own operations that are judged in it
    #: least mean throughput, 1e9 bytes per second: triad, and whatever else is judged in GB/s
    min_avg_gbs: float | None = None
    max_p95_time_ms: float | None = None  #: most p95: in live runs the percentile of all verified launches of the cell
    waiver: str = ""  #: why this cell has no limit
    notes: str = ""  #: words

    @property
    def has_limit(self) -> bool:
        """Whether it bounds anything, in whatever unit."""
        return any(limit is not None for limit in (self.min_avg_gflops, self.min_avg_gbs, self.max_p95_time_ms))


class Floors(PolicyPart):
    """What holds for cells without a row: a waiver in words, until a pinned baseline supplies floors."""

    #: words that waive floors for every cell without a row, until a baseline is pinned; empty: nothing is waived
    waiver: str = ""
    #: [share] floor as a share of the pinned baseline's throughput, in whichever unit the cell is judged
    min_share_of_baseline_gflops: float = 0.95
    #: [share] floor as a share of the speed of the driver in service (`--against`); null: as of a pinned baseline
    min_share_of_service_gflops: float | None = None
    max_share_of_baseline_p95: float = 1.08  #: [share] ceiling as a share of its p95
    max_baseline_age_days: float = 180.0  #: an older baseline fails `baseline_usable`

    @property
    def share_of_service(self) -> float:
        """What is asked of a driver's speed beside the one in service, as a share of that one's."""
        own = self.min_share_of_service_gflops
        return self.min_share_of_baseline_gflops if own is None else own


class Evidence(PolicyPart):
    """How much evidence a number needs before it counts (live runs, which keep their launches).

    ``min_confidence`` is the sign test's: a floor or ratio has to hold in so many of the snapshots, not on the mean
    alone. 0.5 is a majority.
    """

    min_p95_launches: int = 59  #: below this many verified launches a p95 is no data, and blocks
    flag_p95_launches: int = 100  #: below this many it is flagged as coarse
    #: [probability] runs from before looks only: in how many snapshots a floor or the split's ratio must hold, by a
    #: sign test; 0.5: a majority
    min_confidence: float = Field(default=0.5, ge=0.5, lt=1)
    #: [probability] that a run of an unchanged driver fails any floor, ratio, percentile or drift, all looks together
    max_false_block: float = Field(default=0.01, gt=0, le=0.1)
    #: [probability] that a run promotes though the truth of one floor or ratio lies at its limit, all looks together
    max_false_promote: float = Field(default=0.025, gt=0, le=0.1)
    #: how much the speed of one snapshot is taken to vary where no calibration of this host says: standard deviation
    assumed_sd_percent: float = Field(default=5.0, gt=0, le=50)
    #: [share] `expected_faults`: most of a platform's cells that may be left out since they are known to fail
    max_expected_share: float = Field(default=0.2, ge=0, le=0.5)


class HostRules(PolicyPart):
    """How still the host must be around a measurement, in percent; one that moved is void and taken again.

    ``max_attempts`` is how often a case is measured before it is inconclusive. ``max_wait_s`` and ``max_wait_minutes``
    are the budget for waiting: no case waits longer, nor all of a run's together.
    """

    #: a measurement is void where the host's pace changed more than this between its sessions
    max_pace_change_percent: float = Field(default=40.0, gt=0)
    #: the same on a CPU device whose pace is not known: the anchor moved more than this around it
    max_anchor_change_percent: float = Field(default=20.0, gt=0)
    #: a launch on a CPU device is calm where its threads waited for a CPU for at most this share of its time; only calm
    #: launches count, and a measurement with too few is void. Without it nobody asks whether other programs ran
    max_run_delay_percent: float | None = Field(default=None, gt=0, le=100)
    max_steal_percent: float = Field(default=5.0, gt=0)  #: the same for CPU time that the hypervisor gave to others
    #: the same for CPU time that a quota of the gate's control group withheld, as containers have them
    max_throttled_percent: float = Field(default=5.0, gt=0)
    #: how often a case is measured before `host_stable` calls it inconclusive
    max_attempts: int = Field(default=5, ge=1, le=10)
    #: [s] how long a measurement on a CPU device may wait for calm launches, pausing while other programs run
    max_wait_s: float = Field(default=20.0, ge=0, le=3600)
    #: [minutes] the same for all of a run's measurements, with those that were void; once it is spent, each case is
    #: measured once and waits for nothing
    max_wait_minutes: float = Field(default=10.0, ge=0, le=1440)


class SplitRules(PolicyPart):
    """What the candidate owes the baseline: least throughput ratio, and most ratio of candidate p95 / baseline p95."""

    baseline: str = "clover"  #: the driver in service, of a recorded split (live runs name theirs)
    candidate: str = "rusticl"  #: the driver that wants to be, likewise
    #: [ratio] `rusticl_ratio_vs_clover`: least candidate / baseline throughput, on the mean and for each seed
    min_ratio: float = 0.85
    max_latency_ratio: float = 1.25  #: [ratio] `rusticl_latency_ratio`: most candidate / baseline p95
    required_sizes: tuple[int, ...] = ()  #: `required_sizes_present_on_split`; empty: every size that ran


class CampaignRules(PolicyPart):
    """The older campaigns' own rules, applied snapshot by snapshot while they ran."""

    minimum_snapshots: float = 2  #: executed snapshots
    max_correctness_error: float = 0.001  #: a breach stops (weekly) or drops (split)
    max_t3_fallback_rate: float = 0.08  #: [share] hard
    max_t5_disable_events: float = 0  #: hard
    max_t5_false_positive_rate: float = 0.05  #: [share] hard
    max_t5_overhead_hard_percent: float = 5.0  #: hard: rollback
    max_t5_overhead_soft_percent: float = 3.0  #: soft: warn; the limit of a split
    soft_streak_limit: int = 2  #: soft violations in a row that roll back, where the file does not say
    min_throughput_change_percent: float = -8.0  #: against the `--baseline` file
    max_p95_change_percent: float = 15.0  #: against the `--baseline` file
    max_abs_drift_percent: float = 10.0  #: first to last snapshot
    min_peak_ratio: float = 0.80  #: [ratio] candidate / baseline peak, each seed, size and kernel


class SeverityLevel(PolicyPart):
    """What one severity asks of whom, and how soon: within a year, and of somebody."""

    within_minutes: int = Field(ge=0, le=525_600)  #: how soon somebody answers
    action: str  #: what is to be done
    owner: str  #: by whom

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

    #: what each level, 1 to 4, asks of whom
    levels: dict[Annotated[int, Field(ge=1, le=4)], SeverityLevel] = Field(
        default_factory=lambda: {level: SeverityLevel.model_validate(facts) for level, facts in SEVERITY_LEVELS.items()}
    )
    #: severity (1, 2 or 3) of each check that does not pass; a policy names those it changes
    checks: dict[str, int] = Field(default_factory=lambda: dict(SEVERITY_OF_CHECK))
    unlisted: int = 2  #: severity of a check not named
    no_data: int = 2  #: no finding about missing evidence is graver than this
    inconclusive: int = 3  #: nor one that is inconclusive than this

    @field_validator("levels")
    @classmethod
    def _each_level(cls, levels: dict[int, SeverityLevel]) -> dict[int, SeverityLevel]:
        missing = sorted(set(SEVERITY_LEVELS) - set(levels))
        if missing:
            raise ValueError(f"lacks {', '.join(map(str, missing))}; a verdict of that severity would have no owner")
        return levels


class RollbackStep(PolicyPart):
    """One step of the user's own: an argument list, run without a shell, and its time limit in seconds."""

    argv: tuple[str, ...] = Field(min_length=1)  #: an argument list, run without a shell
    timeout_s: float = Field(default=60.0, gt=0)  #: its time limit


class Rollback(PolicyPart):
    """Whether SEV1 switches back by itself, and the user's own steps."""

    mode: Literal["never", "plan", "auto"] = "plan"  #: at SEV1: nothing, say what would be done, or do it
    steps: tuple[RollbackStep, ...] = ()  #: your own steps


class Policy(PolicyPart):
    """A whole policy, resolved: nothing is inherited any more."""

    version: Literal[1] = 1  #: format of this file; one in YAML has to state it
    policy_id: str = Field(min_length=1)  #: name that verdicts carry beside the hash
    description: str = ""  #: words
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
    conformance: ConformanceRules = ConformanceRules()
    history: HistoryRules = HistoryRules()
    severity: SeverityTable = Field(default_factory=SeverityTable)
    rollback: Rollback = Rollback()
    notes: dict[str, str] = Field(default_factory=dict)  #: named remarks, such as the evidence of a recalibration

    def effective(self) -> dict[str, Any]:
        """Every key with its value in force, as strict JSON data; ``Policy.model_validate`` reads it back.

        ``conformance`` and ``history`` as shipped are left out, and ``min_share_of_service_gflops`` where it is null:
        policies from before them keep bytes and hash.
        """
        data = self.model_dump(mode="json")
        for name, shipped in (("conformance", ConformanceRules()), ("history", HistoryRules())):
            if getattr(self, name) == shipped:
                del data[name]
        if self.floors.min_share_of_service_gflops is None:
            del data["floors"]["min_share_of_service_gflops"]
        return data

    @cached_property
    def sha256(self) -> str:
        """Hash of the effective policy: two policies with the same limits and words have the same hash."""
        text = json.dumps(self.effective(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()

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
        for place, problem, why in beyond(self):
            return (
                f"Policy {self.policy_id}: {'.'.join(place)} {problem}. {why} A verdict under it would be none. Give a "
                "limit that a bad run breaks."
            )
        ratio = plan.min_rusticl_ratio
        if ratio is not None and not ratio >= LEAST_RATIO:
            return (
                f"The ratio {ratio:g} that the candidate owes is below {LEAST_RATIO:g}. No candidate that works is so "
                "slow, so that none would fail. Give --min-rusticl-ratio such as 0.85."
            )
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
        timed = [kernel for kernel in plan.kernels if kernel not in plan.results_only]
        bare = [f"{k}:{n}" for k in timed for n in plan.sizes if not self.covers(f"{k}:{n}")]
        if bare:
            return (
                f"Policy {self.policy_id} has neither a row nor a waiver for {', '.join(bare)}. What no limit speaks "
                "of cannot be promoted. Add rows, waive them in words, or measure what the policy covers: "
                f"{', '.join(self.rows) or 'nothing'}."
            )
        return ""
