"""What a fleet file must not say though every key of it is well formed: hosts twice, labels of nobody, idle numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from pytest_weekops.core.fleet.fleet_file import SEVERITY_OF_FLEET_CHECK, FleetFile
from pytest_weekops.core.fleet.reach import MOST_HOSTS


class Contradiction(ValueError):
    """Two places of a fleet file that do not go together. ``place`` is the key to look at, ``advice`` what to do."""

    def __init__(self, place: tuple[str, ...], problem: str, advice: str) -> None:
        super().__init__(f"{'.'.join(place)} {problem}. {advice}")
        self.place, self.problem, self.advice = place, problem, advice


def contradictions(fleet: FleetFile) -> Iterator[Contradiction]:
    """Each of them, in the order of the file."""
    yield from _hosts(fleet)
    yield from _labels(fleet)
    for label in fleet.labels:
        yield from _share(fleet, label)
        yield from _stages(fleet, label)
    yield from _severity(fleet)


def _hosts(fleet: FleetFile) -> Iterator[Contradiction]:
    hosts = [host.name.lower() for host in fleet.hosts]
    if len(hosts) > MOST_HOSTS:
        yield Contradiction(("pools",), f"come to {len(hosts)} hosts", f"At most {MOST_HOSTS} are one fleet; split it.")
    name, count = Counter(hosts).most_common(1)[0]
    if count > 1:
        problem = f"come to {count} hosts that are called {name}"
        yield Contradiction(("pools",), problem, "Outcomes are told apart by name. Name a pool or a host otherwise.")


def _labels(fleet: FleetFile) -> Iterator[Contradiction]:
    for name, pool in fleet.pools.items():
        if pool.label not in fleet.labels:
            yield _no_label(fleet, ("pools", name, "label"), pool.label)
    for section, rows in (("promotes", fleet.promotes), ("stages", fleet.stages)):
        for label in rows:
            if label not in fleet.labels:
                yield _no_label(fleet, (section, label), label)
    for label in fleet.labels:
        if not fleet.hosts_of(label):
            yield Contradiction(
                ("labels", label), "has no host", "Nothing could promote it. Give it a pool or drop it."
            )


def _no_label(fleet: FleetFile, place: tuple[str, ...], label: str) -> Contradiction:
    known = f"Known are {', '.join(fleet.labels)}."
    return Contradiction(place, f"names the label {label}, which is not under labels", known)


def _share(fleet: FleetFile, label: str) -> Iterator[Contradiction]:
    names = [host.name for host in fleet.hosts_of(label)]
    promotes, at = fleet.promotes_of(label), ("promotes", label, "exceptions")
    for host in promotes.exceptions:
        if host not in names:
            yield Contradiction((*at, host), "is no host of this label", "An exception excuses a host that there is.")
    counted = len(names) - len(promotes.exceptions)
    spare, missing = counted - promotes.needed(counted), fleet.labels[label].may_be_missing
    if counted < 1:
        yield Contradiction(at, "leaves no host that counts", "A channel promotes on hosts. Leave at least one.")
    elif missing > spare:
        problem = f"is {missing}, and the label's share of {promotes.share:g} leaves {spare} of {counted} hosts at most"
        advice = "Lower it, or lower promotes.share: a missing host is one that did not promote."
        yield Contradiction(("labels", label, "may_be_missing"), problem, advice)


def _stages(fleet: FleetFile, label: str) -> Iterator[Contradiction]:
    hosts, at = len(fleet.hosts_of(label)), ("stages", label)
    counts = [stage.count(hosts) for stage in fleet.stages_of(label)]
    if not counts or counts[-1] != hosts:
        yield Contradiction(at, f"does not end with all of its {hosts} hosts", "End it with `hosts: all`.")
    if any(after <= before for before, after in pairwise(counts)):
        words = ", ".join(map(str, counts))
        yield Contradiction(at, f"comes to {words} hosts", "Each stage has more hosts than the one before. Drop one.")


def _severity(fleet: FleetFile) -> Iterator[Contradiction]:
    table, at = fleet.severity, ("severity", "checks")
    for check, level in table.checks.items():
        if check not in SEVERITY_OF_FLEET_CHECK:
            known = ", ".join(SEVERITY_OF_FLEET_CHECK)
            yield Contradiction((*at, check), "is no check of a fleet", f"It would grade nothing. Known are {known}.")
        if level not in (1, 2, 3):
            yield Contradiction((*at, check), f"is {level}", "A check that does not pass is 1, 2 or 3.")
    for name in ("unlisted", "no_data", "inconclusive"):
        if (level := getattr(table, name)) not in (1, 2, 3):
            yield Contradiction(("severity", name), f"is {level}", "What does not pass is 1, 2 or 3.")
    if missing := sorted({1, 2, 3, 4} - set(table.levels)):
        yield Contradiction(("severity", "levels"), f"lacks {missing[0]}", "All of 1 to 4 need time, action and owner.")
