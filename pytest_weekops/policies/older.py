"""Policies in JSON: the older weekly ones with their numbers as they are, and an effective policy read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.numbers import as_finite
from pytest_weekops.files.strict_json import parse_json
from pytest_weekops.files.strict_yaml import Source
from pytest_weekops.policies.build import build_policy, explain

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import Policy


def parse_policy_json(source: Source, text: str) -> Policy:
    """The older weekly JSON policy, or an effective policy as ``weekops policy show --json`` prints it."""
    try:
        document = parse_json(text)
    except (ValueError, RecursionError) as error:
        raise source.refusal(f" starts like JSON and cannot be read: {error}. Correct it or write YAML.") from error
    if "weekly_slo" in document:
        return _from_slo(source, document)
    if "version" in document:
        return build_policy(source, document)
    name = next((document[key] for key in ("policy_id", "profile_id", "sla_id") if document.get(key)), "no id")
    raise source.refusal(
        f" ({name!s:.80}) has no weekly_slo. It configures something else and holds no limits for a week. Give a "
        "weekly policy.",
        ("weekly_slo",),
    )


_SLO_GUARDRAILS = (
    "minimum_snapshots",
    "max_correctness_error",
    "max_t3_fallback_rate",
    "max_t5_disable_events_total",
    "max_t5_overhead_percent",
    "max_abs_throughput_drift_percent",
    "max_p95_drift_percent",
)


def _from_slo(source: Source, document: dict[str, Any]) -> Policy:
    """Numbers as they are, whatever their sign: such a policy must judge today as it did then."""
    from pydantic import ValidationError

    from pytest_weekops.core.policy.policy import Policy

    slo = document["weekly_slo"]
    guardrails = slo.get("global_guardrails") if isinstance(slo, dict) else None
    rows = slo.get("per_kernel_size") if isinstance(slo, dict) else None
    if not isinstance(guardrails, dict) or not isinstance(rows, dict):
        raise source.at(("weekly_slo",), "lacks global_guardrails or per_kernel_size", "Give an intact policy.")
    try:
        return Policy.model_validate(
            {
                "policy_id": str(document.get("policy_id") or source.path.stem),
                "description": "Read from an older JSON policy; what it does not state has the shipped default.",
                "scope": {"kinds": ("weekly", "split"), "platform": _slo_platform(source, document)},
                "guardrails": {name: _slo_number(source, guardrails, name) for name in _SLO_GUARDRAILS},
                "rows": {str(key): _slo_row(source, str(key), row) for key, row in rows.items()},
            }
        )
    except ValidationError as error:
        raise explain(source, error) from error


def _slo_row(source: Source, key: str, row: object) -> dict[str, float]:
    limits = row if isinstance(row, dict) else {}
    at = f"per_kernel_size.{key}"
    return {name: _slo_number(source, limits, name, at=at) for name in ("min_avg_gflops", "max_p95_time_ms")}


def _slo_platform(source: Source, document: Mapping[str, Any]) -> str:
    """The platform that the policy is for; none where it does not speak of one."""
    scope = document.get("scope", {})
    advice = "Its limits would hold for any platform. Correct it."
    if not isinstance(scope, dict):
        raise source.at(("scope",), f"is {scope!r:.60}, not an object", advice)
    platform = scope.get("platform", "")
    if not isinstance(platform, str):
        raise source.at(("scope", "platform"), f"is {platform!r:.60}, not a name", advice)
    return platform


def _slo_number(source: Source, section: Mapping[str, Any], name: str, *, at: str = "global_guardrails") -> float:
    value = section.get(name)
    if not isinstance(value, int | float) or as_finite(value) is None:
        what = "is missing" if name not in section else f"is {value!r:.60}, not a finite number"
        raise source.at(("weekly_slo", at, name), what, "A limit that is not there limits nothing. State it.")
    return value
