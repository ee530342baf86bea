"""What the hosts of a label show beside each other: a slow one among them, and what is certain of all together."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_weekops.core.fleet.fleet_file import Promotes
from pytest_weekops.core.fleet.outcome import HostOutcome
from pytest_weekops.core.fleet.outliers import LEAST_HOSTS, low_outliers
from pytest_weekops.core.fleet.together import Common, common_ratio, difference
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed, inconclusive, listed, no_data, passed

_ALL = "all cells"  # of each host, their mean
Values = dict[str, dict[str, float]]  # by cell, then by host


def outliers(label: str, outcomes: Sequence[HostOutcome], promotes: Promotes) -> tuple[tuple[str, ...], Finding]:
    """The slow hosts among these, each driver's apart, and the finding about them.

    The finding does not block by itself: an outlier is a host that did not promote, and the label's share says what
    follows from that.
    """
    groups = [group for group in _by_driver(outcomes).values() if len(group) >= LEAST_HOSTS]
    slow: dict[str, float] = {}
    for group in groups:
        slow.update(_slow(_values(group, "throughput"), promotes, promotes.max_false_alarm / len(groups)))
    return tuple(sorted(slow)), _told(label, outcomes, slow, promotes)


def speeds(outcomes: Sequence[HostOutcome]) -> dict[str, float]:
    """How far each host's log throughput lies from the median of those that have its driver, as a mean over its cells.

    The numbers that :func:`outliers` asks about, for the same outcomes of one label.
    """
    found: dict[str, float] = {}
    for group in _by_driver(outcomes).values():
        found |= _means({cell: _from_median(values) for cell, values in _values(group, "throughput").items()})
    return found


@dataclass(frozen=True)
class CellSpread:
    """One cell over the hosts of one driver: log throughput of the slowest, the median and the fastest host.

    ``sd`` is the standard deviation of the logarithms, None of a single host.
    """

    driver_sha256: str
    cell: str
    hosts: int
    slowest: str
    low: float
    median: float
    high: float
    sd: float | None


def spreads(outcomes: Sequence[HostOutcome]) -> Iterator[CellSpread]:
    """Each cell of each driver over the hosts of one label."""
    for driver, group in sorted(_by_driver(outcomes).items()):
        for cell, values in _values(group, "throughput").items():
            slowest, logs = min(values, key=lambda host: (values[host], host)), list(values.values())
            sd = statistics.stdev(logs) if len(logs) > 1 else None
            yield CellSpread(driver, cell, len(logs), slowest, values[slowest], statistics.median(logs), max(logs), sd)


def _slow(cells: Values, promotes: Promotes, false_alarm: float) -> Iterator[tuple[str, float]]:
    """Each outlier with its lowest share of the median: half the error for a host's mean, half for its single cells."""
    by_cell = {cell: _from_median(values) for cell, values in cells.items()}
    means = _means(by_cell)
    asked = [(means, false_alarm / 2), *((each, false_alarm / 2 / len(by_cell)) for each in by_cell.values())]
    lowest: dict[str, float] = {}
    for values, level in asked if by_cell else ():
        for host in low_outliers(values, level):
            share = math.exp(values[host] - statistics.median(values.values()))
            if share < promotes.min_host_ratio:
                lowest[host] = min(share, lowest.get(host, 1.0))
    yield from lowest.items()


def _told(label: str, outcomes: Sequence[HostOutcome], slow: Mapping[str, float], promotes: Promotes) -> Finding:
    check, where = "fleet_outlier", f"Label {label}"
    measured = sum(any(one.of == "throughput" for one in outcome.estimates) for outcome in outcomes)
    if not measured:
        words = f"{where}: no host has a throughput, so a slow one among them would not be seen. Run the weekly suite."
        return no_data(check, "no_throughput", words, blocking=False, rows=(label,))
    if slow:
        told = listed([f"{host} at {share:.2f} of the median" for host, share in sorted(slow.items())])
        message = (
            f"{where}: {told}; the others do not scatter so far. Such a host says little of the driver and has a fault "
            "of its own, or a quirk of its driver. Look at its clocks, cooling and neighbours, or except it by name."
        )
        facts = {"observed": min(slow.values()), "required": promotes.min_host_ratio}
        return failed(check, "slow_host", message, blocking=False, rows=tuple(sorted(slow)), **facts)
    if max(map(len, _by_driver(outcomes).values())) < LEAST_HOSTS:
        words = f"{where}: hosts with a throughput: {measured}. Fewer than {LEAST_HOSTS} of one driver show no outlier."
        return inconclusive(check, "few_hosts", words, blocking=False, rows=(label,), observed=measured)
    return passed(check, f"{where}: no outlier among {measured} hosts", rows=(label,), observed=0)


def together(label: str, outcomes: Sequence[HostOutcome], promotes: Promotes) -> Iterator[Finding]:
    """What is certain of the candidate's ratio over all these hosts, where they measured one."""
    cells = _values(outcomes, "ratio")
    errors = {(o.host, e.cell): e.sd for o in outcomes for e in o.estimates if e.of == "ratio"}
    asked = {cell: (values, {host: errors[host, cell] for host in values}) for cell, values in cells.items()}
    if asked:
        asked = {_ALL: _host_means(asked), **asked}
    miss = promotes.max_false_alarm / max(1, len(asked))
    found = {
        cell: common
        for cell, (logs, sds) in asked.items()
        if (common := common_ratio(list(logs.values()), [sds[host] for host in logs], miss)) is not None
    }
    if asked:
        yield _of_limit("fleet_together", label, found, promotes, "candidate over baseline")


def _host_means(
    cells: Mapping[str, tuple[dict[str, float], dict[str, float]]],
) -> tuple[dict[str, float], dict[str, float]]:
    """Each host's mean over its cells, and its standard error where cells err each for itself."""
    logs, errors = defaultdict(list), defaultdict(list)
    for values, sds in cells.values():
        for host, value in values.items():
            logs[host].append(value)
            errors[host].append(sds[host])
    means = {host: statistics.fmean(values) for host, values in logs.items()}
    return means, {host: math.hypot(*sds) / len(sds) for host, sds in errors.items()}


def versions(label: str, outcomes: Sequence[HostOutcome], promotes: Promotes) -> Iterator[Finding]:
    """Whether one of the drivers that this label's hosts have is certainly slower than another."""
    groups = {driver: _values(group, "throughput") for driver, group in sorted(_by_driver(outcomes).items())}
    pairs = list(itertools.permutations(groups, 2))
    comparisons = [(a, b, cell) for a, b in pairs for cell in groups[a] if cell in groups[b]]
    found: dict[str, Common] = {}
    for one, other, cell in comparisons:
        logs = list(groups[one][cell].values()), list(groups[other][cell].values())
        common = difference(*logs, promotes.max_false_alarm / len(comparisons))
        if common is not None:
            found[f"{_name(outcomes, one)} over {_name(outcomes, other)}, {cell}"] = common
    if comparisons:
        yield _of_limit("fleet_versions", label, found, promotes, "one driver over another")


def _name(outcomes: Sequence[HostOutcome], driver_sha256: str) -> str:
    version = next(outcome.driver for outcome in outcomes if outcome.driver_sha256 == driver_sha256)
    return f"{version or 'driver'} {driver_sha256[:12]}".strip()


def _of_limit(check: str, label: str, found: Mapping[str, Common], promotes: Promotes, what: str) -> Finding:
    """The finding about ratios of which none may certainly lie below the limit."""
    limit, where = math.log(promotes.min_ratio), f"Label {label}"
    if not found:
        words = (
            f"{where}: too few hosts have {what} for an interval over them; at least three are needed, or two of each."
        )
        return inconclusive(check, "few_hosts", words, blocking=False, rows=(label,))
    details = tuple(
        {
            "cell": cell,
            "hosts": c.hosts,
            "ratio": math.exp(c.log),
            "lower": math.exp(c.lower),
            "upper": math.exp(c.upper),
        }
        for cell, c in found.items()
    )
    lowest = min(found, key=lambda cell: (found[cell].upper, cell))
    common = found[lowest]
    ratio, upper = math.exp(common.log), math.exp(common.upper)
    numbers = f"{ratio:.3f} in {lowest} over {common.hosts} hosts, at most {upper:.3f}"
    if common.upper < limit:
        message = (
            f"{where}: {what} is {numbers}, below the least of {promotes.min_ratio:g}. No host alone needs to show it; "
            "together they leave no doubt. Find the build that made it slow, or state another min_ratio."
        )
        facts = {"observed": ratio, "required": promotes.min_ratio, "details": details}
        return failed(check, "slower_together", message, rows=(label,), **facts)
    return passed(check, f"{where}: {what} is {numbers}", rows=(label,), observed=ratio, details=details)


def _by_driver(outcomes: Sequence[HostOutcome]) -> dict[str, list[HostOutcome]]:
    groups: dict[str, list[HostOutcome]] = defaultdict(list)
    for outcome in outcomes:
        if any(one.of == "throughput" for one in outcome.estimates):
            groups[outcome.driver_sha256].append(outcome)
    return groups


def _values(outcomes: Sequence[HostOutcome], of: Literal["ratio", "throughput"]) -> Values:
    cells: Values = defaultdict(dict)
    for outcome in sorted(outcomes, key=lambda each: each.host):
        for one in outcome.estimates:
            if one.of == of:
                cells[one.cell][outcome.host] = one.log
    return dict(sorted(cells.items()))


def _from_median(values: Mapping[str, float]) -> dict[str, float]:
    middle = statistics.median(values.values())
    return {host: value - middle for host, value in values.items()}


def _means(cells: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Each host's mean over the cells that it has."""
    found = defaultdict(list)
    for values in cells.values():
        for host, value in values.items():
            found[host].append(value)
    return {host: statistics.fmean(values) for host, values in sorted(found.items())}
