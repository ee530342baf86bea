"""What the page of a run shows, as plain values without any HTML: each number as records and verdict have it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """A place on the page, or a file beside it, and what it is called."""

    target: str
    words: str


@dataclass(frozen=True)
class Fact:
    """A name and its value in words, where the value is a path, a hash or a command to copy (``is_code``)."""

    name: str
    value: str
    is_code: bool = False
    target: str = ""


@dataclass(frozen=True)
class Answer:
    """One limit and how far from it the run is: in percent above it, with the judge's interval; None is unbounded.

    0 is the limit, whatever it limits; more is better. ``decided_after`` counts snapshots, None where it is open.
    """

    name: str
    asked: str
    bound: str
    status: str
    margin: float
    low: float | None
    high: float | None
    snapshots: int
    decided_after: int | None


@dataclass(frozen=True)
class Finding:
    """One check as the verdict has it, and where on the page it can be seen."""

    anchor: str
    level: str
    check: str
    status: str
    reason_code: str
    message: str
    observed: str
    required: str
    is_blocking: bool
    answers: tuple[Answer, ...]
    seen_at: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One measurement of a cell, void ones included. Launches in milliseconds; throughput in the cell's unit.

    ``left_out_ms`` are launches that other programs kept from running and that count for nothing; of a void
    measurement none counts. ``low`` and ``high`` are throughput at the slowest and the fastest twentieth of the
    launches. ``host_ms`` is a fixed piece of work beside or around them, ``load_percent`` the CPU time that others had.
    """

    snapshot: int
    seed: int | str
    order: int
    minutes: float | None
    status: str
    void: str = ""
    reason: str = ""
    launches_ms: tuple[float, ...] = ()
    left_out_ms: tuple[float, ...] = ()
    throughput: float | None = None
    low: float | None = None
    high: float | None = None
    median_ms: float | None = None
    p95_ms: float | None = None
    host_ms: float | None = None
    load_percent: float | None = None

    @property
    def is_counted(self) -> bool:
        """Whether the verdict rests on it."""
        return self.throughput is not None


@dataclass(frozen=True)
class Limit:
    """A line in a picture: what nothing may lie below (or above), and what it is called."""

    value: float
    words: str


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Platform, kernel and size: everything that was measured of it, in order, and its limits.

    ``host`` names what ``host_ms`` of its attempts is. ``interval`` is the judge's for the throughput of the whole run.
    """

    anchor: str
    name: str
    platform: str
    kernel: str
    size: int
    unit: str
    status: str
    limits: str
    attempts: tuple[Attempt, ...]
    floors: tuple[Limit, ...]
    ceilings_ms: tuple[Limit, ...]
    interval: tuple[float, float | None, float | None] | None
    host: str
    built: tuple[str, ...]
    sensors: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Candidate over baseline throughput of one kernel and size: of each snapshot and seed, and over all.

    A snapshot of None stands for a seed's only ratio, which is all that a recorded split has.
    """

    anchor: str
    name: str
    kernel: str
    size: int
    status: str
    reason: str
    least: float
    ratio: float | None
    interval: tuple[float, float | None, float | None] | None
    by_seed: tuple[tuple[int | str, tuple[tuple[int | None, float], ...]], ...]

    @property
    def is_of_seeds(self) -> bool:
        """Whether each seed has one ratio and no snapshots."""
        return bool(self.by_seed) and all(place is None for _seed, series in self.by_seed for place, _ratio in series)


@dataclass(frozen=True)
class Overhead:
    """What the guard cost in one measurement, percent of a launch, with its 95 % interval where there is one."""

    snapshot: int
    seed: int
    percent: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Guarded:
    """What the T5 guard did in one cell, in words and per measurement."""

    name: str
    words: tuple[str, ...]
    overheads: tuple[Overhead, ...]


@dataclass(frozen=True)
class Bit:
    """Flips of one bit of a result: tried, caught, and the 95 % interval of the share, all shares of one."""

    bit: int
    tried: int
    caught: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Recall:
    """One fault campaign that vouches for the guard of this run."""

    name: str
    made_at: str
    bits: tuple[Bit, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Tried:
    """A variant that T3 tried: how often, its best time in milliseconds, and what was wrong with it."""

    arm: str
    launches: int
    best_ms: float | None
    problems: str
    is_chosen: bool


@dataclass(frozen=True)
class Selected:
    """What online selection did in one cell."""

    name: str
    words: str
    reason: str
    tried: tuple[Tried, ...]


@dataclass(frozen=True)
class Gate:
    """One gate: what was checked, of which platform, and how it ended."""

    name: str
    is_passed: bool
    reason: str


@dataclass(frozen=True)
class Results:
    """One table of results, in the words that terminal and summary use; each row leads to its cell."""

    columns: tuple[tuple[str, str], ...]
    lines: tuple[tuple[str, tuple[str, ...]], ...]  # anchor, texts
    remarks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Place:
    """One cell in one snapshot and seed: how it ended, and how often it was void before that."""

    cell: int
    column: int
    status: str
    voids: int


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """Everything that was planned, and what came of it: cells by snapshots (and seeds)."""

    cells: tuple[str, ...]
    columns: tuple[str, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that the page of a run shows. ``recorded`` is the command that makes that of a recorded file, else empty."""

    run_id: str
    kind: str
    announced: str
    decision: str
    severity: int
    exit_status: int
    owner: str
    within: str
    action: str
    next_step: str
    because: str
    drivers: tuple[str, ...]
    meaning: tuple[str, ...]
    cannot_say: tuple[str, ...]
    notes: tuple[str, ...]
    open_findings: tuple[Finding, ...]
    passed: tuple[Finding, ...]
    results: tuple[Results, ...]
    answers: tuple[Answer, ...]
    attendance: Attendance
    gates: tuple[Gate, ...]
    cells: tuple[Cell, ...]
    comparisons: tuple[Comparison, ...]
    guarded: tuple[Guarded, ...]
    overhead_limit: float | None
    recalls: tuple[Recall, ...]
    selected: tuple[Selected, ...]
    identities: tuple[tuple[str, tuple[Fact, ...]], ...]
    run_facts: tuple[Fact, ...]
    policy_facts: tuple[Fact, ...]
    kernels: tuple[Fact, ...]
    files: tuple[Fact, ...]
    recorded: str = ""
