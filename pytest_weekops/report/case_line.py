"""One line per case for the terminal: what was measured, what came of it, and how long the rest will take."""

from __future__ import annotations

from rich.cells import cell_len

from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case, Measurement, MeasurementStatus
from pytest_weekops.core.units import throughput
from pytest_weekops.report.saying import plain

WIDTH = 79  # a line of 80 makes some terminals begin an empty one
_LEAST_NAME = 8


def clock(seconds: float) -> str:
    """``1h02m``, ``3m05s`` or ``12s``."""
    whole = max(0, round(seconds))
    if whole >= 3600:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 60}m{whole % 60:02d}s" if whole >= 60 else f"{whole}s"


def case_line(
    answer: Measurement, plan: CampaignPlan, *, done: int, cases: int, left_s: float, then: str = "done"
) -> str:
    """``3/36 s1 pocl auto_t5_guarded 1024        35.1 GFLOPS  ~1m31s left``, in at most :data:`WIDTH` columns.

    ``done`` of ``cases`` are measured, this one among them. The seed stands there where the plan has several. A name
    that does not fit loses its middle: what came of the case is never cut. ``then`` is what follows the last of the
    cases.
    """
    place = f"{done:>{len(str(cases))}}/{cases}"
    left = f"~{clock(left_s)} left" if done < cases else then
    result = f"{result_words(answer, plan):>14}"
    room = max(_LEAST_NAME, WIDTH - len(f"{place}   {result} {left:>12}"))
    return f"{place} {_fitted(_name(answer.case, len(plan.seeds)), room)}  {result} {left:>12}".rstrip()


def result_words(answer: Measurement, plan: CampaignPlan) -> str:
    """How a case ended, or its throughput: of the launches that count, as the table has it; of all where none does."""
    if answer.status is not MeasurementStatus.OK:
        return answer.status.value.upper()
    from pytest_weekops.core.judge.metrics import counted_ns

    times = counted_ns(answer, plan) or [ns for session in answer.sessions for ns in session.wall_ns]
    mean_ns = sum(times) / len(times) if times else 0.0
    speed = throughput(answer.unit, answer.flops, answer.bytes_moved, mean_ns) if mean_ns > 0 else 0.0
    said = f"{speed:.1f} {answer.unit}" if speed > 0 else "ok"
    return ("VOID " if answer.void else "") + ("FLAKY " if answer.flaky else "") + said


def _name(case: Case, seeds: int) -> str:
    words = f"s{case.snapshot} {case.platform} {case.kernel} {case.size}"
    return plain(f"{words} seed {case.seed}" if seeds > 1 else words)


def _fitted(name: str, room: int) -> str:
    """The name in exactly ``room`` columns: filled up, or with dots for its middle, both ends being what tells."""
    if cell_len(name) > room:
        tail = (room - 2) * 2 // 3
        head = room - 2 - tail
        name = f"{_first(name, head)}..{_first(name[::-1], tail)[::-1]}"
    return name + " " * (room - cell_len(name))


def _first(text: str, columns: int) -> str:
    """As much of the beginning as fits, by a terminal's count: wide letters take two columns."""
    while cell_len(text) > columns:
        text = text[: columns if len(text) > columns else -1]
    return text
