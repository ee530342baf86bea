"""What the site's pages show, as plain values without any HTML. Targets are relative to the site's first page."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_weekops.core.week.levels import Shift
from pytest_weekops.report.page.shown import Link


@dataclass(frozen=True)
class Place:
    """Where a run's page is, and that of its week; without a target ``missing`` says why there is none."""

    target: str
    missing: str
    week: Link


@dataclass(frozen=True)
class RunRow:
    """A run as the ledger has it. ``verdict`` is ``promote`` or its severity."""

    run_id: str
    place: Place
    kind: str
    created_at: str
    verdict: str
    exit_status: int
    failed: str
    drivers: tuple[str, ...]


@dataclass(frozen=True)
class ResultRow:
    """One cell of a run, or a comparison of a split: words for each column, and the page of its history."""

    run_id: str
    name: str
    target: str
    numbers: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class Action:
    """Something that a week still owes."""

    name: str
    week: Link
    text: str
    owner: str
    due: str


@dataclass(frozen=True)
class Device:
    """One driver on one device. ``state`` is a channel's state, or ``replaced``."""

    platform: str
    hardware: str
    driver: str
    state: str
    why: str
    runs: int
    last: RunRow
    promote: Link | None
    baseline: str


@dataclass(frozen=True)
class WeekBox:
    """A week in the calendar. ``verdict`` is the closed week's decision, ``not closed``, or ``no runs``."""

    name: str
    target: str
    verdict: str
    severity: int | None
    runs: int
    promoted: int
    owed: int


@dataclass(frozen=True)
class Year:
    """The weeks of one ISO year, in order."""

    year: int
    weeks: tuple[WeekBox, ...]


@dataclass(frozen=True)
class CellRow:
    """A cell's history in one line: its last number, and its page."""

    name: str
    target: str
    unit: str
    runs: int
    last: float | None
    verdict: str
    status: str


@dataclass(frozen=True)
class FleetRow:
    """A fleet run as the ledger has it: its verdict over many hosts, and where its page is or why there is none."""

    fleet_run: str
    fleet_id: str
    place: Place
    suite: str
    decision: str
    severity: str
    states: str
    failed: str


@dataclass(frozen=True)
class IndexPage:
    """The first page."""

    records: int
    head: str
    state: str
    since: str
    why: tuple[str, ...]
    lifts: tuple[str, ...]
    devices: tuple[Device, ...]
    years: tuple[Year, ...]
    actions: tuple[Action, ...]
    cells: tuple[CellRow, ...]
    notes: tuple[str, ...]
    fleets: tuple[FleetRow, ...] = ()


@dataclass(frozen=True)
class Track:
    """One track of a closed week, with its evidence: path, hash, and whether it was as recorded."""

    name: str
    decision: str
    rationale: str
    evidence: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class Acta:
    """A closed week's decision, as its document has it."""

    closed_at: str
    rationale: str
    owner: str
    due: str
    action: str
    channel: str
    tracks: tuple[Track, ...]
    findings: tuple[str, ...]
    lifted_by: tuple[str, ...]


@dataclass(frozen=True)
class WeekPage:
    """A week. Without ``acta`` its decision is not shown, and ``acta_note`` says why."""

    box: WeekBox
    first_day: str
    last_day: str
    acta: Acta | None
    acta_note: str
    runs: tuple[RunRow, ...]
    results: tuple[ResultRow, ...]
    columns: tuple[str, ...]
    actions: tuple[Action, ...]
    before: Link | None
    after: Link | None
    fleets: tuple[FleetRow, ...] = ()


@dataclass(frozen=True)
class CellPoint:
    """One run of a cell: its number with bounds in the cell's unit, marks as `weekops history` has them.

    ``compared`` leads to the page beside the last run before it that is there.
    """

    run: RunRow
    throughput: float | None
    low: float | None
    high: float | None
    p95_ms: float | None
    status: str
    driver: str
    marks: str
    pinned: bool
    compared: Link | None


@dataclass(frozen=True)
class CellPage:
    """The history of a cell, oldest run first. ``shifts`` are None where nobody looked, and ``note`` says why."""

    name: str
    unit: str
    points: tuple[CellPoint, ...]
    changes: tuple[str, ...]
    shifts: tuple[Shift, ...] | None
    note: str


@dataclass(frozen=True)
class CompareRow:
    """One cell of two runs, in the words of `weekops compare`, and its interval on the page's axis.

    ``launches`` has how often each launch time came in the first run and in the second, and ``ends`` their common axis.
    """

    name: str
    target: str
    texts: tuple[str, ...]
    strip: str
    status: str
    remark: str
    launches: tuple[str, str]
    ends: tuple[str, str]


@dataclass(frozen=True)
class ComparePage:
    """Two runs. Where they could not be compared, ``problem`` says why, and nothing else is there.

    ``margin`` in percent is empty where it is the one that the command takes by itself.
    """

    first: Link
    second: Link
    problem: str = ""
    differences: tuple[tuple[str, str, tuple[str, ...]], ...] = ()  # what, a word for it, and each in words
    columns: tuple[str, ...] = ()
    axis: tuple[str, str] = ("", "")
    rows: tuple[CompareRow, ...] = ()
    margin: str = ""
    sentences: tuple[str, ...] = ()  # what is certain first
    worst: tuple[str, ...] = ()  # the gravest that became of a cell; nothing where none was measured
