"""What a fleet file may say: hosts with names, one way to each, and nothing that contradicts itself."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pytest_weekops.core.fleet.fleet_file import (
    SECTIONS,
    Contradiction,
    FleetFile,
    Host,
    Label,
    Promotes,
    Stage,
    contradictions,
)
from pytest_weekops.core.fleet.reach import Jobs, Pool, Ssh, is_scheduler, numbered
from pytest_weekops.core.fleet.switching import Switch
from tests.support.fleets import make_fleet


def test_every_host_has_a_name_before_anything_is_started() -> None:
    """Whichever way it is reached."""
    fleet = make_fleet(
        pools={
            "a": {"label": "x", "local": {"workers": 10}},
            "b": {"label": "y", "site": "north", "scheduler": "tls://h:8786", "hosts": ["w1"]},
            "c": {"label": "y", "ssh": {"hosts": ["me@h3", "h4"]}},
            "d": {"label": "y", "slurm": {"jobs": 1}},
        },
        labels={"x": {"profiles": ["pocl"]}, "y": {"profiles": ["pocl"]}},
    )
    assert [host.name for host in fleet.hosts_of("x")] == [f"a-{number:02d}" for number in range(1, 11)]
    assert fleet.hosts_of("y")[0] == Host("w1", "b", "y", "north")
    assert [host.name for host in fleet.hosts_of("y")] == ["w1", "h3", "h4", "d-1"]
    assert [pool.jobs and pool.jobs[0] for pool in fleet.pools.values()] == [None, None, None, "slurm"]
    assert [pool.is_started_here for pool in fleet.pools.values()] == [True, False, True, True]
    assert numbered("p", 2) == ("p-1", "p-2")


@pytest.mark.parametrize(
    "pool",
    [
        {},
        {"local": {"workers": 1}, "slurm": {"jobs": 1}},
        {"scheduler": "tcp://h:1"},
        {"local": {"workers": 1}, "hosts": ["w"]},
        {"scheduler": "tcp://h", "hosts": ["w"]},
        {"scheduler": "http://h:80", "hosts": ["w"]},
        {"ssh": {"hosts": ["-oProxyCommand=id"]}},
        {"ssh": {"hosts": ["a b"]}},
        {"ssh": {"hosts": []}},
        {"ssh": {"hosts": ["h"], "python": "a\nb"}},
        {"slurm": {"jobs": 1, "walltime": "an hour"}},
        {"slurm": {"jobs": 1, "memory": "much"}},
        {"slurm": {"jobs": 1, "directives": ["--a\n--b"]}},
        {"sge": {"jobs": 1, "shared": "/a b"}},
        {"pbs": {"jobs": 1}, "sge": {"jobs": 1}},
        {"local": {"workers": 0}},
    ],
)
def test_a_pool_is_reached_in_exactly_one_way_by_plain_words(pool: dict[str, Any]) -> None:
    """Words go to command lines, job scripts and file names."""
    with pytest.raises(ValidationError):
        Pool.model_validate({"label": "x", **pool})


def test_what_dask_takes_is_taken() -> None:
    """Addresses with names, numbers and brackets; jobs with their directives."""
    assert is_scheduler("tcp://10.0.0.1:8786")
    assert is_scheduler("tls://[::1]:65535")
    assert not is_scheduler("tcp://h:65536")
    assert Jobs(jobs=2, memory="64 GB", directives=("--gres=gpu:1",)).walltime == "04:00:00"
    assert Ssh(hosts=("h",)).python == ""


@pytest.mark.parametrize(
    ("hosts", "of_12"), [("all", 12), (1, 1), (20, 12), ("10 %", 2), ("25%", 3), ("0.5 %", 1), ("100 %", 12)]
)
def test_a_stage_comes_to_hosts(hosts: int | str, of_12: int) -> None:
    """Percentages are rounded up: ten percent of twelve are two."""
    assert Stage(hosts=hosts).count(12) == of_12


@pytest.mark.parametrize("hosts", [0, -1, True, "", "0 %", "0.0 %", "101 %", "-5 %", "ten", "10", None, 1.5, "1e3"])
def test_what_is_no_amount_is_refused(hosts: Any) -> None:
    """A stage without hosts would promote on nothing; "10" is a number, and takes no quotes."""
    if hosts == "10":
        assert Stage(hosts=hosts).count(12) == 10
    else:
        with pytest.raises(ValidationError):
            Stage(hosts=hosts)


def test_a_share_needs_at_least_one() -> None:
    """Rounded up, and not by a rounding error more."""
    assert [Promotes(share=0.9).needed(count) for count in (1, 9, 10, 11, 0)] == [1, 9, 9, 10, 1]
    assert Promotes(share=0.6).needed(5) == 3
    with pytest.raises(ValidationError):
        Promotes(share=0.4)
    with pytest.raises(ValidationError, match="say why"):
        Promotes(exceptions={"a-1": " "})
    with pytest.raises(ValidationError, match="is no regular expression"):
        Label(profiles=("pocl",), driver="(")


SWITCH = {"report_dir": "/srv/{host}", "candidate": "pocl", "baseline": "clover@/opt/mesa.icd"}
X = {"x": {"profiles": ["pocl"]}}
LEVELS = {str(level): {"within_minutes": 1, "action": "a", "owner": "o"} for level in (1, 2, 3)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"pools": {"a": {"label": "x", "local": {"workers": 1}}, "b": {"label": "x", "ssh": {"hosts": ["A-1"]}}}},
            "pools come to 2 hosts that are called a-1",
        ),
        (
            {"pools": {n: {"label": "x", "slurm": {"jobs": 6000}} for n in "ab"}},
            "pools come to 12000 hosts. At most 10000 are one fleet",
        ),
        ({"labels": {"y": {"profiles": ["pocl"]}}}, "pools.a.label names the label x, which is not under labels"),
        ({"promotes": {"z": {}}}, "promotes.z names the label z"),
        ({"stages": {"z": [{"hosts": "all"}]}}, "stages.z names the label z"),
        ({"labels": {**X, "y": {"profiles": ["pocl"]}}}, "labels.y has no host"),
        ({"promotes": {"x": {"exceptions": {"b-1": "gone"}}}}, "promotes.x.exceptions.b-1 is no host of this label"),
        ({"promotes": {"x": {"exceptions": {f"a-{n}": "old" for n in range(1, 5)}}}}, "leaves no host that counts"),
        ({"labels": {"x": {"profiles": ["pocl"], "may_be_missing": 1}}}, "share of 1 leaves 0 of 4 hosts at most"),
        ({"stages": {"x": []}}, "does not end with all of its 4 hosts"),
        ({"stages": {"x": [{"hosts": 1}]}}, "does not end with all of its 4 hosts"),
        ({"stages": {"x": [{"hosts": 1}, {"hosts": "10 %"}, {"hosts": "all"}]}}, "comes to 1, 1, 4 hosts"),
        ({"switches": {"z": SWITCH}}, "switches.z names the label z"),
        (
            {"switches": {"x": {**SWITCH, "candidate": "rusticl"}}},
            "switches.x.candidate is rusticl, which is none of the label's profiles, pocl",
        ),
        ({"switches": {"x": {**SWITCH, "baseline": "pocl"}}}, "switches.x.baseline is the candidate itself"),
        (
            {"switches": {"x": {**SWITCH, "report_dir": "/srv"}}},
            "switches.x.report_dir is /srv for a-1 and a-2, which are both on this machine",
        ),
        (
            {"pools": {"a": {"label": "x", "slurm": {"jobs": 4}}}, "switches": {"x": SWITCH}},
            "switches.x switches hosts of pool a, which are jobs of slurm",
        ),
        ({"severity": {"checks": {"fleet_shar": 1}}}, "severity.checks.fleet_shar is no check of a fleet"),
        ({"severity": {"checks": {"fleet_share": 4}}}, "severity.checks.fleet_share is 4"),
        ({"severity": {"no_data": 4, "checks": {}}}, "severity.no_data is 4"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], words: str) -> None:
    """With the place to look at, and what to do."""
    with pytest.raises(ValidationError) as caught:
        make_fleet(**changes)
    error = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(error, Contradiction)
    assert words in str(error)
    assert error.advice.endswith(".")


def test_a_severity_of_a_fleet_has_an_owner() -> None:
    """The table is a policy's, and refuses what a policy refuses."""
    with pytest.raises(ValidationError, match="lacks 4; a verdict of that severity would have no owner"):
        make_fleet(severity={"levels": LEVELS, "checks": {}})


def test_a_fleet_file_has_none() -> None:
    """And what it does not say has the strict default: every host, all at once."""
    fleet = make_fleet()
    assert not list(contradictions(fleet))
    assert fleet.promotes_of("x").share == 1
    assert [stage.count(4) for stage in fleet.stages_of("x")] == [4]
    assert FleetFile.model_validate_json(fleet.model_dump_json()) == fleet


def test_every_section_is_known_by_its_key() -> None:
    """The reader suggests keys by it."""
    models = [field.annotation for field in FleetFile.model_fields.values()]
    named = {str(model) for model in models}
    for key in ("pools", "labels", "promotes", "stages", "severity"):
        assert any(SECTIONS[key].__name__ in each for each in named)


def test_a_switch_says_where_and_to_what() -> None:
    """In a directory of each host, by words that no command line takes for another thing."""
    fleet = make_fleet(2, switches={"x": SWITCH})
    assert fleet.switches["x"].directory("a-2") == "/srv/a-2"
    assert (fleet.is_staged, make_fleet(2).is_staged) == (True, False)
    elsewhere = {"a": {"label": "x", "scheduler": "tls://h:1", "hosts": ["a-1", "a-2"]}}
    assert make_fleet(pools=elsewhere, switches={"x": {**SWITCH, "report_dir": "/srv"}}).is_staged
    for wrong in (
        {"report_dir": "srv"},
        {"report_dir": "/{name}"},
        {"baseline": "-x"},
        {"candidate": "a@/b"},
        {"timeout_s": 0},
    ):
        with pytest.raises(ValidationError):
            Switch.model_validate({**SWITCH, **wrong})
