"""The older T3 and T5 JSON policies: what they ask for, as keys of a policy's ``selector`` and ``guard``. Pure.

Their settings keep their meaning where this guard and this selector have one. What they knew and these do not need is
named as a note, never dropped silently; a key that neither knew is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.numbers import as_finite
from pytest_weekops.core.policy.bounds import beyond
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.record import first_refused

Lane = Literal["t3", "t5"]

_WORDS = frozenset(
    {
        "policy_id", "track", "status", "inherits_from", "scope", "rollback_defaults", "stress_evidence",
        "maturation_campaign", "promotion_gate", "drift_guardrails",
    }
)  # fmt: skip
# older section and key -> our section and key, and the factor between the units; None: noted only
_T3: dict[str, dict[str, tuple[str, float] | None]] = {
    "selector_policy": {
        "epsilon": ("selector.epsilon", 1),
        "warmup_steps_per_context": ("selector.warmup_launches", 1),
        "bootstrap_weight": None,
    },
    "bootstrap": {
        "freeze_sizes": ("selector.freeze_sizes", 1),
        "min_delta_for_nonstatic": ("selector.min_gain", 0.01),
        "boundary_report_path": None,
    },
    "guardrails": {
        "fallback_regression_limit": ("selector.max_slowdown", 1),
        "disable_if_fallback_rate_gt": ("selector.max_fallback_rate", 1),
        "disable_if_correctness_error_gt": None,
    },
}
_T5: dict[str, dict[str, tuple[str, float] | None]] = {
    "abft_mode": {
        "sampling_period": ("guard.sampling_period", 1),
        "projection_count": ("guard.projection_count", 1),
        "row_samples": ("guard.row_samples", 1),
        "col_samples": ("guard.col_samples", 1),
        "faults_per_matrix_modelled": None,
        "residual_scale": ("guard.residual_scale", 1),
        "residual_margin": ("guard.residual_margin", 1),
        "residual_floor": ("guard.residual_floor", 1),
    },
    "runtime_guardrails": {
        "disable_if_false_positive_rate_gt": ("guard.max_false_positive_rate", 1),
        "disable_if_effective_overhead_percent_gt": ("guard.max_overhead_soft_percent", 1),
        "disable_if_effective_overhead_percent_gt_hard": ("guard.max_overhead_hard_percent", 1),
        "disable_after_consecutive_false_positive_violations": ("guard.alarm_violations", 1),
        "disable_after_consecutive_overhead_violations": ("guard.overhead_violations", 1),
        "disable_if_critical_recall_lt": ("guard.min_critical_recall", 1),
        "disable_if_uniform_recall_lt": ("guard.min_critical_recall", 1),
        "disable_if_correctness_error_gt": ("guard.max_correctness_error", 1),
        "require_uniform_recall_delta_vs_baseline_ge": None,
        "max_overhead_delta_vs_baseline_percent": None,
        "stateful_hysteresis": None,
    },
}
_SAMPLED_ONLY = ("residual_scale", "residual_margin", "residual_floor")
_WHY = {
    "faults_per_matrix_modelled": "recall is measured by weekops inject",
    "residual_scale": "without row_samples or col_samples every row is checked, by thresholds that are tighter",
    "residual_margin": "without row_samples or col_samples every row is checked, by thresholds that are tighter",
    "residual_floor": "without row_samples or col_samples every row is checked, by thresholds that are tighter",
    "disable_if_correctness_error_gt": "any wrong result disables",
    "require_uniform_recall_delta_vs_baseline_ge": "recall is measured by weekops inject",
    "max_overhead_delta_vs_baseline_percent": "the overhead has limits of its own",
    "stateful_hysteresis": "the state always outlives the process",
    "bootstrap_weight": "variants are tried before they are taken",
    "boundary_report_path": "variants are tried before they are taken",
}


def with_lane_policy(policy: Policy, lane: Lane, data: object, source: str) -> Policy:
    """The policy with an older lane policy's settings in place. Raises ``PolicyError``: file, key, value."""
    table = _T3 if lane == "t3" else _T5
    refuse = _refuser(lane, source)
    if not isinstance(data, Mapping):
        raise refuse("the document", data, "is no JSON object")
    if not set(table) & set(data):
        raise refuse("the document", sorted(map(str, data))[:6], f"has none of {', '.join(table)}")
    effective = policy.effective()
    given: set[tuple[str, str]] = set()
    notes = {f"{lane}_policy": f"{data.get('policy_id', 'without a name')!s:.100}"}
    for section, content in data.items():
        if section in _WORDS:
            continue
        if section not in table or not isinstance(content, Mapping):
            raise refuse(str(section), content, "is no section of such a policy")
        for key, value in content.items():
            if key not in table[section]:
                raise refuse(f"{section}.{key}", value, "is no key of such a policy")
            target = table[section][key]
            if target is None or (key in _SAMPLED_ONLY and not _samples(content, policy)):
                notes[f"{lane}_{key}"] = f"{value!s:.60} is not used: {_WHY[key]}"
                continue
            place, name = target[0].split(".")
            wanted = _value(value, target[1], lambda: refuse(f"{section}.{key}", value, "is no number"))  # noqa: B023 - called at once
            stated = effective[place][name] if (place, name) in given else None
            # Their uniform recall spoke of faults of a given size at any place, as the critical flips are: one demand.
            effective[place][name] = max(stated, wanted) if stated is not None else wanted
            given.add((place, name))
    effective["notes"] = {**effective["notes"], **notes}
    try:
        merged = Policy.model_validate(effective)
    except ValueError as error:
        place, message = first_refused(error)
        value = error.errors()[0].get("input") if isinstance(error, ValidationError) else None
        raise refuse(place, value, f"is refused: {message}") from error
    for (part, key, *_row), problem, why in beyond(merged):
        if (part, key) in given:
            raise refuse(f"{part}.{key}", effective[part][key], f"{problem}: {why[0].lower()}{why[1:].rstrip('.')}")
    return merged


def _samples(section: Mapping[str, Any], policy: Policy) -> bool:
    """Whether the guard that comes of this section draws lines: by its own keys, or by the policy beneath."""
    stated = any(key in section for key in ("row_samples", "col_samples"))
    return stated or policy.guard.row_samples is not None or policy.guard.col_samples is not None


def _value(value: Any, factor: float, problem: Callable[[], PolicyError]) -> Any:
    if isinstance(value, list):
        return value
    if as_finite(value) is None:
        raise problem()
    return value if factor == 1 else value * factor


def _refuser(lane: Lane, source: str) -> Callable[[str, object, str], PolicyError]:
    def refuse(key: str, value: object, problem: str) -> PolicyError:
        return PolicyError(
            f"{lane.upper()} policy {source}: {key} {problem} (value {value!r:.80}). A setting that is misread would "
            "explore or guard in another way than you mean. Correct it.",
            path=source,
            key=key,
        )

    return refuse
