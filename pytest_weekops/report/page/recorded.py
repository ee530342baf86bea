"""From a campaign that somebody else recorded, and its verdict, to a page of the same form as a run's: pure.

Such a file has the mean and p95 of each run, and no launch, no host, no driver's hash and no gate: the page says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pytest_weekops.core.judge import finding as judged
from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.recorded.campaign import P95, THROUGHPUT, RecordedCampaign, Run
from pytest_weekops.report.page.findings import ATTENDANCE, POLICY, show_findings
from pytest_weekops.report.page.recorded_ratios import RATIO_CHECK, seed_name, show_ratios, usable
from pytest_weekops.report.page.showing import because
from pytest_weekops.report.page.shown import Attempt, Attendance, Cell, Comparison, Fact, Link, Page, Place
from pytest_weekops.report.saying import duration

MOST_CELLS, MOST_RUNS = 48, 240  # with more, the page would be too large to open
_MOST_FACTS, _MOST_LINKS, _LENGTH = 40, 12, 400
SPLIT = Link("split", "all ratios")
_NEXT = "Nothing: it was recorded elsewhere, and counts for no channel. `weekops history import` shows it among weeks."
_NOT_IN_IT = (
    "What single launches did: the file has the mean and the p95 of each run, and no launch of it.",
    "What the host did meanwhile: neither its pace nor the load of other programs was recorded.",
    "Which driver that was, to the byte, and by which kernels: no hash of either was recorded.",
)


@dataclass(frozen=True)
class RecordedFile:
    """The file: its name, its SHA-256, and the command that makes the page of it."""

    name: str
    sha256: str
    command: str


def show_recorded(campaign: RecordedCampaign, verdict: Verdict, file: RecordedFile) -> Page:
    """Everything the page shows. The verdict is the one on this campaign."""
    grouped = _grouped(campaign.runs)
    cells = tuple(_cell(place, name, runs, verdict) for place, (name, runs) in enumerate(_listed(grouped).items()))
    comparisons = show_ratios(campaign, verdict, most=MOST_CELLS, most_seeds=MOST_RUNS)
    keys = [runs[0].key for runs in grouped.values()]
    open_findings, passed = show_findings(verdict.findings, partial(_seen_at, keys, cells, comparisons))
    document = {"decision": verdict.decision.value, "exit_status": int(verdict.exit_status)}
    return Page(
        run_id=file.name,
        kind=f"recorded {verdict.kind}",
        announced=f"verdict by {verdict.rules} rules",
        decision=verdict.decision.value,
        severity=int(verdict.severity),
        exit_status=int(verdict.exit_status),
        owner=verdict.owner,
        within=duration(verdict.respond_within_minutes),
        action=verdict.action,
        next_step=_NEXT,
        because=because(verdict, document),
        drivers=tuple(dict.fromkeys(_device(run) for run in campaign.runs[:MOST_RUNS])),
        meaning=(),
        cannot_say=tuple(_cannot_say(campaign, verdict, grouped)),
        notes=verdict.notes,
        open_findings=open_findings,
        passed=passed,
        results=(),
        answers=(),
        attendance=_attendance(_listed(grouped)),
        gates=(),
        cells=cells,
        comparisons=comparisons,
        guarded=(),
        overhead_limit=None,
        recalls=(),
        selected=(),
        identities=tuple(_identities(campaign)),
        run_facts=(Fact("kind", campaign.kind), *_metadata(campaign.metadata)),
        policy_facts=(Fact("policy", verdict.policy_id), Fact("SHA-256", verdict.policy_sha256, is_code=True)),
        kernels=(),
        files=(Fact(file.name, file.sha256, is_code=True),),
        recorded=file.command,
    )


def _seen_at(
    keys: Sequence[str], cells: Sequence[Cell], comparisons: Sequence[Comparison], finding: judged.Finding
) -> tuple[Link, ...]:
    """The pictures of what a finding names; ``keys`` are the cells' names in it."""
    is_of_ratios = finding.check == RATIO_CHECK and bool(comparisons)
    links = [(each.name, Link(each.anchor, each.name)) for each in comparisons if is_of_ratios]
    links = links or [(key, Link(cell.anchor, cell.name)) for key, cell in zip(keys, cells, strict=False)]
    text = " ".join((*finding.rows, finding.message))
    found = tuple(link for key, link in links if _is_named(key, text) or _is_named(link.words, text))
    return found[:_MOST_LINKS] or (SPLIT if is_of_ratios else ATTENDANCE if cells else POLICY,)


def _is_named(key: str, text: str) -> bool:
    """Whether a text names a kernel and size, and not one whose size only begins with the same digits."""
    return re.search(re.escape(key) + r"(?!\d)", text) is not None


def _grouped(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Runs by the name of their cell, in file order."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(f"{run.platform or 'one platform'} {run.key}", []).append(run)
    return found


def _listed(grouped: Mapping[str, list[Run]]) -> dict[str, list[Run]]:
    return {name: runs[:MOST_RUNS] for name, runs in list(grouped.items())[:MOST_CELLS]}


def _cell(place: int, name: str, runs: Sequence[Run], verdict: Verdict) -> Cell:
    against = [f for f in verdict.findings if f.check in verdict.failed_checks and runs[0].key in " ".join(f.rows)]
    is_whole = all(run.is_ok for run in runs)
    return Cell(
        anchor=f"cell-{place + 1}",
        name=name,
        platform=runs[0].platform,
        kernel=runs[0].kernel,
        size=runs[0].size,
        unit="GFLOPS",
        status=str(against[0].status.value) if against else "ok" if is_whole else "fail",
        limits="",
        attempts=tuple(_attempt(order, run) for order, run in enumerate(runs, start=1)),
        floors=(),
        ceilings_ms=(),
        interval=None,
        host="",
        built=(),
    )


def _attempt(order: int, run: Run) -> Attempt:
    """One run. A number that is none, or one that no measurement has, is not shown as one."""
    speed, p95 = (usable(run.number_of(metric)) for metric in (THROUGHPUT, P95))
    is_counted = run.is_ok and speed is not None
    return Attempt(
        snapshot=run.snapshot if run.snapshot is not None else order,
        seed=seed_name(run.seed_key, run.seed),
        order=order,
        minutes=None,
        status=run.status,
        reason="" if is_counted or not run.is_ok else "its throughput is no usable number",
        throughput=speed if is_counted else None,
        p95_ms=p95 if is_counted else None,
    )


def _attendance(grouped: Mapping[str, Sequence[Run]]) -> Attendance:
    """Cells by snapshots, or by seeds where the file has no snapshots."""
    columns: dict[str, int] = {}
    places: dict[tuple[int, int], list[str]] = {}
    for row, runs in enumerate(grouped.values()):
        for run in runs:
            told = f"seed {run.seed_key:.20}" if run.snapshot is None else f"{run.snapshot}"
            column = columns.setdefault(told, len(columns))
            places.setdefault((row, column), []).append(run.status)
    return Attendance(
        cells=tuple(grouped),
        columns=tuple(columns),
        places=tuple(
            Place(cell=row, column=column, status=statuses[0] if len(statuses) == 1 else "measured twice", voids=0)
            for (row, column), statuses in places.items()
        ),
    )


def _cannot_say(campaign: RecordedCampaign, verdict: Verdict, grouped: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    yield from _NOT_IN_IT
    if campaign.is_split:
        yield "How certain a ratio of the two platforms is: two means of a seed have no interval."
    yield from (f"Whatever {words}: it could not be read." for words in campaign.unread[:_MOST_LINKS])
    longest = max(map(len, grouped.values()), default=0)
    if len(grouped) > MOST_CELLS or longest > MOST_RUNS:
        yield f"This page shows {MOST_CELLS} cells and {MOST_RUNS} runs of each at most; the verdict is on all of them."
    yield from (f"Left out: {words}." for words in verdict.left_out)


def _device(run: Run) -> str:
    return f"{run.platform or 'one platform'}: {str(run.metrics.get('device', 'a device without a name'))[:_LENGTH]}"


def _identities(campaign: RecordedCampaign) -> Iterator[tuple[str, tuple[Fact, ...]]]:
    """What the first run of each platform says of its device."""
    seen: set[str] = set()
    for run in campaign.runs:
        if run.on not in seen and len(seen) < _MOST_LINKS:
            seen.add(run.on)
            told = [(name, run.metrics[name]) for name in ("platform", "device") if name in run.metrics]
            yield run.platform or "one platform", tuple(Fact(name, str(value)[:_LENGTH]) for name, value in told)


def _metadata(told: Mapping[str, object]) -> Iterator[Fact]:
    yield from (Fact(str(name)[:80], str(value)[:_LENGTH]) for name, value in list(told.items())[:_MOST_FACTS])
