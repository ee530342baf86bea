"""What a fleet file says: pools of hosts, labels they are judged under, what promotes, and in which stages.

A label is one class of device in one channel of a driver: its hosts are measured alike and judged together. Every host
has a name before anything is started, so that a verdict never speaks of those alone that answered.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pytest_weekops.core.fleet.reach import MOST_HOSTS, QUEUES, Jobs, Local, Name, Pool, Ssh, Word
from pytest_weekops.core.fleet.switching import Switch
from pytest_weekops.core.judge.outcome import listed
from pytest_weekops.core.patterns import pattern_problem
from pytest_weekops.core.policy.policy import PolicyPart, SeverityLevel, SeverityTable

# A share of the fleet that is smaller lets a channel promote with most hosts against it.
LEAST_SHARE = 0.5
_EPSILON = 1e-9

#: severity of each check of a fleet that does not pass; `fleet_share` at least as grave as its worst host
SEVERITY_OF_FLEET_CHECK: dict[str, int] = {
    "fleet_complete": 1,
    "fleet_evidence": 2,
    "fleet_own_verdict": 2,
    "fleet_refused": 2,
    "fleet_worst_host": 1,
    "fleet_share": 3,
    "fleet_outlier": 3,
    "fleet_together": 2,
    "fleet_versions": 2,
    "fleet_stages": 3,
    "fleet_rolled_back": 1,
}


class Deadlines(PolicyPart):
    """How long a host may take before it counts as late or lost, in seconds."""

    start_s: float = Field(default=600.0, gt=0, le=604_800)  #: [s] from being asked to its first word; then it is lost
    silent_s: float = Field(default=900.0, gt=0, le=604_800)  #: [s] between two records; then it is lost
    gate_s: float = Field(default=14_400.0, gt=0, le=604_800)  #: [s] for the whole gate; then it is late


class Label(PolicyPart):
    """One class of device in one channel of a driver: what is run there, and for how long at most."""

    device_class: Word = ""  #: what device, in words
    channel: Word = ""  #: which driver channel, in words
    #: regular expression that the driver's version has to match; empty: whatever the profile reaches
    driver: str = ""
    profiles: tuple[Name, ...] = Field(min_length=1)  #: profiles that are measured, as `--platforms` takes them
    policy: Word = "portable.yaml"  #: the policy that its hosts are judged by: a file beside this one, or a shipped one
    options: tuple[Word, ...] = ()  #: further words for the gate's command line, the same on each host
    at_once: int | None = Field(default=None, ge=1)  #: how many of its hosts may run at once; none: all
    deadlines: Deadlines = Deadlines()  #: how long a host may take
    #: how many hosts may be lost, late or without data where `share` lets hosts be left; 0: none
    may_be_missing: int = Field(default=0, ge=0)

    @field_validator("driver")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        if problem := pattern_problem(value):
            raise ValueError(f"is no regular expression: {problem}")
        return value


class Promotes(PolicyPart):
    """What promotes the channel of a label: so many of all its hosts, the named exceptions aside."""

    #: [share] of all its hosts but the exceptions that must promote; one that is silent or lost is one that did not
    share: float = Field(default=1.0, ge=LEAST_SHARE, le=1)
    #: hosts that do not count, each with the reason why, in words
    exceptions: dict[str, str] = Field(default_factory=dict)
    #: [ratio] `fleet_together` and `fleet_versions`: candidate over baseline, or one driver over another, of all hosts
    #: together; fails where even the upper end of the interval lies below
    min_ratio: float = Field(default=0.97, gt=0.5, le=1)
    #: [ratio] `fleet_outlier`: a host's throughput over its label's median; one that certainly lies below is an outlier
    min_host_ratio: float = Field(default=0.95, gt=0, le=1)
    #: [probability] that hosts that are alike have an outlier among them, and the same that drivers that are alike, or
    #: just at `min_ratio`, fail `fleet_together` or `fleet_versions`; each of the three, per label
    max_false_alarm: float = Field(default=0.01, ge=1e-6, le=0.1)

    @field_validator("exceptions")
    @classmethod
    def _with_reasons(cls, value: dict[str, str]) -> dict[str, str]:
        if silent := [host for host, reason in value.items() if not reason.strip()]:
            raise ValueError(f"{silent[0]} has no reason; say why it does not count")
        return value

    def needed(self, counted: int) -> int:
        """How many of so many hosts must promote: at least one, rounded up."""
        return max(1, math.ceil(self.share * counted - _EPSILON))


class Stage(PolicyPart):
    """One step of a staged promotion: up to how many hosts have the candidate then, and how long it soaks."""

    #: hosts that have it after this stage, of the label's: a number, a percentage such as `10 %` (rounded up), or `all`
    hosts: int | str
    soak_s: float = Field(default=0.0, ge=0, le=2_592_000)  #: [s] between the switch and the gate

    @field_validator("hosts", mode="before")
    @classmethod
    def _is_amount(cls, value: object) -> object:
        if isinstance(value, bool) or not re.fullmatch(r"all|[1-9][0-9]*|(100|[1-9]?[0-9](\.[0-9]+)?) ?%", str(value)):
            raise ValueError("is no amount of hosts: give a number above 0, a percentage such as `10 %`, or `all`")
        if str(value).rstrip(" %").strip("0.") == "":
            raise ValueError("is no hosts at all: a stage without hosts proves nothing")
        return value

    def count(self, hosts: int) -> int:
        """How many of so many hosts it comes to, at least one and at most all."""
        text = str(self.hosts)
        if text == "all":
            return hosts
        if text.endswith("%"):
            return min(hosts, max(1, math.ceil(float(text.rstrip(" %")) / 100.0 * hosts - _EPSILON)))
        return min(hosts, int(text))


class Contradiction(ValueError):
    """Two places of a fleet file that do not go together. ``place`` is the key to look at, ``advice`` what to do."""

    def __init__(self, place: tuple[str, ...], problem: str, advice: str) -> None:
        super().__init__(f"{'.'.join(place)} {problem}. {advice}")
        self.place, self.problem, self.advice = place, problem, advice


@dataclass(frozen=True)
class Host:
    """One host that the file names: its pool, its label and its site."""

    name: str
    pool: str
    label: str
    site: str


def fleet_severity() -> SeverityTable:
    """The severities of a fleet's checks, as shipped."""
    return SeverityTable(checks=dict(SEVERITY_OF_FLEET_CHECK))


class FleetFile(PolicyPart):
    """A whole fleet: pools of hosts, labels, what promotes each label, and the stages of a promotion."""

    version: Literal[1]  #: of this format
    fleet_id: Name  #: its name
    description: Word = ""  #: words
    pools: dict[Name, Pool] = Field(min_length=1)  #: pools of hosts by name
    labels: dict[Name, Label] = Field(min_length=1)  #: labels by name
    promotes: dict[Name, Promotes] = Field(default_factory=dict)  #: what promotes a label; none: every host
    stages: dict[Name, tuple[Stage, ...]] = Field(default_factory=dict)  #: stages of a label; none: all at once
    #: how hosts of a label are switched to the candidate before they are measured; none: they have it already
    switches: dict[Name, Switch] = Field(default_factory=dict)
    severity: SeverityTable = Field(default_factory=fleet_severity)  #: severities, as in a policy

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Every host that the file names, pool by pool, in the file's order."""
        return tuple(
            Host(name, pool_name, pool.label, pool.site)
            for pool_name, pool in self.pools.items()
            for name in pool.host_names(pool_name)
        )

    def hosts_of(self, label: str) -> tuple[Host, ...]:
        """The hosts of one label, in the file's order."""
        return tuple(host for host in self.hosts if host.label == label)

    def promotes_of(self, label: str) -> Promotes:
        """What promotes this label: every host, where the file does not say."""
        return self.promotes.get(label, Promotes())

    def stages_of(self, label: str) -> tuple[Stage, ...]:
        """The stages of this label: all hosts at once, where the file does not say."""
        return self.stages.get(label, (Stage(hosts="all"),))

    @property
    def is_staged(self) -> bool:
        """Whether hosts are taken stage by stage, switched or not, instead of all at once."""
        return bool(self.stages or self.switches)

    @model_validator(mode="after")
    def _hangs_together(self) -> FleetFile:
        for contradiction in contradictions(self):
            raise contradiction
        return self


#: the model of what stands under a key, and of each entry where the key holds entries by name
SECTIONS: dict[str, type[PolicyPart]] = {
    "pools": Pool,
    "local": Local,
    "ssh": Ssh,
    **dict.fromkeys(QUEUES, Jobs),
    "labels": Label,
    "deadlines": Deadlines,
    "promotes": Promotes,
    "stages": Stage,
    "switches": Switch,
    "severity": SeverityTable,
    "levels": SeverityLevel,
}


def contradictions(fleet: FleetFile) -> Iterator[Contradiction]:
    """Each of them, in the order of the file."""
    yield from _hosts(fleet)
    yield from _labels(fleet)
    for label in fleet.labels:
        yield from _share(fleet, label)
        yield from _stages(fleet, label)
    yield from _switches(fleet)
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
    named = (("promotes", fleet.promotes), ("stages", fleet.stages), ("switches", fleet.switches))
    for section, rows in named:
        for label in rows:
            if label not in fleet.labels:
                yield _no_label(fleet, (section, label), label)
    for label in fleet.labels:
        if not fleet.hosts_of(label):
            yield Contradiction(
                ("labels", label), "has no host", "Nothing could promote it. Give it a pool or drop it."
            )


def _no_label(fleet: FleetFile, place: tuple[str, ...], label: str) -> Contradiction:
    known = f"Known are {listed(list(fleet.labels))}."
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


def _switches(fleet: FleetFile) -> Iterator[Contradiction]:
    for label, switch in fleet.switches.items():
        profiles = fleet.labels[label].profiles if label in fleet.labels else (switch.candidate,)
        if switch.candidate not in profiles:
            problem = f"is {switch.candidate}, which is none of the label's profiles, {listed(list(profiles))}"
            advice = "The gate would measure another driver than the one that consumers get. Measure the candidate."
            yield Contradiction(("switches", label, "candidate"), problem, advice)
        if switch.baseline == switch.candidate:
            advice = "A rollback would change nothing. Name the driver that was in service before."
            yield Contradiction(("switches", label, "baseline"), "is the candidate itself", advice)
    yield from _switched_jobs(fleet)
    yield from _shared_directories(fleet)


def _switched_jobs(fleet: FleetFile) -> Iterator[Contradiction]:
    """Hosts that are another node each time: what one job switched, no other one would roll back."""
    for name, pool in fleet.pools.items():
        if pool.label in fleet.switches and (jobs := pool.jobs) is not None:
            problem = f"switches hosts of pool {name}, which are jobs of {jobs[0]}"
            advice = (
                "The queue says which node a job gets, and the job ends with its gate: nobody could roll that node "
                "back. Reach these hosts by `ssh` or `scheduler`, or leave the switch out."
            )
            yield Contradiction(("switches", pool.label), problem, advice)


def _shared_directories(fleet: FleetFile) -> Iterator[Contradiction]:
    """Hosts of this machine with one runtime profile between them: who switches one switches all."""
    whose: dict[str, str] = {}
    for host in fleet.hosts:
        if host.label not in fleet.switches or fleet.pools[host.pool].local is None:
            continue
        directory = fleet.switches[host.label].directory(host.name)
        other = whose.setdefault(directory, host.name)
        if other != host.name:
            problem = f"is {directory} for {other} and {host.name}, which are both on this machine"
            advice = "Whoever switches one would switch both. Write {host} into it, for the host's name."
            yield Contradiction(("switches", host.label, "report_dir"), problem, advice)


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
