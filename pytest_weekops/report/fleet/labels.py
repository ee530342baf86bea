"""One label as the page of a fleet run shows it: its counts, its hosts, and what they show beside each other. Pure."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_weekops.core.fleet.between import speeds, spreads
from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.label_checks import compared, with_outlier
from pytest_weekops.core.fleet.label_verdict import LabelVerdict
from pytest_weekops.core.fleet.outcome import HostOutcome
from pytest_weekops.core.fleet.standing import Count, Standing
from pytest_weekops.report.fleet.shown import CellRow, HostRow, LabelPart, Ratio
from pytest_weekops.report.page.shown import Link

TONES = {Count.PROMOTED: "good", Count.UNDECIDED: "open", Count.MISSING: "void", Count.FAILED: "bad"}
_RATIOS = {"fleet_together": "candidate over baseline", "fleet_versions": "one driver over another"}
_MOST_LINES = 60  # of a table of cells or ratios, the lowest first
_HASH = 12  # characters of a driver's hash, as the findings have it


@dataclass(frozen=True)
class Listing:
    """Which hosts are listed, in order, and what lies in the directory of each."""

    hosts: tuple[str, ...]
    files: Mapping[str, tuple[Link, ...]]


def show_label(fleet: FleetFile, found: LabelVerdict, stands: Sequence[Standing], listing: Listing) -> LabelPart:
    """One label with its hosts."""
    count, label = found.count, fleet.labels[found.count.label]
    out = frozenset(count.excepted)
    counted = [one for one in stands if one.host.name not in out]
    level = fleet.severity.checks.get("fleet_outlier", 3)
    believed = compared(counted)
    shares = {host: math.exp(log) for host, log in speeds(believed).items()}
    driver = _usual_driver(stands)
    of = _Rows(fleet.promotes_of(count.label).exceptions, shares, frozenset(count.outliers), driver, listing.files)
    rows = {one.host.name: of.row(with_outlier(one, count.outliers, level)) for one in stands}
    here = tuple(rows[name] for name in listing.hosts if name in rows)
    told = ", ".join(filter(None, (label.device_class, label.channel and f"channel {label.channel}")))
    return LabelPart(
        name=count.label,
        anchor=f"label-{_anchor(count.label)}",
        told=told,
        decision=found.decision.value,
        counts=f"{count.promoted} of {count.counted} hosts promoted, {count.needed} must",
        states=tuple(sorted(count.states.items())),
        tones=tuple(Counter(rows[one.host.name].tone for one in counted).items()),
        needed=count.needed,
        driver=driver,
        excepted=count.excepted,
        hosts=here,
        left_out=len(rows) - len(here),
        shares=tuple((host, share, host in of.slow) for host, share in sorted(shares.items(), key=lambda one: one[1])),
        least_share=fleet.promotes_of(count.label).min_host_ratio,
        cells=tuple(_cells(believed))[:_MOST_LINES],
        ratios=tuple(_ratios(found)),
    )


def _usual_driver(stands: Sequence[Standing]) -> str:
    """The driver that most hosts have, in words; the first by name where two have as many."""
    seen = Counter(one.outcome.driver for one in stands if one.outcome is not None and one.outcome.driver)
    return min(seen, key=lambda driver: (-seen[driver], driver), default="")


@dataclass(frozen=True)
class _Rows:
    """What rows of one label are made of."""

    exceptions: Mapping[str, str]
    shares: Mapping[str, float]
    slow: frozenset[str]
    usual: str
    files: Mapping[str, tuple[Link, ...]]

    def row(self, one: Standing) -> HostRow:
        """One host."""
        name, outcome = one.host.name, one.outcome
        reason = self.exceptions.get(name)
        why = "; ".join(filter(None, (f"excepted: {reason}" if reason is not None else "", one.why)))
        driver = outcome.driver if outcome is not None else ""
        is_good = one.counts is Count.PROMOTED
        return HostRow(
            name=name,
            anchor=f"host-{_anchor(name)}",
            site=one.host.site,
            state=str(one.state),
            tone=TONES[one.counts],
            level="" if is_good else "excepted" if reason is not None else f"SEV{int(one.severity)}",
            why=why,
            own=_own(outcome),
            driver=driver if driver != self.usual else "",
            share=self.shares.get(name),
            is_slow=name in self.slow,
            files=self.files.get(name, ()),
        )


def _own(outcome: HostOutcome | None) -> str:
    """What a host says of itself, where the coordinator says something else."""
    if outcome is None or outcome.own is None or outcome.judged is None or outcome.own == outcome.judged:
        return ""
    own = outcome.own
    return f"the host itself says {own.decision} at SEV{int(own.severity)} ({own.exit_status})"


def _cells(outcomes: Sequence[HostOutcome]) -> Iterator[CellRow]:
    drivers = {outcome.driver_sha256: outcome.driver for outcome in outcomes}
    for each in spreads(outcomes):
        yield CellRow(
            driver=f"{drivers[each.driver_sha256]} {each.driver_sha256[:_HASH]}".strip(),
            cell=each.cell,
            hosts=each.hosts,
            median=math.exp(each.median),
            slowest=each.slowest,
            low=math.exp(each.low - each.median),
            high=math.exp(each.high - each.median),
            spread_percent=None if each.sd is None else 100.0 * each.sd,
        )


def _ratios(found: LabelVerdict) -> Iterator[Ratio]:
    """What the findings over all hosts have of each cell, the lowest first."""
    for finding in found.findings:
        if finding.check in _RATIOS:
            lowest = sorted(finding.details, key=lambda detail: float(detail["ratio"]))
            yield from (_ratio(_RATIOS[finding.check], detail) for detail in lowest[:_MOST_LINES])


def _ratio(kind: str, detail: Mapping[str, Any]) -> Ratio:
    numbers = (float(detail[name]) for name in ("ratio", "lower", "upper"))
    return Ratio(kind, str(detail["cell"]), int(detail["hosts"]), *numbers)


def _anchor(name: str) -> str:
    """A name as the end of an id: file names of hosts and labels are plain, and whatever is not becomes a hash."""
    is_plain = name.replace("-", "").replace("_", "").replace(".", "").isalnum() and name.isascii()
    return name if is_plain else hashlib.sha256(name.encode()).hexdigest()[:_HASH]
