"""What the two controlled lanes did, per cell: which variant T3 took and why, what the T5 guard cost and looked at.

The guards of workloads stand behind them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence

from pytest_weekops.core.measurement.lane_records import GuardEvidence, SelectorEvidence
from pytest_weekops.core.measurement.modes import T3_KERNEL, T5_KERNEL
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.numbers import two_digits

Cell = tuple[str, int]


def render_lanes(records: Iterable[object]) -> list[str]:
    """Lines of at most 79 columns; none where nothing was guarded or selected."""
    whole = list(records)
    measured = [r.case for r in whole if isinstance(r, Measurement) and not r.void]
    width = max((len(f"{case.platform} {case.size}") for case in measured), default=0)
    names = {T3_KERNEL: "T3", T5_KERNEL: "T5"}
    return [
        f"{names.get(lane, lane)} {f'{platform} {size}'.ljust(width)}  {words}"[:79]
        for (lane, platform, size), lines in lane_lines(whole).items()
        for words in lines
    ]


def lane_lines(records: Iterable[object]) -> dict[tuple[str, str, int], tuple[str, ...]]:
    """What is said of each lane, platform and size: the very words of terminal, summary and page."""
    measured = [r for r in records if isinstance(r, Measurement) and not r.void]
    found: dict[tuple[str, str, int], tuple[str, ...]] = {}
    for kernel in (T3_KERNEL, T5_KERNEL):
        for (platform, size), group in _cells(measured, kernel).items():
            selectors = [m.selector for m in group if m.selector]
            guards = [m.guard for m in group if m.guard]
            if kernel == T3_KERNEL and selectors:
                found[kernel, platform, size] = (_selector(selectors),)
            if kernel == T5_KERNEL and guards:
                found[kernel, platform, size] = (_guard(guards), *_coverage(guards))
    own = (m.case.kernel for m in measured if m.guard is not None and m.case.kernel != T5_KERNEL)
    for kernel in dict.fromkeys(own):
        for (platform, size), group in _cells(measured, kernel).items():
            found[kernel, platform, size] = (_guard([m.guard for m in group if m.guard]),)
    return found


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
    """What a guard that does not check every row of every launch at once looked at; nothing for one that does."""
    kinds = ((g.mode, g.row_samples, g.col_samples, g.period, g.coverage_percent, g.chained) for g in found)
    for mode, rows, columns, period, share, chained in dict.fromkeys(kinds):
        if mode == "full" and period == 1 and not chained:
            continue
        lines = "every row" if mode == "full" else f"SAMPLED {rows}+{columns} lines"
        seen = "" if share is None else f": sees {two_digits(share)} % of faults"
        later = ", read back once a session" if chained else ""
        yield f"{lines}, {'every launch' if period == 1 else f'1 launch in {period}'}{later}{seen}"
