"""Severity as shipped: which failed check is how grave, and what each level asks of whom."""

from __future__ import annotations

from typing import Any

SEVERITY_LEVELS: dict[int, dict[str, Any]] = {
    1: {
        "within_minutes": 15,
        "action": "roll back at once, run the canonical gate, freeze promotion",
        "owner": "run owner + platform owner",
    },
    2: {
        "within_minutes": 60,
        "action": "freeze promotion, refine, rerun the controlled replay",
        "owner": "policy owner + platform owner",
    },
    3: {"within_minutes": 240, "action": "open an iteration ticket, schedule a rerun", "owner": "policy owner"},
    4: {"within_minutes": 1440, "action": "record and continue", "owner": "run owner"},
}

SEVERITY_OF_CHECK: dict[str, int] = {
    "all_runs_success": 1,
    "all_snapshot_hard_checks_passed": 2,
    "canonical_gate": 1,
    "correctness_error_bound": 1,
    "correctness_bound_all_runs": 1,
    "drift_abs_percent_bounded": 3,
    "device_selected": 1,
    "errors_possible": 1,
    "expected_faults": 3,
    "launches_looked_at": 1,
    "p95_drift_bound": 3,
    "platform_split_clover_and_rusticl": 1,
    "platform_split_present": 1,
    "required_sizes_present_on_split": 1,
    "t5_disable_events_total_bound": 1,
    "t5_guardrails_all_runs": 1,
    "throughput_drift_abs_bound": 3,
    "writes_contained": 1,
}
