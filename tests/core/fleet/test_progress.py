"""Where a fleet run stands: each host is counted once, estimates follow measurements, the worst comes first."""

from __future__ import annotations

import pytest

from pytest_weekops.core.fleet.outcome import HostState
from pytest_weekops.core.fleet.progress import (
    ASKED,
    RUNNING,
    WAITING,
    HostProgress,
    about,
    gravity,
    left_s,
    row,
    rows,
    worst,
)
from pytest_weekops.core.judge.finding import CheckStatus, Finding, Severity
from tests.support.fleets import make_fleet, make_outcome

TABLE = make_fleet().severity


def host(state: str = WAITING, measured: int = 0, planned: int | None = None, **changes: object) -> HostProgress:
    """One host of label ``x``."""
    return HostProgress("h", "x", state, measured, planned, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", [WAITING, ASKED, RUNNING, *HostState])
def test_every_state_is_in_one_column(state: str) -> None:
    """So that the columns add up to the hosts, whatever becomes of them."""
    found = row("x", [host(str(state))], 0.0)
    assert found.hosts == 1
    assert sum((found.waiting, found.running, found.promoted, found.iterate, found.lost, found.other)) == 1
    assert found.promoted == (state == HostState.PROMOTED)


@pytest.mark.parametrize(
    ("hosts", "left"),
    [
        ([], 0.0),
        ([host("promoted", begun=0.0, ended=30.0)], 0.0),
        ([host(), host()], None),  # nothing is known of how long they take
        ([host("promoted", begun=0.0, ended=30.0), host()], None),  # nothing says how many go on at once
        ([host(ASKED, begun=90.0)], None),
        ([host(RUNNING, 0, 8, begun=90.0)], None),
        ([host(RUNNING, 2, 8, begun=90.0)], 30.0),
        ([host(RUNNING, 9, 8, begun=90.0)], 0.0),  # more than was planned
        ([host(RUNNING, 2, 8, begun=90.0), host(RUNNING, 4, 8, begun=80.0)], 30.0),
        ([host(RUNNING, 4, 8, begun=80.0), host(ASKED, begun=100.0), host("promoted", begun=0.0, ended=60.0)], 50.0),
        ([host(RUNNING, 4, 8, begun=80.0), host(), host()], 20.0 + 2 * 40.0),  # one after the other
        ([host(RUNNING, 4, 8, begun=80.0)] * 2 + [host()] * 3, 20.0 + 2 * 40.0),  # two at once
        (
            [host("lost", begun=0.0, ended=900.0), host(RUNNING, 4, 8, begun=80.0), host()],
            60.0,
        ),  # lost ones say nothing
    ],
)
def test_what_is_left(hosts: list[HostProgress], left: float | None) -> None:
    """At 100 s, by those that were measured."""
    assert left_s(hosts, 100.0) == left


def test_a_host_in_words() -> None:
    """With cases and an estimate as soon as there are some."""
    said = [
        host().words(100.0),
        host(RUNNING, begun=80.0).words(100.0),
        host(RUNNING, 0, 8, begun=80.0).words(100.0),
        host(RUNNING, 2, 8, begun=80.0).words(100.0),
        host(RUNNING, 8, 8, begun=80.0).words(100.0),
        host(RUNNING, 1, 8).words(100.0),
    ]
    assert said == [
        "h (x): waiting",
        "h (x): running",
        "h (x): running, 0 of up to 8 cases",
        "h (x): running, 2 of up to 8 cases, at most about 60 s left",
        "h (x): running, 8 of up to 8 cases, coming to its end",
        "h (x): running, 1 of up to 8 cases",
    ]


def test_labels_in_words() -> None:
    """One line each, and one for all where there are several."""
    hosts = [host(RUNNING, 2, 8, begun=90.0), host("promoted", 8, 8, begun=0.0, ended=40.0), host("refused")]
    (alone,) = rows(["x"], hosts, 100.0)
    assert alone.words() == "x: 1 running, 1 promoted, 1 otherwise, 10 of up to 16 cases, about 30 s left"
    other = HostProgress("g", "y")
    assert [found.words() for found in rows(["y", "x"], [*hosts, other], 100.0)] == [
        "y: 1 waiting",
        alone.words(),
        "all: 1 waiting, 1 running, 1 promoted, 1 otherwise, 10 of up to 16 cases, about 70 s left",
    ]


def test_a_time_is_said_no_more_exactly_than_it_is_known() -> None:
    """In the unit that people would choose."""
    assert [about(seconds) for seconds in (7.4, 99, 100, 3600, 5400, 86_400)] == [
        "about 7 s",
        "about 99 s",
        "about 2 min",
        "about 60 min",
        "about 1.5 h",
        "about 24.0 h",
    ]


def finding(check: str, severity: int | None, status: CheckStatus = CheckStatus.FAIL) -> Finding:
    """One that does not pass."""
    level = None if severity is None else Severity(severity)
    return Finding(check=check, status=status, reason_code="x", message=f"{check} is so", severity=level)


def test_the_worst_comes_first() -> None:
    """By findings where a host was measured, by its state where not; what passed is never told."""
    passed = finding("passed", 1, CheckStatus.PASS)
    slow = make_outcome("slow", "iterate", findings=(passed, finding("drift", 3), finding("slo", 2)))
    wrong = make_outcome("wrong", "iterate", findings=(finding("correctness", 1),))
    lost = make_outcome("lost", "lost", why="its worker is gone", findings=(finding("x", None),))
    fine = make_outcome("fine", findings=(passed,))
    assert worst([fine], TABLE) == ""
    assert worst([fine, lost, slow, wrong], TABLE) == "SEV1 wrong (x): correctness fail: correctness is so"
    assert worst([lost, slow], TABLE) == "SEV2 lost (x): its worker is gone"
    assert worst([slow, lost], TABLE) == "SEV2 slow (x): slo fail: slo is so"
    assert worst([make_outcome("bare", "iterate")], TABLE) == "SEV2 bare (x): iterate"
    assert len(worst([make_outcome("long", "lost", why="x" * 999)], TABLE)) == 200


@pytest.mark.parametrize(
    ("state", "level"),
    [
        ("promoted", 4),
        ("lost", 2),
        ("late", 2),
        ("no_data", 2),
        ("inconclusive", 3),
        ("refused", 2),
        ("other_driver", 2),
    ],
)
def test_how_grave_a_state_is(state: str, level: int) -> None:
    """As the fleet's own severities have it."""
    assert gravity(make_outcome("h", state, findings=()), TABLE) == level
