"""Findings as the page shows them: worst first, each with its limits and the pictures in which it can be seen."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_weekops.core.judge import finding as judged
from pytest_weekops.core.judge.finding import CheckStatus, Verdict
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.report.page.cells import answers_of
from pytest_weekops.report.page.shown import Answer, Cell, Comparison, Finding, Link
from pytest_weekops.report.saying import plain
from pytest_weekops.report.summary import sort_findings
from pytest_weekops.report.table import number

LIMITS, ATTENDANCE, GATES = (
    Link("limits", "all limits"),
    Link("attendance", "what was measured"),
    Link("gates", "gates"),
)
DRIVERS, T3, T5 = Link("drivers", "drivers"), Link("t3", "online selection"), Link("t5", "the guard")
POLICY, CELLS = Link("provenance", "where it comes from"), Link("cells", "all cells")
# Where a finding can be seen that names no cell, by the beginning of its check's name.
_TOPICS: tuple[tuple[str, Link], ...] = (
    *((name, GATES) for name in ("canonical_gate", "other_tests")),
    *((name, DRIVERS) for name in ("one_driver", "device_selected", "platform_split")),
    ("t3_", T3),
    *((name, T5) for name in ("t5_", "guard_evidence")),
    *((name, LIMITS) for name in ("per_kernel_size", "throughput_drift", "rusticl_", "clover_")),
    ("baseline_usable", POLICY),
)
_CELL = re.compile(r"(?P<platform>\S+)[ :](?P<kernels>\S+(?: and \S+)*):(?P<size>\d+)(?!\d)")
_COMPARISON = re.compile(r"(?P<kernel>[^\s:]+):(?P<size>\d+)(?!\d)")
_MOST_LINKS = 12
_LENGTH = 4000


def show_answers(verdict: Verdict) -> tuple[Answer, ...]:
    """Every limit that a run with looks was asked about."""
    return tuple(_answer(each) for each in answers_of(verdict))


def _answer(each: Mapping[str, Any]) -> Answer:
    limit = float(each["limit"])

    def margin(log: float | None) -> float | None:
        return None if log is None else 100.0 * math.expm1(min(log - limit, 50.0))

    return Answer(
        name=str(each["name"]),
        asked=str(each["asked"]),
        bound=str(each.get("bound", "")),
        status=str(each["answer"]),
        margin=margin(float(each["estimate"])) or 0.0,
        low=margin(each.get("lower")),
        high=margin(each.get("upper")),
        snapshots=int(each.get("snapshots") or 0),
        decided_after=each.get("decided_after"),
    )


class Places:
    """Where on the page something is shown, by the names that findings use for it."""

    def __init__(
        self, plan: CampaignPlan, cells: Sequence[Cell], comparisons: Sequence[Comparison], sections: Iterable[str]
    ) -> None:
        self._cells = {(cell.platform, cell.kernel, cell.size): Link(cell.anchor, cell.name) for cell in cells}
        self._split = {(each.kernel, each.size): Link(each.anchor, each.name) for each in comparisons}
        self._sections = frozenset(sections)
        self._cases = {case.id: (case.platform, case.kernel, case.size) for case in plan.all_cases()} if cells else {}

    def of(self, finding: judged.Finding) -> tuple[Link, ...]:
        """The pictures of what a finding names, or else the section that its check belongs to."""
        texts = [*finding.rows, *(str(each["name"]) for each in _open_details(finding))]
        found = list(dict.fromkeys(link for text in texts for link in self._named(text)))
        return tuple(found[:_MOST_LINKS]) or (self._topic(finding.check),)

    def _named(self, text: str) -> Iterator[Link]:
        case = self._cases.get(text.split(": ", 1)[0].split(" ", 1)[0])
        if case in self._cells:
            yield self._cells[case]
        if case is not None:
            return
        if (found := _CELL.match(text)) is not None:
            for kernel in found["kernels"].split(" and "):
                key = found["platform"], kernel, int(found["size"])
                if key in self._cells:
                    yield self._cells[key]
        if (found := _COMPARISON.match(text)) is not None:
            link = self._split.get((found["kernel"], int(found["size"])))
            if link is not None:
                yield link

    def _topic(self, check: str) -> Link:
        link = next((link for start, link in _TOPICS if check.startswith(start)), ATTENDANCE)
        others = (CELLS, GATES) if link in (LIMITS, T3, T5) else (ATTENDANCE, GATES)
        return next(each for each in (link, *others) if each.target in self._sections)


def _open_details(finding: judged.Finding) -> Iterator[Mapping[str, Any]]:
    """The limits that a finding is about: those that do not hold, or all of one that passed."""
    for each in finding.details:
        if "name" in each and (finding.status is CheckStatus.PASS or each.get("answer") != CheckStatus.PASS.value):
            yield each


def show_findings(
    findings: tuple[judged.Finding, ...], seen_at: Callable[[judged.Finding], tuple[Link, ...]]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Findings that did not pass, worst first, and those that did, in the judge's order."""
    passed = [finding for finding in findings if finding.status is CheckStatus.PASS]
    found = enumerate((*sort_findings(findings), *passed), start=1)
    shown = [_finding(f"finding-{place}", finding, seen_at(finding)) for place, finding in found]
    at = len(shown) - len(passed)
    return tuple(shown[:at]), tuple(shown[at:])


def _finding(anchor: str, finding: judged.Finding, seen_at: tuple[Link, ...]) -> Finding:
    answers = [each for each in _open_details(finding) if "estimate" in each]
    return Finding(
        anchor=anchor,
        level=f"SEV{int(finding.severity)}" if finding.severity else "info",
        check=finding.check,
        status=finding.status.value,
        reason_code=finding.reason_code,
        message=plain(finding.message)[:_LENGTH],
        observed=_value(finding.observed),
        required=_value(finding.required),
        is_blocking=finding.blocking,
        answers=() if finding.status is CheckStatus.PASS else tuple(_answer(each) for each in answers),
        seen_at=seen_at,
    )


def _value(value: object) -> str:
    """A number as tables have it, whole ones whole; text as it is; nothing for none."""
    if value is None:
        return ""
    if isinstance(value, float):
        return number(value, 3) if value != round(value, 0) or abs(value) >= 1e6 else f"{value + 0.0:.0f}"
    return plain(str(value))
