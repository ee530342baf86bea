"""What a fleet owes at the end of a week: what is missing, what failed unanswered, and who is half switched."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.fleet.closing import Driver, FleetWeek, HostCame, RunCame, fleet_week

HOSTS = ("a-1", "a-2")


def hosts(*states: str, names: tuple[str, ...] = HOSTS) -> tuple[HostCame, ...]:
    """Hosts of label x in these states."""
    return tuple(HostCame(name, "x", state) for name, state in zip(names, states, strict=True))


def run(name: str = "one", **changes: Any) -> RunCame:
    """A weekly run that promoted."""
    facts: dict[str, Any] = {"fleet_id": "rack", "suite": "weekly", "sizes": (1400, 2048), "policies": {"x": "p"}}
    return RunCame(name, **{**facts, "hosts": hosts("promoted", "promoted"), **changes})


FAILED = run(exit_status=1, severity=2, hosts=hosts("promoted", "iterate"))


def words(*runs: RunCame) -> tuple[int, list[str], list[str]]:
    """Exit status, what is lacking, and what is owed."""
    week = fleet_week("2026-W48", runs)
    return int(week.exit_status), [one.words() for one in week.lacks], [one.words() for one in week.owed]


def test_a_week_in_which_all_promoted_owes_nothing() -> None:
    """Also where it took a second run, which asked no less; runs of other weeks are no part of it."""
    assert words(run()) == (0, [], [])
    assert words(FAILED, run("two")) == (0, [], [])
    assert words(run("last", of_week=False, exit_status=10, severity=1), run()) == (0, [], [])
    week: FleetWeek = fleet_week("2026-W48", [FAILED, run("two")])
    assert (week.decision, week.severity, week.runs) == ("promote", 4, ("one", "two"))


def test_a_failed_run_is_owed_by_host() -> None:
    """With the severity that it had."""
    assert words(FAILED) == (1, [], ["rack: run one (weekly) ended with 1 at SEV2", "rack x a-2: iterate"])
    assert words(run("two"), FAILED)[0] == 1
    stopped = run(exit_status=11, severity=3, hosts=hosts("lost", ""))
    assert words(stopped) == (1, [], [
        "rack: run one (weekly) ended with 11 at SEV3", "rack x a-1: lost", "rack x a-2: not measured",
    ])  # fmt: skip
    assert words(run(exit_status=10, severity=1))[0] == 10


@pytest.mark.parametrize(
    ("later", "why"),
    [
        ({"hosts": hosts("promoted", names=("a-1",))}, "two promoted without a-2"),
        ({"sizes": (1400,)}, "two promoted at other sizes"),
        ({"policies": {"x": "milder"}}, "two promoted under another policy of x"),
    ],
)
def test_a_promote_that_asked_less_answers_nothing(later: dict[str, Any], why: str) -> None:
    """And it is said what."""
    status, _lacks, owed = words(FAILED, run("two", **later))
    assert (status, why in owed[0]) == (1, True)


@pytest.mark.parametrize(
    "later",
    [
        {"suite": "canonical"},
        {"fleet_id": "other"},
        {"exit_status": 11, "severity": 3},
        {"problems": ("its decision is gone",)},
    ],
)
def test_what_is_no_promote_of_the_same_answers_nothing(later: dict[str, Any]) -> None:
    """Of another suite, another fleet, without a promote, or not what was recorded."""
    status, _lacks, owed = words(FAILED, run("two", **later))
    assert (status, owed[0]) == (1, "rack: run one (weekly) ended with 1 at SEV2")


def test_sizes_that_nobody_named_are_the_suites_own() -> None:
    """Named ones may be fewer."""
    by_itself = run(exit_status=1, severity=2, sizes=())
    assert words(by_itself, run("two", sizes=()))[0] == 0
    assert words(by_itself, run("two"))[0] == 1
    assert words(FAILED, run("two", sizes=()))[0] == 0


def test_what_is_missing_keeps_a_week_open() -> None:
    """No weekly run of a host, or a run that has not ended."""
    lacks = [f"rack x {host}: no weekly run of this week" for host in HOSTS]
    assert words(run(suite="canonical")) == (11, lacks, [])
    status, lacking, owed = words(run(has_ended=False, hosts=hosts("promoted", "")))
    assert (status, owed) == (11, [])
    assert lacking[0] == ("rack: run one has not ended; `weekops fleet run FILE weekly --resume` goes on with it")
    assert lacking[1:] == lacks
    assert words(run(suite="canonical"), run("two", hosts=hosts("promoted", names=("a-1",))))[1] == lacks[1:]


def test_a_host_whose_driver_nobody_knows_keeps_a_week_open() -> None:
    """Until a later run has it again, in whatever week; one that did not touch it says nothing."""
    stuck = (HostCame("a-1", "x", "iterate", Driver.UNKNOWN), HostCame("a-2", "x", "", Driver.UNTOUCHED))
    first = run(exit_status=10, severity=1, hosts=stuck)
    status, lacks, owed = words(first)
    assert (status, lacks[0]) == (
        10, "rack x a-1: nobody knows which driver it has since run one; settle that there, and run it again"
    )  # fmt: skip
    assert owed[0] == "rack: run one (weekly) ended with 10 at SEV1"
    untouched = run("two", hosts=(HostCame("a-1", "x", "", Driver.UNTOUCHED),), exit_status=1, severity=3)
    assert words(first, untouched)[1] == lacks
    assert words(first, run("two")) == (0, [], [])
    assert words(first, run("two", of_week=False))[1] == []
    assert words(run("zero", of_week=False, hosts=stuck), run(hosts=hosts("promoted", names=("a-2",))))[0] == 10


def test_what_is_wrong_with_a_runs_files_is_owed() -> None:
    """A promote whose evidence is gone promotes nothing."""
    assert words(run(problems=("its journal is gone",))) == (1, [], ["rack: run one: its journal is gone"])
