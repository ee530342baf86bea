"""Where the recorded campaigns are, and small recorded files made for a test."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDED = Path(os.environ.get("WEEKOPS_RECORDED", ROOT.parent / "shared" / "recorded"))

needs_recorded = pytest.mark.skipif(
    not (RECORDED / "index.json").is_file(), reason="the recorded campaigns are not beside this checkout"
)

DEVICE = "a card"


def index() -> list[dict[str, Any]]:
    """The recorded evaluations with the result each must give."""
    entries: list[dict[str, Any]] = json.loads((RECORDED / "index.json").read_text(encoding="utf-8"))
    return entries


def _metrics(kernel: str, size: int, platform: str) -> dict[str, Any]:
    floor, ceiling = {1400: (900.0, 6.0), 2048: (780.0, 22.0)}[size]
    common = {
        "platform": platform,
        "device": DEVICE,
        "peak_mean_gflops": floor * 1.02,
        "avg_mean_gflops": floor,
        "p95_time_ms": ceiling,
        "max_error_max": 3e-4,
    }
    if kernel == "auto_t3_controlled":
        return {**common, "t3_fallback_rate": 0.0, "t3_policy_disabled": False}
    guard = {
        "t5_overhead_percent": 1.2,
        "t5_false_positive_rate": 0.0,
        "t5_disable_events": 0,
        "t5_disable_reason": None,
    }
    return {**common, **guard}


def weekly(snapshots: int = 6) -> dict[str, Any]:
    """A healthy recorded weekly campaign at 1400 and 2048, which promotes under every RX 590 policy."""
    runs = [
        {
            "status": "ok",
            "platform_selector": "Clover",
            "kernel": kernel,
            "size": size,
            "seed": 100 * snapshot + size,
            "snapshot": snapshot,
            "metrics": _metrics(kernel, size, "Clover"),
        }
        for snapshot in range(1, snapshots + 1)
        for kernel in ("auto_t3_controlled", "auto_t5_guarded")
        for size in (1400, 2048)
    ]
    pressure = [
        {"snapshot": s, "requested": 3, "completed": 3, "failures": 0, "errors": []} for s in range(1, snapshots + 1)
    ]
    metadata = {"planned_snapshots": snapshots, "executed_snapshots": snapshots, "pressure": {"pulses_per_snapshot": 3}}
    return {"metadata": metadata, "pressure": pressure, "runs": runs, "rollback_event": None}


def split() -> dict[str, Any]:
    """A healthy recorded split campaign at 1400 and 2048, two seeds, both platforms alike."""
    runs = [
        {
            "status": "ok",
            "platform_selector": platform,
            "kernel": kernel,
            "size": size,
            "seed": seed,
            "metrics": _metrics(kernel, size, platform),
        }
        for platform in ("Clover", "rusticl")
        for seed in (412, 512)
        for kernel in ("auto_t3_controlled", "auto_t5_guarded")
        for size in (1400, 2048)
    ]
    pressure = [
        {"platform_selector": p, "seed": seed, "requested": 3, "completed": 3, "failures": 0}
        for p in ("Clover", "rusticl")
        for seed in (412, 512)
    ]
    return {"metadata": {"seeds": [412, 512], "pressure": {"pulses_per_seed": 3}}, "pressure": pressure, "runs": runs}


def changed(document: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    """A copy with one value replaced."""
    result, holder = _copied(document, path)
    holder[path[-1]] = to
    return result


def without(document: dict[str, Any], *path: Any) -> dict[str, Any]:
    """A copy with one key or entry removed."""
    result, holder = _copied(document, path)
    del holder[path[-1]]
    return result


def _copied(document: dict[str, Any], path: Sequence[Any]) -> tuple[dict[str, Any], Any]:
    """A copy, and what in it holds the last step of the path."""
    result = copy.deepcopy(document)
    holder: Any = result
    for step in path[:-1]:
        holder = holder[step]
    return result, holder


def weekly_slo(rows: Mapping[str, Mapping[str, float]], **rails: float) -> dict[str, Any]:
    """What an older policy asks of a week: these rows, and guardrails that differ where it is said."""
    usual = {
        "minimum_snapshots": 2,
        "max_correctness_error": 1e-3,
        "max_t3_fallback_rate": 0.08,
        "max_t5_disable_events_total": 0,
        "max_t5_overhead_percent": 3.0,
        "max_abs_throughput_drift_percent": 3.0,
        "max_p95_drift_percent": 8.0,
    }
    return {"global_guardrails": {**usual, **rails}, "per_kernel_size": dict(rows)}
