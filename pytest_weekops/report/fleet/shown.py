"""What the page of a fleet run shows, as plain values without any HTML: each number as verdict and outcomes have it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_weekops.report.page.shown import Fact, Finding, Link


@dataclass(frozen=True, kw_only=True)
class HostRow:
    """One host. ``tone`` is how what it counts as is coloured; ``share`` its speed over the median of its driver's.

    ``level`` is its severity in words and empty where it promoted. ``own`` is what the host says of itself where that
    is something else. ``driver`` is empty where it is the one that most hosts of the label have.
    """

    name: str
    anchor: str
    site: str
    state: str
    tone: str
    level: str
    why: str
    own: str
    driver: str
    share: float | None
    is_slow: bool
    files: tuple[Link, ...]


@dataclass(frozen=True)
class CellRow:
    """One cell over the hosts of one driver: throughput in the cell's own unit, and shares of the median."""

    driver: str
    cell: str
    hosts: int
    median: float
    slowest: str
    low: float
    high: float
    spread_percent: float | None


@dataclass(frozen=True)
class Ratio:
    """A ratio that is estimated over all hosts of a label, with its interval."""

    kind: str
    what: str
    hosts: int
    ratio: float
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class LabelPart:
    """One label: what it came to, and its hosts, gravest first; ``left_out`` are so many that have no row.

    ``states`` counts hosts by state, and ``tones`` by how they are coloured. ``least_share`` is the share of the median
    below which a host can be an outlier.
    """

    name: str
    anchor: str
    told: str
    decision: str
    counts: str
    states: tuple[tuple[str, int], ...]
    tones: tuple[tuple[str, int], ...]
    needed: int
    driver: str
    excepted: tuple[str, ...]
    hosts: tuple[HostRow, ...]
    left_out: int
    shares: tuple[tuple[str, float, bool], ...]
    least_share: float
    cells: tuple[CellRow, ...]
    ratios: tuple[Ratio, ...]


@dataclass(frozen=True)
class NotBegun:
    """The hosts of one label whose stage never began, in the file's order; ``more`` are so many that are not named."""

    label: str
    hosts: tuple[str, ...]
    more: int


@dataclass(frozen=True, kw_only=True)
class FleetPage:
    """Everything that the page shows. ``hosts`` are those that count, and ``promoted`` so many of them."""

    fleet_run: str
    fleet_id: str
    suite: str
    week: str
    decision: str
    severity: int
    exit_status: int
    because: str
    owner: str
    within: str
    action: str
    hosts: int
    promoted: int
    cannot_say: tuple[str, ...]
    open_findings: tuple[Finding, ...]
    passed: tuple[Finding, ...]
    labels: tuple[LabelPart, ...]
    not_begun: tuple[NotBegun, ...]
    run_facts: tuple[Fact, ...]
    files: tuple[Fact, ...]
