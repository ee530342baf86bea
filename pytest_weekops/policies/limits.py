"""What a YAML policy may hold: a limit that nothing breaks, a row that can never match or a bare size is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.policy.bounds import beyond

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import Policy, SeverityTable

Refuse = Callable[[tuple[str, ...], str, str], PolicyError]
Problem = tuple[tuple[str, ...], str, str]

_ROW_UNITS = {"min_avg_gflops": "GFLOPS", "min_avg_gbs": "GB/s", "max_p95_time_ms": "milliseconds"}
_ROW_KEY = re.compile(r"[A-Za-z0-9_.+-]+:[1-9][0-9]*\Z")


def refuse_limits(policy: Policy, refuse: Refuse) -> None:
    """Raise the first refusal there is."""
    for key, problem, advice in (
        *_ends(policy),
        *_samples(policy),
        *_rows(policy),
        *_coverage(policy),
        *_severity(policy),
    ):
        raise refuse(key, problem, advice)


def _ends(policy: Policy) -> Iterator[Problem]:
    for place, problem, why in beyond(policy):
        unit = _ROW_UNITS.get(place[-1]) if place[0] == "rows" else None
        yield place, problem, f"{why} Give a limit that a bad run breaks{f', in {unit}' if unit else ''}."


def _samples(policy: Policy) -> Iterator[Problem]:
    guard = policy.guard
    if guard.row_samples is None and guard.col_samples is None:
        for name in ("residual_scale", "residual_margin", "residual_floor"):
            if getattr(guard, name) is not None:
                yield (
                    ("guard", name),
                    f"is {getattr(guard, name)} without row_samples or col_samples",
                    "At full coverage `z` makes the thresholds; this would be passed over. State samples or drop it.",
                )


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
