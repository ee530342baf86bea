"""What the two controlled lanes did, per cell: which variant T3 took and why, what the T5 guard cost and looked at."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence

from pytest_weekops.core.measurement.modes import T3_KERNEL, T5_KERNEL
from pytest_weekops.core.measurement.records import GuardEvidence, Measurement, SelectorEvidence

Cell = tuple[str, int]


def render_lanes(records: Iterable[object]) -> list[str]:
    """Lines of at most 79 columns; none where no controlled lane was measured."""
    measured = [r for r in records if isinstance(r, Measurement) and not r.void]
    lines: list[str] = []
    width = max((len(f"{m.case.platform} {m.case.size}") for m in measured), default=0)
    for kernel in (T3_KERNEL, T5_KERNEL):
        for (platform, size), group in _cells(measured, kernel).items():
            where = f"{platform} {size}".ljust(width)
            selectors = [m.selector for m in group if m.selector]
            guards = [m.guard for m in group if m.guard]
            if kernel == T3_KERNEL and selectors:
                lines.append(f"T3 {where}  {_selector(selectors)}"[:79])
            if kernel == T5_KERNEL and guards:
                lines.append(f"T5 {where}  {_guard(guards)}"[:79])
                lines += [f"T5 {where}  {words}"[:79] for words in _coverage(guards)]
    return lines


def _cells(measured: Sequence[Measurement], kernel: str) -> dict[Cell, list[Measurement]]:
    """Measurements per platform and size, in that order: which one ended first does not matter here."""
    found: dict[Cell, list[Measurement]] = {}
    for measurement in measured:
        if measurement.case.kernel == kernel:
            found.setdefault((measurement.case.platform, measurement.case.size), []).append(measurement)
    return dict(sorted(found.items()))


def _selector(found: Sequence[SelectorEvidence]) -> str:
    last = found[-1]
    taken = list(dict.fromkeys(one.chosen for one in found))
    words = f"{', '.join(taken)} (static {last.static}), {last.fallbacks} of {last.decisions} fell back"
    words += f", regret {sum(one.regret_launches for one in found):.1f}"
    return f"{words}, DISABLED" if last.policy_disabled else words


def _guard(found: Sequence[GuardEvidence]) -> str:
    cost = statistics.median(one.overhead_percent for one in found)
    worst = max(one.overhead_worst_percent or 0.0 for one in found)
    checks, alarms = sum(one.checks for one in found), sum(one.false_alarms for one in found)
    words = f"overhead {cost:.2f} % (worst {worst:.0f} %), {checks} checks, {alarms} false alarms"
    return f"{words}, DISABLED" if any(one.disable_events for one in found) else words


def _coverage(found: Sequence[GuardEvidence]) -> Iterator[str]:
    """What a guard that does not check every row of every launch looked at; nothing for one that does."""
    for one in dict.fromkeys((g.mode, g.row_samples, g.col_samples, g.period, g.coverage_percent) for g in found):
        mode, rows, columns, period, share = one
        if mode == "full" and period == 1:
            continue
        lines = "every row" if mode == "full" else f"SAMPLED {rows}+{columns} lines"
        seen = "" if share is None else f": sees {share:.2g} % of faults"
        yield f"{lines}, 1 launch in {period}{seen}"
