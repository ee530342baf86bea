"""What a fleet's verdict comes to for each label: the label's own findings, and those about all that name its hosts."""

from __future__ import annotations

import math
import random
from typing import Any

from pytest_weekops.core.fleet.between import speeds, spreads
from pytest_weekops.core.fleet.fleet_file import SEVERITY_OF_FLEET_CHECK, FleetFile
from pytest_weekops.core.fleet.label_checks import compared
from pytest_weekops.core.fleet.label_verdict import OF_LABEL, label_verdicts
from pytest_weekops.core.fleet.outcome import HostOutcome
from pytest_weekops.core.fleet.standing import standings
from pytest_weekops.core.fleet.verdict import FleetDecision, judge_fleet, word_of
from pytest_weekops.core.judge.outcome import failed
from tests.support.fleets import WRONG, make_asked, make_fleet, make_outcome, make_outcomes, throughput

TWO: dict[str, Any] = {
    "pools": {"a": {"label": "x", "local": {"workers": 2}}, "b": {"label": "y", "local": {"workers": 4}}},
    "labels": {"x": {"profiles": ["pocl"]}, "y": {"profiles": ["pocl"]}},
    "promotes": {"y": {"share": 0.5}},
}


def words(fleet: FleetFile, outcomes: list[HostOutcome]) -> dict[str, str]:
    """The word of each label, and under an empty name the fleet's."""
    verdict = judge_fleet(fleet, outcomes, make_asked(fleet))
    found = label_verdicts(verdict, {host.name: host.label for host in fleet.hosts})
    assert sum(len(each.findings) for each in found) <= len(verdict.findings)
    return {"": str(verdict.decision), **{each.count.label: str(each.decision) for each in found}}


def test_each_label_has_a_word_of_its_own() -> None:
    """A label with all its hosts promotes beside one that lacks some."""
    fleet = make_fleet(**TWO)
    assert words(fleet, make_outcomes(fleet)) == {"": "promote", "x": "promote", "y": "promote"}
    assert words(fleet, make_outcomes(fleet, a_1="iterate")) == {"": "iterate", "x": "iterate", "y": "promote"}
    assert words(fleet, make_outcomes(fleet, a_1="lost")) == {"": "no_data", "x": "no_data", "y": "promote"}


def test_a_host_at_sev1_is_its_labels() -> None:
    """Though the label's own share would let that host be."""
    fleet = make_fleet(**TWO)
    outcomes = make_outcomes(fleet, b_1="iterate")
    assert words(fleet, outcomes)["y"] == "promote"
    outcomes[2] = make_outcome("b-1", "iterate", label="y", judged=WRONG, own=WRONG)
    assert words(fleet, outcomes) == {"": "iterate", "x": "promote", "y": "iterate"}


def test_whatever_becomes_of_hosts_the_fleet_promotes_where_its_labels_and_all_hosts_do() -> None:
    """No label promotes in words while the fleet does not, unless what is wrong is of no host of a label."""
    fleet, drawn = make_fleet(**TWO), random.Random(4)
    states = ["promoted", "iterate", "lost", "inconclusive", "refused"]
    for _ in range(60):
        found = words(fleet, [make_outcome(host.name, drawn.choice(states), label=host.label) for host in fleet.hosts])
        assert (found.pop("") == "promote") == (set(found.values()) == {"promote"})


def test_what_is_said_of_all_hosts_is_no_labels_wherever_it_stands() -> None:
    """A finding behind those of the last label is not that label's, and each of a label's checks is known."""
    fleet = make_fleet(**TWO)
    verdict = judge_fleet(fleet, make_outcomes(fleet), make_asked(fleet))
    further = failed("fleet_elsewhere", "why", "something", rows=("a-1",))
    longer = verdict.model_copy(update={"findings": (*verdict.findings, further)})
    first, last = label_verdicts(longer, {host.name: host.label for host in fleet.hosts})
    assert (str(first.decision), str(last.decision)) == ("iterate", "promote")
    assert first.findings[0] == further
    assert SEVERITY_OF_FLEET_CHECK.keys() >= OF_LABEL


def test_nothing_that_could_block_is_no_promote() -> None:
    """A label of which nobody said anything."""
    assert word_of([]) is FleetDecision.NO_DATA


def test_speeds_are_held_against_the_hosts_of_the_same_driver() -> None:
    """And what was refused is held against nobody."""
    fleet = make_fleet(6)
    drivers = ["d"] * 3 + ["e"] * 3
    logs = [1.0, 1.1, 1.2, 2.0, 2.0, 2.3]
    outcomes = [
        make_outcome(host.name, estimates=(throughput(log), throughput(log + 1, "auto:512")), driver_sha256=driver * 64)
        for host, log, driver in zip(fleet.hosts, logs, drivers, strict=True)
    ]
    outcomes[5] = outcomes[5].model_copy(update={"state": "refused"})
    believed = compared(standings(fleet, outcomes, make_asked(fleet)))
    found = speeds(believed)
    assert [round(value, 9) for value in found.values()] == [-0.1, 0.0, 0.1, 0.0, 0.0]
    first = next(iter(spreads(believed)))
    assert (first.cell, first.hosts, first.slowest, first.low, first.median) == ("auto:256", 3, "a-1", 1.0, 1.1)
    assert first.sd is not None
    assert math.isclose(first.sd, 0.1)
    assert next(iter(spreads(believed[:1]))).sd is None
