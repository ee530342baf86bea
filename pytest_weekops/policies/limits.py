"""What a limit of a YAML policy may be: a negative floor, a row that can never match or a bare size is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.numbers import as_number

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import Policy, SeverityTable

Refuse = Callable[[tuple[str, ...], str, str], PolicyError]
Problem = tuple[tuple[str, ...], str, str]

_ROW_KEY = re.compile(r"[A-Za-z0-9_.+-]+:[1-9][0-9]*\Z")
_MAY_BE_ZERO = frozenset(
    {
        "max_t3_fallback_rate",
        "max_t5_disable_events_total",
        "max_t5_disable_events",
        "max_t5_overhead_percent",
        "max_t5_false_positive_rate",
        "max_false_positive_rate",
        "residual_margin",
        "residual_floor",
        "epsilon",
        "exploration_launches",
        "min_gain",
        "max_slowdown",
        "max_fallback_rate",
    }
)


def refuse_limits(policy: Policy, refuse: Refuse) -> None:
    """Raise the first refusal there is."""
    for key, problem, advice in (*_numbers(policy), *_rows(policy), *_coverage(policy), *_severity(policy)):
        raise refuse(key, problem, advice)


def _numbers(policy: Policy) -> Iterator[Problem]:
    sections = {
        "guardrails": policy.guardrails,
        "floors": policy.floors,
        "guard": policy.guard,
        "selector": policy.selector,
        "evidence": policy.evidence,
        "host": policy.host,
        "split": policy.split,
    }
    for section, model in sections.items():
        for name, value in model:
            if as_number(value) is None:
                continue
            least_ok = value >= 0 if name in _MAY_BE_ZERO else value > 0
            if not least_ok:
                least = "at least 0" if name in _MAY_BE_ZERO else "above 0"
                yield (section, name), f"is {value}; it must be {least}", "Such a limit lets all runs pass or none."
    guard = policy.guard
    if guard.row_samples is None and guard.col_samples is None:
        for name in ("residual_scale", "residual_margin", "residual_floor"):
            if getattr(guard, name) is not None:
                yield (
                    ("guard", name),
                    f"is {getattr(guard, name)} without row_samples or col_samples",
                    "At full coverage `z` makes the thresholds; this would be passed over. State samples or drop it.",
                )
    if policy.guardrails.minimum_snapshots < 2:
        yield (
            ("guardrails", "minimum_snapshots"),
            f"is {policy.guardrails.minimum_snapshots:g}; it must be at least 2",
            "One snapshot shows no drift.",
        )
    if policy.split.min_ratio > 2:
        yield ("split", "min_ratio"), f"is {policy.split.min_ratio}", "It is a ratio, not percent: write 0.85 for 85 %."


def _rows(policy: Policy) -> Iterator[Problem]:
    scope = policy.scope
    for key, row in policy.rows.items():
        place = ("rows", key)
        if not _ROW_KEY.match(key):
            yield place, "is not of the form kernel:size, so it can never match", "Write for example auto:1400."
            continue
        kernel, size = key.rsplit(":", 1)
        if scope.kernels and kernel not in scope.kernels:
            yield place, f"can never match: scope.kernels does not list {kernel}", "Correct the row or the scope."
        if scope.sizes and int(size) not in scope.sizes:
            yield place, f"can never match: scope.sizes does not list {size}", "Correct the row or the scope."
        for name in ("min_avg_gflops", "min_avg_gbs", "max_p95_time_ms"):
            value = getattr(row, name)
            if value is not None and value <= 0:
                unit = {"min_avg_gflops": "GFLOPS", "min_avg_gbs": "GB/s"}.get(name, "milliseconds")
                yield (
                    (*place, name),
                    f"is {value}; it must be above 0",
                    f"Such a limit lets every run pass or none. Give it in {unit}.",
                )
        if row.min_avg_gflops is not None and row.min_avg_gbs is not None:
            yield (
                (*place, "min_avg_gbs"),
                "stands beside min_avg_gflops",
                "An operation is judged in one unit. Keep the floor in that unit.",
            )
        if key not in policy.demanded_rows and not row.waiver.strip():
            yield place, "has neither limit nor waiver", "Give a limit, or say in `waiver` why there is none."


def _coverage(policy: Policy) -> Iterator[Problem]:
    for kernel in policy.scope.kernels:
        for size in policy.scope.sizes:
            if size <= 0:
                yield ("scope", "sizes"), f"lists {size}", "Sizes are above 0."
            if not policy.covers(f"{kernel}:{size}"):
                yield (
                    ("rows",),
                    f"has nothing for {kernel}:{size}, which scope lists",
                    "What no limit speaks of cannot be promoted. Add the row, or waive it in words.",
                )


def _others(table: SeverityTable) -> Iterator[tuple[str, int]]:
    for name in ("unlisted", "no_data", "inconclusive"):
        yield name, getattr(table, name)


def _severity(policy: Policy) -> Iterator[Problem]:
    table = policy.severity
    for check, level in (*table.checks.items(), *_others(table)):
        if level not in (1, 2, 3):
            yield ("severity", "checks", check), f"is {level}", "A check that does not pass is 1, 2 or 3."
    missing = sorted({1, 2, 3, 4} - set(table.levels))
    if missing:
        yield ("severity", "levels"), f"lacks {missing[0]}", "All of 1 to 4 need time, action and owner."
